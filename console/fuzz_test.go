package console_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever a caller with a key sends, the answer is never the gateway's fault, and an error is a problem document.
func FuzzRequests(f *testing.F) {
	for _, c := range statusCases {
		if len(c.body) > 1000 {
			continue
		}
		method, path, _ := strings.Cut(c.request, " ")
		_, value, _ := strings.Cut(c.header, ":")
		f.Add(method, path, c.body, strings.TrimSpace(value))
	}
	f.Fuzz(func(t *testing.T, method, path, body, header string) {
		if _, err := url.ParseRequestURI(path); err != nil || strings.ContainsAny(method+path, " \r\n\x00") || method == "" {
			t.Skip("not a request a server would hand on")
		}
		g := seed(setup(t))
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", strings.NewReader(body))
		u, err := url.ParseRequestURI(path)
		if err != nil {
			t.Skip("not a request a server would hand on")
		}
		r.Method, r.URL = method, u
		r.Header.Set("Authorization", "Bearer "+adminKey)
		for _, name := range []string{"Outrider-Tenant", "If-Match", "If-None-Match", "Accept", "X-Request-Id"} {
			r.Header.Set(name, header)
		}
		a := g.do(r)
		if a.StatusCode >= 500 {
			t.Fatalf("%s %s: %d\n%s\n%s", method, path, a.StatusCode, a.body, g.log)
		}
		if a.StatusCode >= 400 && a.Header.Get("Content-Type") != "application/problem+json" {
			t.Fatalf("%s %s: %d as %s", method, path, a.StatusCode, a.Header.Get("Content-Type"))
		}
		if strings.Contains(a.body, "-SECRET") {
			t.Fatalf("%s %s repeats a secret: %s", method, path, a.body)
		}
	})
}
