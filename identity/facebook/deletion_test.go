package facebook_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
)

// callBack posts a signed request as Meta does.
func (b *bench) callBack(t *testing.T, page, signed string) (status int, answer map[string]string) {
	t.Helper()
	res, err := http.PostForm(b.public+facebook.Path+page, url.Values{"signed_request": {signed}})
	must(t, err)
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&answer)
	return res.StatusCode, answer
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	secret := identity.NewToken(secretText)
	must(t, b.store.PutAccount(t.Context(), identity.Account{ASID: "4200", Token: identity.NewToken("EAAuser-of-the-test")}))
	must(t, b.store.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "500", PSID: "7001", ASID: "4200", At: b.clock.now()}))
	must(t, b.reload(t.Context()))
	good := facebook.SignRequest("4200", secret, b.clock.now())
	for _, page := range []string{"deauthorize", "deletion"} {
		for what, text := range map[string]string{
			"forged": facebook.SignRequest("4200", identity.NewToken("other"), b.clock.now()), "empty": "", "cut": good[:len(good)-3],
			"old": facebook.SignRequest("4200", secret, b.clock.now().Add(-8*24*time.Hour)),
		} {
			if status, _ := b.callBack(t, page, text); status != 400 {
				t.Errorf("%s, %s: %d", page, what, status)
			}
		}
	}
	owner := func() identity.Owner { o, _ := b.directory.Owner("acme", "ann"); return o }
	if accounts, _ := b.store.Accounts(t.Context()); len(owner().Contacts) != 1 || accounts[0].Token.Empty() {
		t.Fatal("something was deleted that nobody asked for")
	}
	if status, _ := b.callBack(t, "deauthorize", good); status != 200 {
		t.Errorf("deauthorise: %d", status)
	}
	accounts, err := b.store.Accounts(t.Context())
	must(t, err)
	if len(accounts) != 1 || !accounts[0].Token.Empty() || len(owner().Contacts) != 1 {
		t.Errorf("after deauthorising: %+v, %+v", accounts, owner())
	}
	status, answer := b.callBack(t, "deletion", good)
	if status != 200 || answer["confirmation_code"] == "" || !strings.HasPrefix(answer["url"], b.public+facebook.Path+"deletion?code=") {
		t.Fatalf("deletion: %d %v", status, answer)
	}
	accounts, err = b.store.Accounts(t.Context())
	must(t, err)
	if len(accounts) != 0 || len(owner().Contacts) != 0 {
		t.Errorf("after deletion: %+v, %+v", accounts, owner())
	}
	p := b.person(t)
	if p.visit(t, answer["url"]); p.status != 200 || !strings.Contains(p.text, "Thu, 26 Nov 2026 12:00:00 UTC") || !strings.Contains(p.text, "1 ways to reach you") {
		t.Errorf("status page: %d %s", p.status, p.text)
	}
	_, again := b.callBack(t, "deletion", good)
	if p.visit(t, again["url"]); p.status != 200 || !strings.Contains(p.text, "found none") {
		t.Errorf("a stranger's status page: %d %s", p.status, p.text)
	}
	for _, secret := range []string{"4200", "7001", good, answer["confirmation_code"], secretText} {
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("the log names %q", secret)
		}
	}
}

// Without an app secret nothing can be verified, so nothing is done.
func TestCallbacksWithoutSecret(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *facebook.Options) { o.AppSecret = identity.Token{} })
	for _, page := range []string{"deauthorize", "deletion"} {
		if status, _ := b.callBack(t, page, facebook.SignRequest("4200", identity.Token{}, b.clock.now())); status != 403 {
			t.Errorf("%s: %d", page, status)
		}
	}
}
