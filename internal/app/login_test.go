package app_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/notify"
	"outrider/simulator/graph"
)

// browser is a person with a browser: it keeps cookies, follows redirects, and remembers everything it saw.
type browser struct {
	client *http.Client
	at     *url.URL
	text   string   // of the page it shows
	seen   []string // every page and every address
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	b := &browser{}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		b.seen = append(b.seen, r.URL.String())
		return nil
	}}
	return b
}

// visit opens an address and returns the status of the page it ends at.
func (b *browser) visit(t *testing.T, address string) int {
	t.Helper()
	res, err := b.client.Get(address)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	b.at, b.text = res.Request.URL, html.UnescapeString(string(body))
	b.seen = append(b.seen, b.at.String(), b.text)
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s has the policy %q", b.at.Path, policy)
	}
	return res.StatusCode
}

var anchor = regexp.MustCompile(`<a[^>]* href="([^"]*)"[^>]*>([^<]*)</a>`)

// click follows the link whose label begins so.
func (b *browser) click(t *testing.T, label string) int {
	t.Helper()
	for _, a := range anchor.FindAllStringSubmatch(b.text, -1) {
		if strings.HasPrefix(a[2], label) {
			to, err := b.at.Parse(a[1])
			must(t, err)
			return b.visit(t, to.String())
		}
	}
	t.Fatalf("there is no link %q on %s:\n%s", label, b.at.Path, b.text)
	return 0
}

// shows fails unless the page says so.
func (b *browser) shows(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(b.text, text) {
		t.Fatalf("%s does not say %q:\n%s", b.at.Path, text, b.text)
	}
}

// unlinked is a rig with an owner whom nobody can reach yet, an alert that waits for that, and a user of Facebook.
func unlinked(t *testing.T, settings map[string]string) (*rig, *browser) {
	t.Helper()
	r := newRig(t, settings)
	r.sandbox.AddUser("4200", "Ann")
	r.call(t, http.MethodPut, "owners/ann", map[string]any{"name": "Ann", "time_zone": "Europe/Berlin"}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/van-1", map[string]any{"name": "Van", "owner": "ann"}, http.StatusOK)
	r.circle(t, "depot", 11.5, 48.1)
	driveThrough(t, r.connect(t, "van-1"), "fleet/default/van-1/fix", 11.5, 48.1)
	eventually(t, "the step", func() bool {
		d := r.items(t, "deliveries")
		return len(d) == 2 && d[0]["reason"] == "no_contact" && d[1]["reason"] == "no_contact"
	})
	return r, newBrowser(t)
}

// offer asks the API for a link for ann.
func (r *rig) offer(t *testing.T, body string) map[string]any {
	t.Helper()
	return r.call(t, http.MethodPost, "owners/ann/links", body, http.StatusCreated)
}

// told waits until a person got the two alerts that waited.
func (r *rig) told(t *testing.T, psid string) {
	t.Helper()
	eventually(t, "the step", func() bool {
		for _, m := range r.sandbox.Thread(page, psid) {
			if strings.Contains(m.Text, "The depot") {
				return true
			}
		}
		return false
	})
}

// reached is the person whom ann's contact names; empty: nobody.
func (r *rig) reached(t *testing.T) string {
	t.Helper()
	contacts, _ := r.call(t, http.MethodGet, "owners/ann", nil, http.StatusOK)["contacts"].([]any)
	if len(contacts) != 1 {
		return ""
	}
	return contacts[0].(map[string]any)["psid"].(string)
}

// The usual way: the owner logs in, Graph does not know the conversation, and the link to Messenger does the rest.
func TestOwnerLogsInAndFollowsTheLink(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, nil)
	login := r.offer(t, `{"vehicle":"van-2"}`)["login_url"].(string)
	b.visit(t, login)
	b.shows(t, "Alerts from Fleet in Messenger")
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Ann")
	b.shows(t, "One more step")
	done := b.text
	b.click(t, "I have done that")
	b.shows(t, "Not yet")
	b.text = done
	b.click(t, "Open Messenger")
	b.click(t, "Somebody who never wrote")
	b.shows(t, "The conversation is open")
	eventually(t, "the step", func() bool { return r.reached(t) != "" })
	r.told(t, r.reached(t))
	b.text = done
	b.click(t, "I have done that")
	b.shows(t, "You are connected")
	if v := r.call(t, http.MethodGet, "vehicles/van-2", nil, http.StatusOK); v["owner"] != "ann" {
		t.Errorf("the vehicle of the link: %v", v)
	}
}

// Meta's webhooks come twice, out of order, with times in seconds and numbers for ids: the owner is linked once.
func TestOwnerFollowsTheLinkThroughEveryFault(t *testing.T) {
	t.Parallel()
	r, _ := unlinked(t, nil)
	r.sandbox.SetFaults(graph.Faults{Duplicate: 1, Seconds: 1, NumericIDs: 1, Reorder: 0.5})
	psid := mustPerson(t, r)
	must(t, r.sandbox.Follow(page, psid, r.offer(t, `{}`)["code"].(string)))
	for _, text := range []string{"hello", "where is it?", "hello?"} {
		_, err := r.sandbox.Say(page, psid, text)
		must(t, err)
	}
	eventually(t, "linked", func() bool { return r.reached(t) == psid })
	r.told(t, psid)
	must(t, r.sandbox.WaitWebhooks(t.Context()))
	seen := map[string]bool{}
	for _, m := range r.sandbox.Thread(page, psid) {
		if seen[m.Text] {
			t.Errorf("told twice: %q", m.Text)
		}
		seen[m.Text] = true
	}
}

// Somebody who has written before needs no login: the link reports a referral from the conversation that exists.
func TestOwnerFollowsTheLinkFromAnOldConversation(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, nil)
	must(t, r.sandbox.AddPerson(page, "7001", "Ann"))
	_, err := r.sandbox.Say(page, "7001", "hello")
	must(t, err)
	offer := r.offer(t, `{}`)
	b.visit(t, offer["url"].(string))
	b.click(t, "Ann (7001)")
	eventually(t, "the step", func() bool { return r.reached(t) == "7001" })
	r.told(t, "7001")

	// The code worked once.
	must(t, r.sandbox.AddPerson(page, "7002", "Eve"))
	b.visit(t, offer["url"].(string))
	b.click(t, "Eve (7002)")
	must(t, r.sandbox.WaitWebhooks(t.Context()))
	if got := r.reached(t); got != "7001" {
		t.Errorf("a used code linked %s", got)
	}
}

// Where Graph knows the conversation, the login is all.
func TestOwnerIsMatched(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, nil)
	must(t, r.sandbox.AddPerson(page, "7001", "Ann"))
	must(t, r.sandbox.Link("4200", page, "7001"))
	_, err := r.sandbox.Say(page, "7001", "hello")
	must(t, err)
	b.visit(t, r.offer(t, `{}`)["login_url"].(string))
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Ann")
	b.shows(t, "You are connected")
	if got := r.reached(t); got != "7001" {
		t.Errorf("linked %q", got)
	}
	r.told(t, "7001")
}

// In Europe and Japan no ids are matched, whatever was said before.
func TestOwnerInEuropeIsNotMatched(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, nil)
	must(t, r.sandbox.AddPerson(page, "7001", "Ann"))
	must(t, r.sandbox.Link("4200", page, "7001"))
	must(t, r.sandbox.Unmatched("4200"))
	b.visit(t, r.offer(t, `{}`)["login_url"].(string))
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Ann")
	b.shows(t, "One more step")
}

// Login Connect: the page writes first, and the tap on its button tells who the person is.
func TestOwnerLetsThePageWriteFirst(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, map[string]string{"facebook.login_connect": "true"})
	b.visit(t, r.offer(t, `{}`)["login_url"].(string))
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Ann, and let the page write to me")
	b.shows(t, "One more step")
	m, err := r.sandbox.WaitFor(t.Context(), func(m graph.Message) bool { return len(m.Buttons) > 0 && m.Buttons[0].Title == "Yes, please" })
	must(t, err)
	if !strings.Contains(m.Text, "Fleet can send you alerts about the vehicles of Ann") {
		t.Errorf("greeting: %q", m.Text)
	}
	must(t, r.sandbox.Tap(page, m.PSID, m.Buttons[0].Payload))
	eventually(t, "the step", func() bool { return r.reached(t) == m.PSID })
	r.told(t, m.PSID)
}

// Somebody who manages the page connects it: its token is fetched, stored and used.
func TestPageIsConnected(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t)
	r.sandbox.AddPage("555", "Second fleet", "second-page-token")
	must(t, r.sandbox.Unsubscribe("555"))
	r.sandbox.AddUser("4300", "Mia", "555")
	r.sandbox.AddUser("4301", "Stranger")
	login := r.call(t, http.MethodPost, "pages/555/connect", nil, http.StatusCreated)["login_url"].(string)
	b.visit(t, login)
	b.shows(t, "Connect the page 555")
	b.click(t, "Continue with Facebook")
	if status := b.click(t, "Continue as Stranger"); status != http.StatusForbidden {
		t.Errorf("a stranger: %d", status)
	}
	b.shows(t, "does not manage the page")
	b.click(t, "Try again")
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Mia")
	b.shows(t, "The page is connected")
	if p := r.call(t, http.MethodGet, "pages/555", nil, http.StatusOK); p["has_token"] != true || p["name"] != "Second fleet" {
		t.Errorf("page: %v", p)
	}
	eventually(t, "the step", func() bool {
		h, _ := r.call(t, http.MethodGet, "pages/555", nil, http.StatusOK)["health"].(map[string]any)
		return h["token_valid"] == true && h["subscribed"] != nil
	})
	must(t, r.sandbox.AddPerson("555", "8001", "Zoe"))
	r.call(t, http.MethodPut, "owners/ann", map[string]any{"name": "Ann"}, http.StatusOK)
	must(t, r.sandbox.Follow("555", "8001", r.offer(t, `{"page":"555"}`)["code"].(string))) // only a subscribed page hears of it
	eventually(t, "the step", func() bool { return r.reached(t) == "8001" })
}

// A person who wants to be forgotten is forgotten, and can read so.
func TestDataIsDeleted(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, nil)
	must(t, r.sandbox.AddPerson(page, "7001", "Ann"))
	must(t, r.sandbox.Link("4200", page, "7001"))
	r.sandbox.SetCallbacks(r.url("/auth/facebook/deauthorize"), r.url("/auth/facebook/deletion"))
	b.visit(t, r.offer(t, `{}`)["login_url"].(string))
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Ann")
	b.shows(t, "You are connected")
	must(t, r.sandbox.RemoveApp(t.Context(), "4200"))
	b.visit(t, r.meta+"/settings/apps")
	b.click(t, "Ann: ask the app to delete my data")
	b.click(t, "What the app says")
	b.shows(t, "Your data was deleted")
	if got := r.reached(t); got != "" {
		t.Errorf("still linked to %s", got)
	}
	for _, d := range r.items(t, "deliveries") {
		if d["psid"] != nil && d["psid"] != "" {
			t.Errorf("a delivery still names the person: %v", d)
		}
	}
	if status := b.visit(t, r.url("/auth/facebook/deletion?code=unknown")); status != http.StatusNotFound {
		t.Errorf("an unknown code: %d", status)
	}
}

// Whoever connected a page and removes the app takes the page's token along; that is known at once.
func TestPageTokenDiesWithItsManager(t *testing.T) {
	t.Parallel()
	r, b := newRig(t, nil), newBrowser(t)
	r.sandbox.AddUser("4300", "Mia", page)
	r.sandbox.SetCallbacks(r.url("/auth/facebook/deauthorize"), r.url("/auth/facebook/deletion"))
	b.visit(t, r.call(t, http.MethodPost, "pages/"+page+"/connect", nil, http.StatusCreated)["login_url"].(string))
	b.click(t, "Continue with Facebook")
	b.click(t, "Continue as Mia")
	health := func() map[string]any {
		h, _ := r.call(t, http.MethodGet, "pages/"+page, nil, http.StatusOK)["health"].(map[string]any)
		return h
	}
	eventually(t, "the token is checked", func() bool { return health()["token_valid"] == true })
	must(t, r.sandbox.RemoveApp(t.Context(), "4300"))
	eventually(t, "its death is known", func() bool {
		return health()["token_valid"] == false && strings.Contains(health()["problem"].(string), "has not authorized")
	})
}

// ear hears what people say.
type ear chan notify.Said

func (e ear) Hear(_ context.Context, w notify.Said) error { e <- w; return nil }

// What people say reaches a listener in order, also what was said while nobody listened to the process before.
func TestListenerHears(t *testing.T) {
	t.Parallel()
	heard := make(ear, 10)
	r := newRig(t, nil, func(o *app.Options) { o.Listener = heard })
	must(t, r.sandbox.AddPerson(page, "7001", "Ann"))
	_, err := r.sandbox.Say(page, "7001", "where is my van?")
	must(t, err)
	must(t, r.sandbox.Tap(page, "7001", "WHERE:van"))
	for _, want := range []string{"text where is my van? ", "postback WHERE:van WHERE:van"} {
		select {
		case w := <-heard:
			if got := string(w.Kind) + " " + w.Text + " " + w.Payload; got != want || w.PSID != "7001" || w.Page != page {
				t.Errorf("heard %q of %s, want %q", got, w.PSID, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never heard %q", want)
		}
	}
}

// Meta's policy enforcement stops a page until Meta lifts it.
func TestPolicyEnforcementStopsThePage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van-1", "ann", "7001")
	_, err := r.sandbox.Say(page, "7001", "hello")
	must(t, err)
	must(t, r.sandbox.Enforce(page, "block", "spam"))
	eventually(t, "the step", func() bool {
		return r.call(t, http.MethodGet, "pages/"+page, nil, http.StatusOK)["block_reason"] == "spam"
	})
	r.circle(t, "depot", 11.5, 48.1)
	driveThrough(t, r.connect(t, "van-1"), "fleet/default/van-1/fix", 11.5, 48.1)
	eventually(t, "the step", func() bool {
		d := r.items(t, "deliveries")
		return len(d) == 2 && d[0]["reason"] == "page_blocked" && d[1]["reason"] == "page_blocked"
	})
	must(t, r.sandbox.Enforce(page, "unblock", ""))
	r.told(t, "7001")
}

// Nothing that is a secret shows where people look: over every way of logging in, with every step failing once.
func TestNoSecretShows(t *testing.T) {
	t.Parallel()
	r, b := unlinked(t, map[string]string{"facebook.login_connect": "true"})
	r.sandbox.AddUser("4300", "Mia", page)
	var given []string // tickets and codes, which are for the browser and nobody else
	walk := func(login, as string) {
		given = append(given, login[strings.Index(login, "v1."):])
		b.visit(t, login)
		b.click(t, "Continue with Facebook")
		given = append(given, b.at.Query().Get("state"))
		b.click(t, as)
	}
	offer := r.offer(t, `{}`)
	given = append(given, offer["code"].(string))
	walk(offer["login_url"].(string), "Continue as Ann, and let")
	walk(r.offer(t, `{}`)["login_url"].(string), "Cancel")
	walk(r.call(t, http.MethodPost, "pages/"+page+"/connect", nil, http.StatusCreated)["login_url"].(string), "Continue as Mia")
	b.shows(t, "The page is connected")
	b.visit(t, r.url("/auth/facebook/callback?code=AQsecretcode&state=v1.forged"))
	r.sandbox.Grant()
	walk(r.call(t, http.MethodPost, "pages/"+page+"/connect", nil, http.StatusCreated)["login_url"].(string), "Continue as Mia")
	b.shows(t, "permission that is needed")
	r.sandbox.RevokeToken(token, 460)
	walk(r.offer(t, `{}`)["login_url"].(string), "Continue as Ann")
	r.sandbox.SetCallbacks(r.url("/auth/facebook/deauthorize"), r.url("/auth/facebook/deletion"))
	must(t, r.sandbox.RemoveApp(t.Context(), "4200"))
	forgotten, err := r.sandbox.RequestDeletion(t.Context(), "4200")
	must(t, err)
	given = append(given, forgotten.Code)
	must(t, r.sandbox.Follow(page, mustPerson(t, r), offer["code"].(string)))
	must(t, r.sandbox.WaitWebhooks(t.Context()))

	shown := strings.Join(b.seen, "\n")
	for _, path := range []string{"owners", "owners/ann", "pages", "pages/" + page, "deliveries", "vehicles"} {
		shown += r.raw(t, "/api/v1/"+path)
	}
	shown += r.raw(t, "/metrics")
	log := r.log.String()
	if !strings.Contains(log, "login ended") || !strings.Contains(log, "a person's data was deleted") {
		t.Fatalf("the hunt is in the wrong place:\n%s", log)
	}
	secrets := append(r.sandbox.Tokens(), "app-secret-of-the-test", "verify-token-of-the-test", key)
	if len(secrets) < 6 {
		t.Fatalf("the sandbox gave out %d tokens only", len(secrets))
	}
	for _, secret := range secrets {
		if strings.Contains(shown, secret) {
			t.Errorf("a page, an address or the API shows a secret that begins with %.6s", secret)
		}
	}
	for _, secret := range append(secrets, append(given, "AQsecretcode", "signed_request", "appsecret_proof")...) {
		if secret != "" && strings.Contains(log, secret) {
			t.Errorf("the log holds a secret that begins with %.12s", secret)
		}
	}
}

// mustPerson is somebody who never wrote to the page.
func mustPerson(t *testing.T, r *rig) string {
	t.Helper()
	psid, err := r.sandbox.NewPerson(page, "Late")
	must(t, err)
	return psid
}

// raw is an answer as it comes.
func (r *rig) raw(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url(path), nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return string(body)
}
