package oidc_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"outrider/identity"
	"outrider/internal/oidc"
)

const redirect = "http://gateway.example/auth/oidc/callback"

// rig is a provider on loopback and a clock that only the test moves.
type rig struct {
	t    *testing.T
	mock *mockoidc.MockOIDC
	p    *oidc.Provider
	now  time.Time
}

func newRig(t *testing.T) *rig {
	t.Helper()
	mock, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mock.Shutdown() })
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, mock: mock, now: time.Now()}
	c := mock.Config()
	r.p, err = oidc.New(oidc.Options{Issuer: c.Issuer, ClientID: c.ClientID, Secret: identity.NewToken(c.ClientSecret), Sealer: sealer,
		Now: func() time.Time { return r.now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// begin returns what the browser keeps, and what the provider sends back.
func (r *rig) begin(change func(url.Values)) (kept, state, code string) {
	r.t.Helper()
	r.mock.QueueUser(&mockoidc.MockUser{Subject: "1", Email: "ann@acme.example", EmailVerified: true})
	address, kept, err := r.p.Begin(r.t.Context(), redirect)
	if err != nil {
		r.t.Fatal(err)
	}
	at, err := url.Parse(address)
	if err != nil {
		r.t.Fatal(err)
	}
	q := at.Query()
	if change != nil {
		change(q)
	}
	at.RawQuery = q.Encode()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(at.String())
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil {
		r.t.Fatalf("%s: %v", res.Status, err)
	}
	return kept, back.Query().Get("state"), back.Query().Get("code")
}

func TestTheProviderSaysWhoItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	kept, state, code := r.begin(nil)
	who, err := r.p.End(t.Context(), redirect, kept, state, code)
	if err != nil || who.ID != "ann@acme.example" {
		t.Fatalf("%+v, %v", who, err)
	}
	if _, err := r.p.End(t.Context(), redirect, kept, state, code); err == nil {
		t.Error("a code is redeemed twice")
	}
}

// What was begun by somebody else, long ago, or for another answer comes to nothing.
func TestAnAttemptIsOfOneBrowserAndTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	want := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	kept, state, code := r.begin(nil)
	other, _, _ := r.begin(nil)
	_, err := r.p.End(t.Context(), redirect, other, state, code)
	want("another attempt", err, oidc.ErrAttempt)
	_, err = r.p.End(t.Context(), redirect, kept+"x", state, code)
	want("a changed attempt", err, oidc.ErrAttempt)
	_, err = r.p.End(t.Context(), redirect, "", state, code)
	want("no attempt", err, oidc.ErrAttempt)
	before := r.now
	r.now = r.now.Add(11 * time.Minute)
	_, err = r.p.End(t.Context(), redirect, kept, state, code)
	want("an old attempt", err, oidc.ErrAttempt)

	r.now = before
	kept, state, code = r.begin(func(q url.Values) { q.Set("nonce", "of somebody else") })
	_, err = r.p.End(t.Context(), redirect, kept, state, code)
	want("another nonce", err, oidc.ErrAttempt)
	kept, state, code = r.begin(func(q url.Values) { q.Set("code_challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") })
	if _, err = r.p.End(t.Context(), redirect, kept, state, code); err == nil {
		t.Error("the provider takes a code of another verifier: PKCE is not used")
	}
}
