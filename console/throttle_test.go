package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/console"
)

// from sends a request from an address.
func (g *gateway) from(address, method, path string) answer {
	r := httptest.NewRequestWithContext(g.t.Context(), method, path, strings.NewReader("{}"))
	r.RemoteAddr = address
	return g.do(r)
}

// Each public path takes only so much from an address, says when to come back, and counts.
func TestPublicPathsAreThrottled(t *testing.T) {
	t.Parallel()
	for path, burst := range map[string]int{"/auth/facebook/start": 60, "/lex/fulfillment": 2_000, "/webhook/messenger": 20_000} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			g := setup(t, func(o *console.Options) {
				o.Fulfilment = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
				o.Webhook, o.Login = o.Fulfilment, o.Fulfilment
				o.Logger = nil
			})
			for i := range burst {
				if a := g.from("192.0.2.1:1000", "POST", path); a.StatusCode != 200 {
					t.Fatalf("request %d of %d: %d", i, burst, a.StatusCode)
				}
			}
			a := g.from("192.0.2.1:2000", "POST", path)
			if a.StatusCode != 429 || a.Header.Get("Retry-After") != "1" || a.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("one more: %d %v", a.StatusCode, a.Header)
			}
			if a := g.from("192.0.2.2:1000", "POST", path); a.StatusCode != 200 {
				t.Errorf("from another address: %d", a.StatusCode)
			}
			if n, err := testutil.GatherAndCount(g.registry, "outrider_http_throttled_total"); err != nil || n != 4 {
				t.Errorf("%d series, %v", n, err)
			}
			if text := g.must(200, "GET", "/metrics", "").body; !strings.Contains(text, `path="`+strings.TrimSuffix(path, "start")+`"} 1`) {
				t.Error("it is not counted")
			}
			g.pass(time.Second)
			if a := g.from("192.0.2.1:1000", "POST", path); a.StatusCode != 200 {
				t.Errorf("a second later: %d", a.StatusCode)
			}
		})
	}
}

// So is everything else that asks for no key, together; what asks for one is not.
func TestWhatIsOpenToEverybodyIsThrottled(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) { o.Logger = nil })
	open := []string{"/healthz", "/livez", "/readyz", "/metrics", "/openapi.json", "/", "/api", "/console/map.json", "/nothing"}
	for i := range 2_000 {
		if a := g.from("192.0.2.1:1000", "GET", open[i%2*8]); a.StatusCode == 429 { // the cheap ones: /healthz and /nothing
			t.Fatalf("request %d of 2000: %d", i, a.StatusCode)
		}
	}
	for _, path := range open {
		if a := g.from("192.0.2.1:2000", "GET", path); a.StatusCode != 429 || a.Header.Get("Retry-After") != "1" {
			t.Errorf("one more, %s: %d %v", path, a.StatusCode, a.Header)
		}
	}
	for path, want := range map[string]int{"/api/v1/vehicles": 401, "/ogc/collections": 401} {
		if a := g.from("192.0.2.1:2000", "GET", path); a.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, a.StatusCode, want)
		}
	}
	if a := g.from("192.0.2.2:1000", "GET", "/healthz"); a.StatusCode != 200 {
		t.Errorf("from another address: %d", a.StatusCode)
	}
	g.pass(time.Second)
	if text := g.from("192.0.2.1:1000", "GET", "/metrics").body; !strings.Contains(text, `outrider_http_throttled_total{path="other"} 9`) {
		t.Error("what was refused is not counted")
	}
}

// Addresses of one IPv6 network count as one.
func TestThrottlingOfIPv6(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for range 60 {
		g.from("[2001:db8::1]:1", "GET", "/auth/facebook/start")
	}
	if a := g.from("[2001:db8::2]:1", "GET", "/auth/facebook/start"); a.StatusCode != 429 {
		t.Errorf("from the same network: %d", a.StatusCode)
	}
	if a := g.from("[2001:db8:0:1::2]:1", "GET", "/auth/facebook/start"); a.StatusCode != 200 {
		t.Errorf("from another: %d", a.StatusCode)
	}
}

// Every answer, of whatever kind, carries the headers that keep a browser from being turned against its user.
func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	for _, request := range []string{
		"GET /", "GET /api", "GET /home.css", "GET /console/map.json", "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json",
		"GET /webhook/messenger", "GET /auth/facebook/start", "GET /api/v1/vehicles", "GET /api/v1/vehicles/none", "PUT /api/v1/vehicles/a",
		"GET /nothing", "DELETE /healthz", "OPTIONS /api/v1/geofences",
	} {
		method, path, _ := strings.Cut(request, " ")
		h := g.call(method, path, "").Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", request, name, got)
			}
		}
		csp := h.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") && !strings.Contains(csp, "default-src 'self'") ||
			!strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(h.Get("Permissions-Policy"), "geolocation=()") {
			t.Errorf("%s: policies %q and %q", request, csp, h.Get("Permissions-Policy"))
		}
	}
}
