package app_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/oauth2-proxy/mockoidc"

	"outrider/internal/browsertest"
)

// provider is an OpenID Connect provider on loopback, at which whoever is queued next signs in at once.
func provider(t *testing.T) (*mockoidc.MockOIDC, map[string]string) {
	t.Helper()
	m, err := mockoidc.Run()
	must(t, err)
	t.Cleanup(func() { _ = m.Shutdown() })
	c := m.Config()
	return m, map[string]string{
		"oidc.issuer": c.Issuer, "oidc.client_id": c.ClientID, "oidc.client_secret": c.ClientSecret, "oidc.name": "Acme login",
	}
}

func olga(verified bool) *mockoidc.MockUser {
	return &mockoidc.MockUser{Subject: "1", Email: "Olga@Acme.example", EmailVerified: verified, PreferredUsername: "olga"}
}

// signOn goes the whole way as a browser does, and returns what the console is told and the browser's client.
func signOn(t *testing.T, r *rig, change func(*http.Request)) (outcome string, browser *http.Client) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	browser = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if req.URL.Query().Has("signon") {
			return http.ErrUseLastResponse
		}
		if change != nil && strings.HasSuffix(req.URL.Path, "/callback") {
			change(req)
		}
		return nil
	}}
	res, err := browser.Get(r.url("/auth/oidc/"))
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the way ends with %s", res.Status)
	}
	to, err := res.Location()
	must(t, err)
	return to.Query().Get("signon"), browser
}

// whoIs asks the API who the browser is, by its cookie alone.
func whoIs(t *testing.T, r *rig, browser *http.Client) int {
	t.Helper()
	res, err := browser.Get(r.url("/api/v1/self"))
	must(t, err)
	defer res.Body.Close()
	return res.StatusCode
}

// Whom an admin let in signs in at the provider; nobody else does, and each refusal has its reason.
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	m, settings := provider(t)
	r := newRig(t, settings)
	want := func(what, outcome string, user *mockoidc.MockUser, change func(*http.Request)) {
		t.Helper()
		m.QueueUser(user)
		got, browser := signOn(t, r, change)
		if got != outcome {
			t.Errorf("%s: %q, want %q", what, got, outcome)
		}
		status := http.StatusUnauthorized
		if outcome == "done" {
			status = http.StatusOK
		}
		if is := whoIs(t, r, browser); is != status {
			t.Errorf("%s: the API answers %d, want %d", what, is, status)
		}
	}
	want("nobody let in", "not_let_in", olga(true), nil)
	r.call(t, http.MethodPost, "users", map[string]any{"id": "olga@acme.example", "role": "operator"}, http.StatusOK)
	want("let in, without password", "done", olga(true), nil)
	want("an address that nobody verified", "unknown", olga(false), nil)
	query := func(name, value string) func(*http.Request) {
		return func(req *http.Request) {
			q := req.URL.Query()
			q.Set(name, value)
			req.URL.RawQuery = q.Encode()
		}
	}
	want("another state", "stale", olga(true), query("state", "made-up"))
	want("another browser", "stale", olga(true), func(req *http.Request) {
		req.Header.Del("Cookie")
		req.URL.Host = strings.Replace(req.URL.Host, "127.0.0.1", "localhost", 1)
	})
	want("a made-up code", "unreachable", olga(true), query("code", "made-up"))
	want("cancelled at the provider", "cancelled", olga(true), query("code", ""))
	r.call(t, http.MethodPatch, "users/"+url.PathEscape("olga@acme.example"), map[string]any{"disabled": true}, http.StatusOK)
	want("shut out", "shut_out", olga(true), nil)
	if log := r.log.String(); strings.Contains(log, "ClientSecret") || strings.Contains(log, settings["oidc.client_secret"]) {
		t.Error("the log has the client's secret")
	}
}

// With oidc.role, whoever the provider knows is let in, as what it says and in the tenant it says.
func TestSingleSignOnLetsIn(t *testing.T) {
	t.Parallel()
	m, settings := provider(t)
	settings["oidc.role"], settings["oidc.tenant"], settings["oidc.claim"] = "viewer", "acme", "preferred_username"
	r := newRig(t, settings)
	for range 2 {
		m.QueueUser(olga(false))
		if got, browser := signOn(t, r, nil); got != "done" || whoIs(t, r, browser) != http.StatusOK {
			t.Fatalf("the outcome is %q", got)
		}
	}
	r.call(t, http.MethodGet, "users/olga", nil, http.StatusNotFound) // of another tenant
}

// A provider that is down is told, and the password goes on to work.
func TestSingleSignOnIsDown(t *testing.T) {
	t.Parallel()
	m, settings := provider(t)
	must(t, m.Shutdown())
	r := newRig(t, settings)
	if got, _ := signOn(t, r, nil); got != "unreachable" {
		t.Errorf("the outcome is %q", got)
	}
}

// The way of a person: the button, the provider, the console; and the word when they are not let in.
func TestSingleSignOnAtTheConsole(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, 1280, 800)
	m, settings := provider(t)
	r := newRig(t, settings)
	m.QueueUser(olga(true))
	p.Go(r.url("/"))
	p.WaitText(".signin a.button", "Sign in with Acme login")
	p.Shot("signon")
	p.Click(".signin a.button")
	p.Arrive(".signin [role=status]", "nobody let you in here")
	r.call(t, http.MethodPost, "users", map[string]any{"id": "olga@acme.example", "name": "Olga", "role": "operator"}, http.StatusOK)
	m.QueueUser(olga(true))
	p.Click(".signin a.button")
	p.Arrive(".rail .who", "Olga")
	p.Go(r.url("/?again#/vehicles"))
	p.WaitText(".rail .who", "Olga")
}
