package facebook_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
)

// keep runs the keeper until the page was looked at, and returns what it found.
func (b *bench) keep(t *testing.T) identity.PageHealth {
	t.Helper()
	must(t, b.keeper.Start(t.Context()))
	t.Cleanup(func() { _ = b.keeper.Stop(context.Background()) })
	var h identity.PageHealth
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var err error
		h, err = b.store.PageHealth(t.Context(), "500")
		must(t, err)
		if !h.Checked.IsZero() || !h.Subscribed.IsZero() || h.Subscription != "" {
			return h
		}
	}
	t.Fatal("the page was never looked at")
	return h
}

func (b *bench) subscription(t *testing.T) facebook.Subscription {
	t.Helper()
	page, _ := b.directory.Page("500")
	s, err := facebook.InspectSubscription(t.Context(), b.api.Do, page, "1000")
	must(t, err)
	return s
}

// A subscription that Meta ended is repaired, and so is the button without which nobody new brings a code.
func TestSubscriptionIsRepaired(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	must(t, b.sandbox.Unsubscribe("500"))
	if s := b.subscription(t); s.Subscribed || s.GetStarted || len(s.Missing()) != len(facebook.Fields()) {
		t.Fatalf("before: %+v", s)
	}
	h := b.keep(t)
	if h.Subscription != "" || !h.Subscribed.Equal(b.clock.now()) || !h.Valid {
		t.Errorf("health %+v", h)
	}
	if s := b.subscription(t); !s.Subscribed || !s.GetStarted || len(s.Missing()) != 0 {
		t.Errorf("after: %+v", s)
	}
	if !strings.Contains(b.log.String(), "was not subscribed to its webhook as it should be, repaired") {
		t.Errorf("nothing was said:\n%s", b.log)
	}
}

// What a page is subscribed to beyond our fields stays, and a Graph that knows a field under its other name gets that.
func TestSubscriptionKeepsAndAdapts(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	page, _ := b.directory.Page("500")
	must(t, b.sandbox.Unsubscribe("500"))
	must(t, b.api.Do(t.Context(), subscribe(page, "feed,messages"), nil))
	var asked []string
	b.fault = func(r *http.Request) *http.Response {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/subscribed_apps") {
			return nil
		}
		asked = append(asked, r.URL.Query().Get("subscribed_fields"))
		if strings.Contains(asked[len(asked)-1], ",message_template_status_update") {
			return graphError(400, `{"error":{"message":"(#100) Param subscribed_fields[12] must be one of {…}","code":100}}`)
		}
		return graphError(200, `{"success":"true"}`)
	}
	b.keep(t)
	_ = b.keeper.Stop(t.Context())
	if len(asked) != 2 || !strings.Contains(asked[1], "messenger_template_status_update") || !slices.Contains(strings.Split(asked[1], ","), "feed") {
		t.Errorf("asked for %q", asked)
	}
}

func TestTokenChecks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what    string
		prepare func(t *testing.T, b *bench)
		valid   bool
		problem string // part of it
		missing string
		token   string // the page's afterwards
		logs    string
	}{
		{"good", func(*testing.T, *bench) {}, true, "", "", pageToken, ""},
		{"a permission is missing", func(_ *testing.T, b *bench) { b.sandbox.Grant("pages_messaging", "pages_utility_messaging") }, true, "", "pages_manage_metadata", pageToken, "lacks permissions"},
		{"the other spelling", func(_ *testing.T, b *bench) {
			b.sandbox.Grant("pages_messaging", "page_utility_messaging", "pages_manage_metadata")
		}, true, "", "", pageToken, ""},
		{"dead, nobody can renew it", func(_ *testing.T, b *bench) { b.sandbox.RevokeToken(pageToken, 460) }, false, "changed their password", "", pageToken, "must connect it again"},
		{"dead, renewed", func(t *testing.T, b *bench) {
			b.sandbox.RevokeToken(pageToken, 460)
			b.manager(t)
		}, true, "", "", "fresh-page-token", "renewed"},
		{"of another page", func(t *testing.T, b *bench) {
			b.sandbox.AddPage("501", "Other", "other-token")
			b.putToken(t, "other-token")
		}, false, "token of another page, 501", "", "other-token", ""},
		{"a user's", func(t *testing.T, b *bench) { b.putToken(t, b.userToken(t)) }, false, "not a page's token but one of type USER", "", "", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			c.prepare(t, b)
			h := b.keep(t)
			_ = b.keeper.Stop(t.Context())
			if h.Valid != c.valid || !strings.Contains(h.Problem, c.problem) || (h.Problem == "") != (c.problem == "") || strings.Join(h.Missing, ",") != c.missing {
				t.Errorf("health %+v", h)
			}
			page, _ := b.directory.Page("500")
			if c.token != "" && page.AccessToken.Reveal() != c.token {
				t.Errorf("token %q", page.AccessToken.Reveal())
			}
			if !strings.Contains(b.log.String(), c.logs) {
				t.Errorf("the log lacks %q:\n%s", c.logs, b.log)
			}
			for _, secret := range []string{pageToken, "fresh-page-token", secretText, "EAAuser", page.AccessToken.Reveal()} {
				if strings.Contains(b.log.String(), secret) || strings.Contains(h.Problem+h.Subscription, secret) {
					t.Errorf("a secret shows:\n%s\n%+v", b.log, h)
				}
			}
		})
	}
}

func (b *bench) putToken(t *testing.T, token string) {
	t.Helper()
	must(t, b.store.PutPage(t.Context(), identity.Page{Tenant: "acme", ID: "500", Name: "Fleet", AccessToken: identity.NewToken(token)}))
	must(t, b.reload(t.Context()))
}

// userToken logs somebody in who manages the page.
func (b *bench) userToken(t *testing.T) string {
	t.Helper()
	b.sandbox.AddUser("4300", "Mia", "500")
	code, err := b.sandbox.Login("4300")
	must(t, err)
	var a struct {
		Token string `json:"access_token"`
	}
	must(t, b.api.Do(t.Context(), exchangeCall(map[string]string{"code": code}), &a))
	return a.Token
}

// manager remembers an account that manages the page, whose token became another one meanwhile.
func (b *bench) manager(t *testing.T) {
	t.Helper()
	must(t, b.store.PutAccount(t.Context(), identity.Account{ASID: "4300", Token: identity.NewToken(b.userToken(t)), Pages: []identity.PageID{"500"}}))
	b.sandbox.AddPage("500", "Fleet", "fresh-page-token")
}

// Tokens of accounts are lengthened while they live; dead ones are dropped.
func TestAccountTokens(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	soon, later := b.clock.now().Add(10*24*time.Hour), b.clock.now().Add(50*24*time.Hour)
	must(t, b.store.PutAccount(t.Context(), identity.Account{ASID: "1", Token: identity.NewToken(b.userToken(t)), Expires: soon}))
	must(t, b.store.PutAccount(t.Context(), identity.Account{ASID: "2", Token: identity.NewToken("dead"), Expires: soon}))
	must(t, b.store.PutAccount(t.Context(), identity.Account{ASID: "3", Token: identity.NewToken("fine"), Expires: later}))
	b.keep(t)
	accounts, err := b.store.Accounts(t.Context())
	must(t, err)
	if a := accounts[0]; !a.Expires.After(later) || a.Token.Empty() {
		t.Errorf("renewed: %+v", a)
	}
	if !accounts[1].Token.Empty() {
		t.Error("a dead token was kept")
	}
	if a := accounts[2]; a.Token.Reveal() != "fine" || !a.Expires.Equal(later) {
		t.Errorf("left alone: %+v", a)
	}
}
