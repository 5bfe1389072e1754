package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/console"
	"outrider/identity"
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
			if n, err := testutil.GatherAndCount(g.registry, "outrider_http_throttled_total"); err != nil || n != 6 {
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
	for _, path := range []string{"/api/v1/vehicles", "/ogc/collections"} { // what takes a key, without one
		if a := g.from("192.0.2.1:2000", "GET", path); a.StatusCode != 429 {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := g.bringing("192.0.2.1:2000", "/api/v1/vehicles", adminKey); a.StatusCode != 200 {
		t.Errorf("with a key: %d", a.StatusCode)
	}
	if a := g.from("192.0.2.2:1000", "GET", "/healthz"); a.StatusCode != 200 {
		t.Errorf("from another address: %d", a.StatusCode)
	}
	g.pass(time.Second)
	if text := g.from("192.0.2.1:1000", "GET", "/metrics").body; !strings.Contains(text, `outrider_http_throttled_total{path="other"} 11`) {
		t.Error("what was refused is not counted")
	}
}

// bringing sends a request with a key from an address.
func (g *gateway) bringing(address, path, key string) answer {
	r := httptest.NewRequestWithContext(g.t.Context(), "GET", path, nil)
	r.RemoteAddr = address
	r.Header.Set("Authorization", "Bearer "+key)
	return g.do(r)
}

// Whoever tries keys is not told any more whether one is good, not even by the paths that only look at it; who has come
// with a good one before goes on.
func TestWrongKeysAreThrottled(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/v1/self", "/ogc/collections", "/metrics"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			g := setup(t, func(o *console.Options) { o.MetricsKey = identity.NewToken("the key of the figures") })
			before := g.bringing("192.0.2.1:1", path, adminKey)
			if before.StatusCode != 200 {
				t.Fatalf("with a good key: %d", before.StatusCode)
			}
			for i := range 30 {
				if a := g.bringing("192.0.2.1:1", path, fmt.Sprint("guess ", i)); a.StatusCode != 401 {
					t.Fatalf("guess %d: %d", i, a.StatusCode)
				}
				if a := g.bringing("192.0.2.2:1", path, fmt.Sprint("guess ", i)); a.StatusCode != 401 {
					t.Fatalf("guess %d: %d", i, a.StatusCode)
				}
			}
			for _, key := range []string{"guess", "another"} {
				if a := g.bringing("192.0.2.1:2", path, key); a.StatusCode != 429 || a.Header.Get("Retry-After") != "2" {
					t.Errorf("one more guess: %d %v", a.StatusCode, a.Header)
				}
			}
			if a := g.bringing("192.0.2.1:3", path, adminKey); a.StatusCode != 200 {
				t.Errorf("whose key was good before: %d", a.StatusCode)
			}
			if a := g.bringing("192.0.2.2:3", path, adminKey); a.StatusCode != 429 {
				t.Errorf("a right guess is told apart: %d", a.StatusCode)
			}
			if a := g.bringing("192.0.2.3:3", path, adminKey); a.StatusCode != 200 {
				t.Errorf("from another address: %d", a.StatusCode)
			}
			g.pass(2 * time.Second)
			if a := g.bringing("192.0.2.2:3", path, adminKey); a.StatusCode != 200 {
				t.Errorf("after the wait: %d", a.StatusCode)
			}
			if text := g.bringing("192.0.2.3:3", "/metrics", adminKey).body; !strings.Contains(text, `outrider_http_throttled_total{path="key"} 3`) {
				t.Error("what was refused is not counted")
			}
		})
	}
}

// A key that was revoked is no friend any more: each further use of it counts as a guess.
func TestARevokedKeyIsAGuess(t *testing.T) {
	t.Parallel()
	g := setup(t)
	key := strings.TrimPrefix(g.key("default", "viewer"), "Authorization: Bearer ")
	if a := g.bringing("192.0.2.1:1", "/api/v1/self", key); a.StatusCode != 200 {
		t.Fatalf("while it is good: %d", a.StatusCode)
	}
	g.must(204, "DELETE", "/api/v1/keys/"+g.store.keys[0].ID, "")
	for i, want := 0, 401; i < 31; i++ {
		if i == 30 {
			want = 429
		}
		if a := g.bringing("192.0.2.1:1", "/api/v1/self", key); a.StatusCode != want {
			t.Fatalf("use %d: %d, want %d", i, a.StatusCode, want)
		}
	}
}

// Sessions that are none are looked up only so often.
func TestWrongSessionsAreThrottled(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) { o.Logger = nil })
	for i := range 2_001 {
		want := 401
		if i == 2_000 {
			want = 429
		}
		if got := g.with(fmt.Sprint("Cookie: outrider_session=", i), "GET", "/api/v1/self", ""); got != want {
			t.Fatalf("session %d: %d, want %d", i, got, want)
		}
	}
}

// With a key of its own, /metrics opens to it and to the bootstrap key, and not to a tenant's.
func TestFiguresTakeTheirKey(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) { o.MetricsKey = identity.NewToken("the key of the figures") })
	tenants := strings.TrimPrefix(g.key("default", "admin"), "Authorization: Bearer ")
	for key, want := range map[string]int{"the key of the figures": 200, adminKey: 200, tenants: 401, "": 401, "wrong": 401} {
		a := g.bringing("192.0.2.1:1", "/metrics", key)
		if a.StatusCode != want || strings.Contains(a.body, "outrider_") != (want == 200) {
			t.Errorf("key %q: %d", key, a.StatusCode)
		}
	}
	if a := g.bringing("192.0.2.1:1", "/api/v1/self", "the key of the figures"); a.StatusCode != 401 {
		t.Errorf("the key of the figures opens the API: %d", a.StatusCode)
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
