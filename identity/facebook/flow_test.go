package facebook_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
	"outrider/notify"
)

// graphError is an answer of Graph's that refuses.
func graphError(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// on returns a fault for calls to a path that ends so and carry a parameter.
func on(path, param string, answer func(*http.Request) *http.Response) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		if !strings.HasSuffix(r.URL.Path, path) {
			return nil
		}
		if param != "" {
			body := form(r)
			if body.Get(param) == "" {
				return nil
			}
		}
		return answer(r)
	}
}

// form is what a request carries in its body, which stays readable.
func form(r *http.Request) url.Values {
	if r.GetBody == nil {
		return url.Values{}
	}
	again, _ := r.GetBody()
	body, _ := io.ReadAll(again)
	values, _ := url.ParseQuery(string(body))
	return values
}

// refuse repeats every secret that it was sent, as Graph does at times.
func refuse(r *http.Request) *http.Response {
	said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + " " + r.URL.Query().Get("appsecret_proof")
	for _, values := range form(r) {
		said += " " + values[0]
	}
	return graphError(400, `{"error":{"message":"(#100) no: `+said+`","type":"OAuthException","code":100,"fbtrace_id":"Atr"}}`)
}

func overloaded(*http.Request) *http.Response {
	return graphError(500, `{"error":{"message":"(#2) later","type":"OAuthException","code":2,"is_transient":true}}`)
}

func empty(*http.Request) *http.Response { return graphError(200, `{}`) }

// Every step fails in its own way: the person reads what happened, the metrics count where.
func TestEveryStepHasItsOwnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		spoil  func(t *testing.T, b *bench, back string) string // returns where the person goes instead
		status int
		step   facebook.Step
		says   string
	}{
		{"the person says no", func(_ *testing.T, _ *bench, back string) string {
			u, _ := url.Parse(back)
			return u.Scheme + "://" + u.Host + u.Path + "?error=access_denied&error_reason=user_denied&state=" + url.QueryEscape(u.Query().Get("state"))
		}, 403, facebook.StepDialog, "You did not agree"},
		{"the dialog fails", func(_ *testing.T, _ *bench, back string) string {
			return strings.Replace(back, "code=", "error=server&x=", 1)
		},
			502, facebook.StepDialog, "Facebook refused"},
		{"no code", func(_ *testing.T, _ *bench, back string) string { return strings.Replace(back, "code=", "x=", 1) },
			400, facebook.StepDialog, "link is damaged"},
		{"a state somebody made", func(_ *testing.T, _ *bench, back string) string {
			return strings.Replace(back, "state=v1.", "state=v1.AAAA", 1)
		}, 400, facebook.StepDialog, "link is damaged"},
		{"no state", func(_ *testing.T, _ *bench, back string) string { return strings.Replace(back, "state=", "x=", 1) },
			400, facebook.StepDialog, "link is damaged"},
		{"too late", func(_ *testing.T, b *bench, back string) string { b.clock.advance(16 * time.Minute); return back },
			410, facebook.StepDialog, "no longer valid"},
		{"the owner is gone", func(t *testing.T, b *bench, back string) string { b.directory.Load(identity.Records{}); return back },
			404, facebook.StepTicket, "no longer registered"},
		{"a code that was used", func(_ *testing.T, _ *bench, back string) string { return strings.Replace(back, "code=", "code=x", 1) },
			502, facebook.StepCode, "Facebook refused"},
		{"Graph has no time for the code", func(_ *testing.T, b *bench, back string) string {
			b.fault = on("/oauth/access_token", "code", overloaded)
			return back
		}, 503, facebook.StepCode, "does not answer"},
		{"a code without a token", func(_ *testing.T, b *bench, back string) string {
			b.fault = on("/oauth/access_token", "code", empty)
			return back
		}, 502, facebook.StepCode, "Facebook refused"},
		{"no long-lived token", func(_ *testing.T, b *bench, back string) string {
			b.fault = on("/oauth/access_token", "fb_exchange_token", refuse)
			return back
		}, 502, facebook.StepLongLived, "Facebook refused"},
		{"an empty long-lived token", func(_ *testing.T, b *bench, back string) string {
			b.fault = on("/oauth/access_token", "fb_exchange_token", empty)
			return back
		}, 502, facebook.StepLongLived, "Facebook refused"},
		{"nobody", func(_ *testing.T, b *bench, back string) string { b.fault = on("/me", "", empty); return back },
			502, facebook.StepPerson, "Facebook refused"},
		{"the person is refused", func(_ *testing.T, b *bench, back string) string { b.fault = on("/me", "", refuse); return back },
			502, facebook.StepPerson, "Facebook refused"},
		{"nothing can be read", func(_ *testing.T, b *bench, back string) string { _ = b.store.Close(); return back },
			500, facebook.StepTicket, "could not be stored"},
		{"nothing can be stored", func(_ *testing.T, b *bench, back string) string {
			b.fault = on("/me", "", func(*http.Request) *http.Response { _ = b.store.Close(); return nil })
			return back
		}, 500, facebook.StepLink, "could not be stored"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			p := b.person(t)
			p.visit(t, c.spoil(t, b, p.callback(t, p.dialog(t, b.offer(t).LoginURL), "4200")))
			if p.status != c.status || !strings.Contains(p.text, c.says) {
				t.Errorf("%d, want %d and %q:\n%s", p.status, c.status, c.says, p.text)
			}
			if !strings.Contains(p.text, "the step “"+string(c.step)+"” failed") {
				t.Errorf("the page does not name the step %s: %s", c.step, p.text)
			}
			if n := counted(t, b, string(c.step)); n != 1 {
				t.Errorf("counted %v at %s", n, c.step)
			}
			for _, secret := range append(b.tokens(t), secretText, pageToken) {
				if strings.Contains(p.text, secret) || strings.Contains(b.log.String(), secret) {
					t.Errorf("a secret shows on the page or in the log")
				}
			}
		})
	}
}

// tokens are those that were stored for people who logged in.
func (b *bench) tokens(t *testing.T) []string {
	t.Helper()
	accounts, _ := b.store.Accounts(t.Context()) // closed in one case
	var all []string
	for _, a := range accounts {
		all = append(all, a.Token.Reveal())
	}
	return append(all, "EAAuser") // what the sandbox's user tokens begin with
}

// counted is how many ways ended so.
func counted(t *testing.T, b *bench, end string) float64 {
	t.Helper()
	families, err := b.registry.Gather()
	must(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "outrider_logins_total" && m.GetLabel()[0].GetValue() == end {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no count of %s", end)
	return 0
}

// Steps that only help are no reason to give up: the link to Messenger does the same.
func TestWhatMayFail(t *testing.T) {
	t.Parallel()
	for what, fault := range map[string]func(*http.Request) *http.Response{
		"ids_for_pages refused":    on("/ids_for_pages", "", refuse),
		"ids_for_pages overloaded": on("/ids_for_pages", "", overloaded),
		"ids_for_pages odd":        on("/ids_for_pages", "", func(*http.Request) *http.Response { return graphError(200, `{"data":[{"id":null,"page":{"id":500}}]}`) }),
		"another page's id": on("/ids_for_pages", "", func(*http.Request) *http.Response {
			return graphError(200, `{"data":[{"id":"7","page":{"id":"501"}}]}`)
		}),
		"the person's own id": on("/ids_for_pages", "", func(*http.Request) *http.Response {
			return graphError(200, `{"data":[{"id":"4200","page":{"id":"500"}}]}`)
		}),
		"accounts refused": on("/accounts", "", refuse),
	} {
		b := setup(t, nil)
		p := b.person(t)
		back := p.callback(t, p.dialog(t, b.offer(t).LoginURL), "4200")
		b.fault = fault
		p.visit(t, back)
		if p.status != 200 || !strings.Contains(p.text, "One more step") {
			t.Errorf("%s: %d %s", what, p.status, p.text)
		}
		accounts, err := b.store.Accounts(t.Context())
		must(t, err)
		if len(accounts) != 1 || accounts[0].ASID != "4200" || !accounts[0].Token.Empty() {
			t.Errorf("%s: accounts %+v", what, accounts)
		}
	}
}

// The page's own token is tried when Graph does not take the app's.
func TestMatchingWithThePageToken(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	must(t, b.sandbox.Link("4200", "500", "7001"))
	p := b.person(t)
	back := p.callback(t, p.dialog(t, b.offer(t).LoginURL), "4200")
	b.fault = func(r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, "/ids_for_pages") && strings.Contains(r.Header.Get("Authorization"), "|") {
			return refuse(r)
		}
		return nil
	}
	if p.visit(t, back); !strings.Contains(p.text, "You are connected") {
		t.Errorf("%d %s", p.status, p.text)
	}
}

// The dialog's answer counts in the browser that asked, and nowhere else.
func TestStateBelongsToTheBrowser(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ann, eve := b.person(t), b.person(t)
	login := b.offer(t).LoginURL
	back := ann.callback(t, ann.dialog(t, login), "4200")
	if eve.visit(t, back); eve.status != 400 || !strings.Contains(eve.text, "another browser") {
		t.Errorf("without a cookie: %d %s", eve.status, eve.text)
	}
	eve.dialog(t, login)
	if eve.visit(t, back); eve.status != 400 {
		t.Errorf("with a cookie of its own: %d", eve.status)
	}
	ann.dialog(t, login) // a second tab
	if ann.visit(t, back); ann.status != 200 {
		t.Errorf("in the browser that asked: %d %s", ann.status, ann.text)
	}
}

func TestTicketsAreForOneThing(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	p := b.person(t)
	offer := b.offer(t)
	u, err := url.Parse(offer.LoginURL)
	must(t, err)
	state := p.dialog(t, offer.LoginURL).Get("state")
	ticket := u.Query().Get("t")
	for _, c := range []struct {
		what, address string
		status        int
	}{
		{"a state to begin with", b.public + facebook.Path + "start?t=" + url.QueryEscape(state), 400},
		{"a ticket as state", b.public + facebook.Path + "callback?code=x&state=" + url.QueryEscape(ticket), 400},
		{"a ticket as receipt", b.public + facebook.Path + "status?t=" + url.QueryEscape(ticket), 400},
		{"nothing", b.public + facebook.Path + "start", 400},
		{"half a ticket", b.public + facebook.Path + "start?t=" + url.QueryEscape(ticket[:len(ticket)/2]), 400},
		{"the ticket itself", offer.LoginURL, 200},
	} {
		if p.visit(t, c.address); p.status != c.status {
			t.Errorf("%s: %d, want %d", c.what, p.status, c.status)
		}
	}
	b.clock.advance(facebook.DefaultCodeLife)
	for _, page := range []string{"start", "messenger"} {
		if p.visit(t, strings.Replace(offer.LoginURL, "start", page, 1)); p.status != 410 {
			t.Errorf("%s after its time: %d", page, p.status)
		}
	}
}

// Straight to Messenger, without a login: a fresh code each time.
func TestStraightToMessenger(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *facebook.Options) { o.AppID = "" })
	p := b.person(t)
	p.visit(t, b.offer(t).LoginURL)
	if strings.Contains(p.text, "Continue with Facebook") {
		t.Error("a login is offered that cannot be")
	}
	if !strings.Contains(p.text, "Ann &lt;b&gt;") {
		t.Errorf("names are not escaped: %s", p.text)
	}
	open := p.link(t, "Open Messenger")
	seen := map[string]bool{}
	for range 2 {
		p.visit(t, open)
		u, err := url.Parse(p.to)
		must(t, err)
		ref := u.Query().Get("ref")
		if p.status != 303 || u.Host != "m.me" || u.Path != "/500" || len(ref) < 26 || seen[ref] {
			t.Errorf("%d to %s", p.status, p.to)
		}
		seen[ref] = true
		c, err := b.store.LinkCode(t.Context(), identity.HashCode(ref))
		must(t, err)
		if c.Owner != "ann" || c.Page != "500" || c.State(b.clock.now()) != identity.CodeOpen {
			t.Errorf("kept %+v", c)
		}
	}
}

// Without a public address there is nothing but the link to Messenger.
func TestNothingSetUp(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *facebook.Options) { o.PublicURL = nil })
	if o := b.offer(t); o.LoginURL != "" || !strings.HasPrefix(o.URL, "https://m.me/500?ref=") || !strings.HasSuffix(o.URL, o.Code.Reveal()) {
		t.Errorf("offer %+v", o)
	}
	if _, _, err := b.Connect("acme", "500"); err == nil {
		t.Error("a page can be connected without a login")
	}
}

// What the dialog asks for depends on who comes.
func TestWhatTheDialogAsksFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		change func(*facebook.Options)
		page   bool
		want   map[string]string
	}{
		{"owner", nil, false, map[string]string{"scope": "public_profile", "client_id": "1000", "response_type": "code"}},
		{"owner, Login Connect", func(o *facebook.Options) { o.LoginConnect = true }, false,
			map[string]string{"scope": "public_profile,user_messenger_contact", "messenger_page_id": "500"}},
		{"page", nil, true, map[string]string{"scope": strings.Join(facebook.PageScopes(), ",")}},
		{"page, for business", func(o *facebook.Options) { o.ConfigID = "77" }, true, map[string]string{"scope": "", "config_id": "77"}},
	} {
		b := setup(t, c.change)
		login := b.offer(t).LoginURL
		if c.page {
			var err error
			login, _, err = b.Connect("acme", "500")
			must(t, err)
		}
		q := b.person(t).dialog(t, login)
		for name, want := range c.want {
			if q.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", c.what, name, q.Get(name), want)
			}
		}
	}
}

// Who connects a page must manage it, may write for it, and must grant what is needed.
func TestConnectingAPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what    string
		prepare func(*bench)
		status  int
		says    string
	}{
		{"a manager", func(*bench) {}, 200, "The page is connected"},
		{"somebody else", func(b *bench) { b.sandbox.AddUser("4200", "Ann") }, 403, "does not manage the page Fleet"},
		{"without the task", func(b *bench) { _ = b.sandbox.SetTasks("4200", "ANALYZE") }, 403, "may not send messages"},
		{"without a permission", func(b *bench) { b.sandbox.Grant("pages_messaging", "pages_manage_metadata") }, 403, "permission that is needed"},
		{"with the other spelling", func(b *bench) {
			b.sandbox.Grant("pages_messaging", "pages_manage_metadata", "page_utility_messaging")
		}, 200, "The page is connected"},
		{"through a business", func(b *bench) {
			b.fault = on("/accounts", "", func(*http.Request) *http.Response { return graphError(200, `{"data":[]}`) })
		}, 200, "The page is connected"},
		{"no accounts", func(b *bench) { b.fault = on("/accounts", "", refuse) }, 502, "Facebook refused"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.sandbox.AddUser("4200", "Ann", "500")
			b.sandbox.AddPage("500", "Fleet", "fresh-page-token")
			c.prepare(b)
			login, _, err := b.Connect("acme", "500")
			must(t, err)
			p := b.person(t)
			p.visit(t, p.callback(t, p.dialog(t, login), "4200"))
			if p.status != c.status || !strings.Contains(p.text, c.says) {
				t.Errorf("%d %s", p.status, p.text)
			}
			page, _ := b.directory.Page("500")
			if fresh := page.AccessToken.Reveal() == "fresh-page-token"; fresh != (c.status == 200) {
				t.Errorf("token stored: %v", fresh)
			}
		})
	}
}

// An owner who manages pages of the tenant renews their tokens by the way.
func TestOwnerWhoManagesPages(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.sandbox.AddUser("4200", "Ann", "500", "501")
	b.sandbox.AddPage("500", "Fleet", "fresh-page-token")
	b.sandbox.AddPage("501", "Not registered here", "other-token")
	p := b.person(t)
	p.visit(t, p.callback(t, p.dialog(t, b.offer(t).LoginURL), "4200"))
	if page, _ := b.directory.Page("500"); page.AccessToken.Reveal() != "fresh-page-token" {
		t.Error("the fresher token was not taken")
	}
	if _, known := b.directory.Page("501"); known {
		t.Error("a page nobody registered was")
	}
	accounts, err := b.store.Accounts(t.Context())
	must(t, err)
	if len(accounts) != 1 || len(accounts[0].Pages) != 1 || accounts[0].Pages[0] != "500" || accounts[0].Token.Empty() ||
		accounts[0].Expires.Before(b.clock.now().Add(50*24*time.Hour)) {
		t.Errorf("accounts %+v", accounts)
	}
}

// A link is for one person: once somebody is the owner by it, it leads nowhere any more, in whatever way it was used.
func TestALinkIsUsedOnce(t *testing.T) {
	t.Parallel()
	for what, use := range map[string]func(*testing.T, *bench, identity.LinkOffer){
		"matched": func(t *testing.T, b *bench, o identity.LinkOffer) {
			must(t, b.sandbox.Link("4200", "500", "7001"))
			p := b.person(t)
			if p.visit(t, p.callback(t, p.dialog(t, o.LoginURL), "4200")); !strings.Contains(p.text, "You are connected") {
				t.Fatalf("%d %s", p.status, p.text)
			}
		},
		"by the code itself": func(t *testing.T, b *bench, o identity.LinkOffer) { b.bring(t, o.Code.Reveal()) },
		"by the code after a login": func(t *testing.T, b *bench, o identity.LinkOffer) {
			p := b.person(t)
			p.visit(t, p.callback(t, p.dialog(t, o.LoginURL), "4200"))
			u, err := url.Parse(p.link(t, "Open Messenger"))
			must(t, err)
			b.bring(t, u.Query().Get("ref"))
		},
		"by the code without a login": func(t *testing.T, b *bench, o identity.LinkOffer) {
			p := b.person(t)
			p.visit(t, p.visit(t, o.LoginURL).link(t, "Open Messenger"))
			u, err := url.Parse(p.to)
			must(t, err)
			b.bring(t, u.Query().Get("ref"))
		},
	} {
		b := setup(t, nil)
		offer := b.offer(t)
		late := b.person(t)
		back := late.callback(t, late.dialog(t, offer.LoginURL), "4200") // begun before, and ends after
		use(t, b, offer)
		for _, address := range []string{offer.LoginURL, strings.Replace(offer.LoginURL, "start", "messenger", 1), back} {
			if late.visit(t, address); late.status != 410 || !strings.Contains(late.text, "was used before") {
				t.Errorf("%s: %d %s", what, late.status, late.text)
			}
		}
	}
}

// bring is somebody who comes to the page with a code.
func (b *bench) bring(t *testing.T, code string) {
	t.Helper()
	r, err := b.store.Receive(t.Context(), []notify.ThreadEvent{{
		Key: code, Page: "500", PSID: "7009", Time: b.clock.now(), Kind: notify.ThreadAction, Code: identity.HashCode(code),
	}})
	must(t, err)
	if len(r.Linked) != 1 {
		t.Fatalf("nobody was linked: %+v", r)
	}
}
