package ui_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"outrider/console/ui"
)

func serve(t *testing.T, o ui.Options) func(path string, header ...string) *http.Response {
	t.Helper()
	mux := http.NewServeMux()
	if err := ui.Register(mux, o); err != nil {
		t.Fatal(err)
	}
	return func(path string, header ...string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		for _, h := range header {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Result()
	}
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(r.Body); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// What the page names is there, compressed and for ever, and nothing of it stands in the page itself.
func TestPageAndWhatItLoads(t *testing.T) {
	t.Parallel()
	get := serve(t, ui.Options{})
	page := get("/")
	policy := page.Header.Get("Content-Security-Policy")
	if page.StatusCode != 200 || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'self'") {
		t.Fatalf("page: %d, policy %q", page.StatusCode, policy)
	}
	html := text(t, page)
	if regexp.MustCompile(`(?i)<script>|<style|style=|\son[a-z]+=|https?://`).MatchString(html) {
		t.Errorf("the page has something inline or from elsewhere, which its policy forbids:\n%s", html)
	}
	loads := regexp.MustCompile(`(?:src|href)="\.(/[^"]+)"`).FindAllStringSubmatch(html, -1)
	if len(loads) < 3 {
		t.Fatalf("the page loads %v", loads)
	}
	for _, l := range loads {
		a := get(l[1], "Accept-Encoding: gzip")
		if a.StatusCode != 200 || a.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", l[1], a.StatusCode, a.Header)
		}
		if strings.HasPrefix(l[1], "/assets/") && (a.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(a.Header.Get("Cache-Control"), "immutable")) {
			t.Errorf("%s: %v", l[1], a.Header)
		}
		if plain := get(l[1]); plain.Header.Get("Content-Encoding") != "" || text(t, plain) != text(t, a) {
			t.Errorf("%s: plain and compressed differ", l[1])
		}
		if again := get(l[1], "If-None-Match: "+a.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%s with its ETag: %d", l[1], again.StatusCode)
		}
	}
}

func TestGround(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "x.pmtiles")
	if err := os.WriteFile(archive, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	get := serve(t, ui.Options{
		Tiles: "https://tiles.example:8443/{z}/{x}/{y}.png", PMTiles: archive, Attribution: "© somebody", Streets: []byte(`{"type":"FeatureCollection","features":[]}`),
	})
	if policy := get("/").Header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data: blob: https://tiles.example:8443;") {
		t.Errorf("policy %q does not let the tiles in", policy)
	}
	const want = `{"tiles":"https://tiles.example:8443/{z}/{x}/{y}.png","pmtiles":"/console/basemap.pmtiles","streets":"/console/streets.json","attribution":"© somebody"}`
	if got := text(t, get("/console/map.json")); got != want {
		t.Errorf("map.json %s", got)
	}
	part := get("/console/basemap.pmtiles", "Range: bytes=2-4")
	if part.StatusCode != 206 || text(t, part) != "234" {
		t.Errorf("a part of the archive: %d", part.StatusCode)
	}
	if got := text(t, get("/console/streets.json")); !strings.Contains(got, "FeatureCollection") {
		t.Errorf("streets %s", got)
	}
}

func TestBadTiles(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"tiles", "ftp://x/{z}", "https:///{z}"} {
		err := ui.Register(http.NewServeMux(), ui.Options{Tiles: bad})
		if err == nil || !strings.Contains(err.Error(), "console.tiles") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// 700 KB is the promise for the first load, the countries under the map apart.
func TestFirstLoadIsSmall(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	if err := ui.Register(mux, ui.Options{}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("dist/assets/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	get, total := serve(t, ui.Options{}), 0
	for _, f := range files {
		if strings.Contains(f, "countries-") {
			continue
		}
		a := get("/assets/"+filepath.Base(f), "Accept-Encoding: gzip")
		raw, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		total += len(raw)
	}
	t.Logf("%d KB compressed", total/1000)
	if total > 700_000 {
		t.Errorf("%d bytes compressed, at most 700,000 were promised", total)
	}
}
