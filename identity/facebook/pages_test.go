package facebook_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"outrider/identity"
	"outrider/identity/facebook"
)

// Every language says everything, with the same names in it.
func TestLanguagesAreComplete(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("locales/*.json")
	must(t, err)
	read := func(path string) map[string]string {
		raw, err := os.ReadFile(path)
		must(t, err)
		texts := map[string]string{}
		must(t, json.Unmarshal(raw, &texts))
		return texts
	}
	names := regexp.MustCompile(`\{[a-z]+\}`)
	placeholders := func(s string) []string {
		all := names.FindAllString(s, -1)
		slices.Sort(all)
		return slices.Compact(all)
	}
	english := read("locales/en.json")
	if len(files) < 6 {
		t.Errorf("languages: %v", files)
	}
	for _, file := range files {
		texts := read(file)
		for key, text := range english {
			if texts[key] == "" || !slices.Equal(placeholders(texts[key]), placeholders(text)) {
				t.Errorf("%s: %s is %q", file, key, texts[key])
			}
			if key == "greet.yes" && len([]rune(texts[key])) > 20 {
				t.Errorf("%s: %q is longer than a quick reply shows", file, texts[key])
			}
		}
		if len(texts) != len(english) {
			t.Errorf("%s has %d texts, English %d", file, len(texts), len(english))
		}
	}
	for _, step := range facebook.Steps() {
		if step == "" {
			t.Error("a step without a name")
		}
	}
}

// The language is the owner's, else the browser's, else English; the policy lets nothing in but the style sheet.
func TestPages(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, c := range []struct{ locale, accept, lang, says string }{
		{"de_DE", "fr", "de", "Weiter mit Facebook"},
		{"", "fr;q=0.9, es-MX;q=0.8", "es", "Continuar con Facebook"},
		{"", "pt", "pt-BR", "Continuar com o Facebook"},
		{"hi_IN", "", "hi", "Facebook से जारी रखें"},
		{"vi", "", "vi", "Tiếp tục với Facebook"},
		{"xx", "x;q=?", "en", "Continue with Facebook"},
	} {
		must(t, b.store.PutOwner(t.Context(), identity.Owner{Tenant: "acme", ID: "ann", Name: "Ann", Locale: c.locale}))
		must(t, b.reload(t.Context()))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.offer(t).LoginURL, nil)
		must(t, err)
		req.Header.Set("Accept-Language", c.accept)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		p := &person{}
		buf := make([]byte, 1<<16)
		n, _ := res.Body.Read(buf)
		res.Body.Close()
		p.text = string(buf[:n])
		if !strings.Contains(p.text, `<html lang="`+c.lang+`">`) || !strings.Contains(p.text, c.says) {
			t.Errorf("%+v: %s", c, p.text)
		}
		for header, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			"Referrer-Policy":         "no-referrer", "Cache-Control": "no-store", "Content-Language": c.lang, "X-Robots-Tag": "noindex",
		} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %q", header, got)
			}
		}
		cookie := res.Header.Get("Set-Cookie")
		for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/auth/facebook/"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie lacks %s: %s", part, cookie)
			}
		}
		for _, never := range []string{"<script", "style=", "onclick", "http://", "https://www.facebook.com/v26.0/dialog/oauth?client_secret"} {
			if never != "http://" && strings.Contains(p.text, never) {
				t.Errorf("the page contains %s", never)
			}
		}
	}
}
