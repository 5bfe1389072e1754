package messenger_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/identity"
	"outrider/notify"
	"outrider/notify/messenger"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// inbox keeps what it receives.
type inbox struct {
	mu     sync.Mutex
	calls  int
	events []notify.ThreadEvent
	fail   error
	answer notify.Received
}

func (b *inbox) Receive(_ context.Context, events []notify.ThreadEvent) (notify.Received, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	b.events = append(b.events, events...)
	b.answer.Fresh = len(events)
	return b.answer, b.fail
}

func (b *inbox) LastAction(context.Context, identity.PageID, identity.PSID) (time.Time, error) {
	return time.Time{}, nil
}

type hook struct {
	*messenger.Webhook
	inbox    *inbox
	woken    []identity.PageID
	registry *prometheus.Registry
}

func newHook(change func(*messenger.WebhookOptions)) *hook {
	h := &hook{inbox: &inbox{}, registry: prometheus.NewRegistry()}
	o := messenger.WebhookOptions{VerifyToken: identity.NewToken("verify me"), AppSecret: identity.NewToken("s3cr3t"),
		Inbox: h.inbox, Now: func() time.Time { return noon }, Registerer: h.registry,
		Wake: func(p identity.PageID) { h.woken = append(h.woken, p) }}
	if change != nil {
		change(&o)
	}
	h.Webhook = messenger.NewWebhook(o)
	return h
}

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (h *hook) post(body, signature string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/webhook/messenger", strings.NewReader(body))
	if signature != "" {
		r.Header.Set("X-Hub-Signature-256", signature)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// tell posts a signed webhook that must be taken.
func (h *hook) tell(t *testing.T, body string) []notify.ThreadEvent {
	t.Helper()
	if w := h.post(body, sign("s3cr3t", body)); w.Code != 200 {
		t.Fatalf("status %d for %s", w.Code, body)
	}
	return h.inbox.events
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, query string
		change      func(*messenger.WebhookOptions)
		status      int
		body        string
	}{
		{"right", "hub.mode=subscribe&hub.verify_token=verify+me&hub.challenge=1158201444", nil, 200, "1158201444"},
		{"wrong token", "hub.mode=subscribe&hub.verify_token=verify+mE&hub.challenge=1", nil, 403, ""},
		{"no token", "hub.mode=subscribe&hub.challenge=1", nil, 403, ""},
		{"another mode", "hub.mode=unsubscribe&hub.verify_token=verify+me&hub.challenge=1", nil, 403, ""},
		{"empty token is never right", "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
			func(o *messenger.WebhookOptions) { o.VerifyToken = identity.Token{} }, 403, ""},
	} {
		h := newHook(c.change)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/webhook/messenger?"+c.query, nil))
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s: %d %q", c.what, w.Code, w.Body)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: the challenge is sent as HTML", c.what)
		}
	}
}

// The signatures were computed by hand, over bytes with escapes as Meta writes them.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	const escaped, signature = `{"t":"\u00e4\u00f6\u00e5"}`, "sha256=85a35d1218b13f4e48f2cec84e6a825ed143c9ce2cc1a74f5bb60fdb4fd5584d"
	h := newHook(nil)
	if w := h.post(escaped, signature); w.Code != 200 {
		t.Errorf("as Meta writes it: %d", w.Code)
	}
	if w := h.post(`{"t":"äöå"}`, signature); w.Code != 403 {
		t.Errorf("the same JSON, written otherwise: %d", w.Code)
	}
	sesame := newHook(func(o *messenger.WebhookOptions) { o.AppSecret = identity.NewToken("sesame") })
	if w := sesame.post("hello world", "sha256=f39034b29165ec6a5104d9aef27266484ab26c8caa7bca8bcb2dd02e8be61b17"); w.Code != 400 {
		t.Errorf("signed, but not JSON: %d", w.Code)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	const body = `{"object":"page","entry":[{"id":"111","time":1,"messaging":[{"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1,"message":{"mid":"m_1","text":"hi"}}]}]}`
	for _, c := range []struct {
		what, body, signature string
		change                func(*messenger.WebhookOptions)
		fail                  error
		status                int
		reason                string
	}{
		{"no signature", body, "", nil, nil, 401, "no_signature"},
		{"of another secret", body, sign("other", body), nil, nil, 403, "signature"},
		{"of another body", body + " ", sign("s3cr3t", body), nil, nil, 403, "signature"},
		{"not hexadecimal", body, "sha256=xyz", nil, nil, 403, "signature"},
		{"the old kind", body, "sha1=" + strings.TrimPrefix(sign("s3cr3t", body), "sha256="), nil, nil, 403, "signature"},
		{"no app secret", body, sign("", body), func(o *messenger.WebhookOptions) { o.AppSecret = identity.Token{} }, nil, 403, "no_app_secret"},
		{"too large", strings.Repeat(" ", 1<<20+1), "sha256=00", nil, nil, 413, "too_large"},
		{"not stored", body, sign("s3cr3t", body), nil, errors.New("disk full"), 500, "store"},
		{"not JSON", "{", sign("s3cr3t", "{"), nil, nil, 400, "malformed"},
		{"not an object", "[]", sign("s3cr3t", "[]"), nil, nil, 400, "malformed"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			h := newHook(c.change)
			h.inbox.fail = c.fail
			if w := h.post(c.body, c.signature); w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if c.fail == nil && h.inbox.calls != 0 {
				t.Error("something was stored")
			}
			if len(h.woken) > 0 {
				t.Error("a page was woken")
			}
			want := fmt.Sprintf("# HELP outrider_webhook_refused_total Requests to the webhook that were refused, by reason.\n"+
				"# TYPE outrider_webhook_refused_total counter\n%s", refusals(c.reason))
			if err := testutil.GatherAndCompare(h.registry, strings.NewReader(want), "outrider_webhook_refused_total"); err != nil {
				t.Error(err)
			}
		})
	}
	w := httptest.NewRecorder()
	newHook(nil).ServeHTTP(w, httptest.NewRequest("DELETE", "/webhook/messenger", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("DELETE: %d %q", w.Code, w.Header().Get("Allow"))
	}
}

func refusals(reason string) string {
	var b strings.Builder
	for _, r := range []string{"cut", "malformed", "method", "no_app_secret", "no_signature", "signature", "store", "too_large", "verify_token"} {
		n := 0
		if r == reason {
			n = 1
		}
		fmt.Fprintf(&b, "outrider_webhook_refused_total{reason=%q} %d\n", r, n)
	}
	return b.String()
}

// Each case is the inside of "messaging", from person 7001 to page 111 at 11:00, and what it means here.
func TestConversationEvents(t *testing.T) {
	t.Parallel()
	const at = `"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1795518000000`
	const echo = `"sender":{"id":"111"},"recipient":{"id":"7001"},"timestamp":1795518000000`
	const id = "0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ what, body, want string }{
		{"text", at + `,"message":{"mid":"m_1","text":"hi"}`, "action 7001 11:00"},
		{"quick reply", at + `,"message":{"mid":"m_1","text":"Where?","quick_reply":{"payload":"WHERE:12"}}`, "action 7001 11:00"},
		{"picture", at + `,"message":{"mid":"m_1","attachments":[{"type":"fallback","payload":null}]}`, "action 7001 11:00"},
		{"postback", at + `,"postback":{"mid":"m_2","title":"Where?","payload":"WHERE:12"}`, "action 7001 11:00"},
		{"postback with a referral", at + `,"postback":{"title":"Start","payload":"START","referral":{"ref":"c0de","source":"SHORTLINK","type":"OPEN_THREAD"}}`, "action 7001 11:00 brings c0de"},
		{"reaction", at + `,"reaction":{"reaction":"love","emoji":"❤","action":"react","mid":"m_1"}`, "action 7001 11:00"},
		{"reaction taken back", at + `,"reaction":{"action":"unreact","mid":"m_1"}`, ""},
		{"postback that links", at + `,"postback":{"mid":"m_2","title":"Yes","payload":"LINK:c0de"}`, "action 7001 11:00 brings c0de"},
		{"quick reply that links", at + `,"message":{"mid":"m_1","text":"Yes","quick_reply":{"payload":"LINK:c0de"}}`, "action 7001 11:00 brings c0de"},
		{"message after a link", at + `,"message":{"mid":"m_1","text":"hi","referral":{"ref":"c0de","source":"SHORTLINK"}}`, "action 7001 11:00 brings c0de"},
		{"referral of an odd shape", at + `,"postback":{"mid":"m_2","payload":"START","referral":[7]}`, "action 7001 11:00"},
		{"m.me link", at + `,"referral":{"ref":"c0de","source":"SHORTLINK","type":"OPEN_THREAD"}`, "action 7001 11:00 brings c0de"},
		{"m.me link, the code a number", at + `,"referral":{"ref":1234,"source":"SHORTLINK"}`, "action 7001 11:00 brings 1234"},
		{"advertisement with a code", at + `,"referral":{"ref":"c0de","source":"ADS","type":"OPEN_THREAD","ad_id":"1"}`, "link 7001 11:00 brings c0de"},
		{"advertisement, not yet a message", at + `,"referral":{"source":"ADS","type":"OPEN_THREAD","ad_id":"1"}`, ""},
		{"plugin", at + `,"optin":{"ref":"c0de"}`, "action 7001 11:00 brings c0de"},
		{"plugin without ref", at + `,"optin":{"ref":""}`, "action 7001 11:00"},
		{"plugin, person not known yet", `"sender":{"user_ref":"u1"},"recipient":{"id":"111"},"timestamp":1795518000000,"optin":{"ref":"c0de","user_ref":"u1"}`, ""},
		{"subscription to marketing", at + `,"optin":{"type":"notification_messages","notification_messages_token":"x"}`, ""},
		{"login connect", `"recipient":{"id":"111"},"timestamp":1795518000000,"optin":{"login_id":77}`, "login  11:00 of 77"},
		{"message edited", at + `,"message_edit":{"mid":"m_1","text":"ho","num_edit":1}`, ""},
		{"message taken back", at + `,"message":{"mid":"m_1","is_deleted":true}`, ""},
		{"our echo", echo + `,"message":{"is_echo":true,"app_id":1,"metadata":"` + id + `","mid":"m_3"}`, "echo 7001 11:00 m_3 " + id},
		{"another's echo", echo + `,"message":{"is_echo":true,"app_id":263902037430900,"mid":"m_3","text":"hello"}`, "echo 7001 11:00 m_3"},
		{"an echo with another's metadata", echo + `,"message":{"is_echo":true,"metadata":"{\"x\":1}","mid":"m_3"}`, "echo 7001 11:00 m_3"},
		{"delivered", at + `,"delivery":{"mids":["m_3",null,4],"watermark":1795517999000}`, "delivered 7001 11:00 [m_3 4] until 10:59"},
		{"delivered, watermark alone", at + `,"delivery":{"watermark":"1795517999000"}`, "delivered 7001 11:00 [] until 10:59"},
		{"read", at + `,"read":{"watermark":1795517999000}`, "read 7001 11:00 [] until 10:59"},
		{"handover", at + `,"pass_thread_control":{"new_owner_app_id":"1","metadata":"x"}`, ""},
		{"account linking", at + `,"account_linking":{"status":"linked","authorization_code":"c0de"}`, "link 7001 11:00 brings c0de"},
		{"account unlinked", at + `,"account_linking":{"status":"unlinked"}`, ""},
		{"policy", `"recipient":{"id":"111"},"timestamp":1795518000000,"policy_enforcement":{"action":"BLOCK","reason":"spam"}`, "policy  11:00 block spam"},
		{"echo with truths as words", echo + `,"message":{"is_echo":"true","mid":"m_3"}`, "echo 7001 11:00 m_3"},
		{"something new", at + `,"hologram":{"mid":"m_9"}`, ""},
		{"numbers for ids, a string for the time", `"sender":{"id":7001},"recipient":{"id":111},"timestamp":"1795518000000","message":{"mid":"m_1"}`, "action 7001 11:00"},
		{"seconds", `"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1795518000,"message":{"mid":"m_1"}`, "action 7001 11:00"},
		{"no time: the entry's", `"sender":{"id":"7001"},"recipient":{"id":"111"},"message":{"mid":"m_1"}`, "action 7001 11:30"},
		{"the future is now", `"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1795618000000,"message":{"mid":"m_1"}`, "action 7001 12:00"},
		{"a message of an odd shape", at + `,"message":[1]`, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			for _, array := range []string{"messaging", "standby"} {
				body := `{"object":"page","entry":[{"id":"111","time":1795519800000,"` + array + `":[{` + c.body + `}]}]}`
				var got []string
				for _, e := range newHook(nil).tell(t, body) {
					got = append(got, eventText(e))
				}
				if text := strings.Join(got, "; "); text != c.want {
					t.Errorf("%s: got %q, want %q", array, text, c.want)
				}
			}
		})
	}
}

// What people say reaches whoever wants to hear it, and codes do not.
func TestWordsOfPeople(t *testing.T) {
	t.Parallel()
	const at = `"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1795518000000`
	long := strings.Repeat("ä", notify.MaxSaid)
	for _, c := range []struct{ what, array, body, want string }{
		{"text", "messaging", `"message":{"mid":"m_1","text":"where?"}`, "text m_1 where? []"},
		{"quick reply", "messaging", `"message":{"mid":"m_1","text":"Yes","quick_reply":{"payload":"YES"}}`, "quick_reply m_1 Yes [YES]"},
		{"postback", "messaging", `"postback":{"mid":"m_2","title":"Where?","payload":"WHERE:12"}`, "postback m_2 Where? [WHERE:12]"},
		{"pictures", "messaging", `"message":{"mid":"m_1","attachments":[{"type":"image","payload":{}},{"type":"location"}]}`, "attachment m_1  [image,location]"},
		{"text with odd attachments", "messaging", `"message":{"mid":"m_1","text":"hi","attachments":"x"}`, "text m_1 hi []"},
		{"long text", "messaging", `"message":{"mid":"m_1","text":"x` + long + `"}`, "text m_1 x" + strings.Repeat("ä", notify.MaxSaid/2-1) + " []"},
		{"to another app", "standby", `"message":{"mid":"m_1","text":"where?"}`, ""},
		{"a code that was tapped", "messaging", `"postback":{"title":"Yes","payload":"LINK:c0de"}`, ""},
		{"an echo", "messaging", `"message":{"mid":"m_1","is_echo":true,"text":"we"}`, ""},
		{"a reaction", "messaging", `"reaction":{"action":"react","mid":"m_1"}`, ""},
		{"a link", "messaging", `"referral":{"ref":"c0de"}`, ""},
	} {
		for _, hears := range []bool{true, false} {
			h := newHook(func(o *messenger.WebhookOptions) { o.Hears = hears })
			var got string
			for _, e := range h.tell(t, `{"object":"page","entry":[{"id":"111","`+c.array+`":[{`+at+","+c.body+`}]}]}`) {
				if e.Said != nil {
					got += fmt.Sprintf("%s %s %s [%s]", e.Said.Kind, e.Said.MessageID, e.Said.Text, e.Said.Payload)
				}
				if e.Said != nil && (e.Said.Page != "111" || e.Said.PSID != "7001" || !e.Said.At.Equal(noon.Add(-time.Hour))) {
					t.Errorf("%s: %+v", c.what, e.Said)
				}
			}
			if want := map[bool]string{true: c.want}[hears]; got != want {
				t.Errorf("%s, hears %v: got %q, want %q", c.what, hears, got, want)
			}
		}
	}
}

// Whoever must act on what changed is told, after the answer is decided, and only then.
func TestWebhookTellsWhatChanged(t *testing.T) {
	t.Parallel()
	var told []notify.Received
	h := newHook(func(o *messenger.WebhookOptions) { o.Received = func(r notify.Received) { told = append(told, r) } })
	body := `{"object":"page","entry":[{"id":"111","messaging":[{"sender":{"id":"7001"},"timestamp":1,"message":{"mid":"m"}}]}]}`
	h.tell(t, body)
	if len(told) != 0 {
		t.Fatalf("told of nothing: %+v", told)
	}
	h.inbox.answer.Linked, h.inbox.answer.Codes = []identity.Link{{Owner: "ann"}}, []identity.Verdict{identity.CodeLinked, identity.CodeUnknown}
	h.tell(t, body)
	if len(told) != 1 || told[0].Linked[0].Owner != "ann" {
		t.Errorf("told %+v", told)
	}
	h.inbox.fail = errors.New("disk full")
	h.post(body, sign("s3cr3t", body))
	if len(told) != 1 {
		t.Error("told of what was not stored")
	}
	want := "# HELP outrider_link_codes_total Link codes that people brought, by what became of them.\n# TYPE outrider_link_codes_total counter\n"
	for _, v := range []string{"again 0", "expired 0", "linked 1", "other_page 0", "owner_gone 0", "unknown 1", "used 0"} {
		verdict, n, _ := strings.Cut(v, " ")
		want += fmt.Sprintf("outrider_link_codes_total{verdict=%q} %s\n", verdict, n)
	}
	if err := testutil.GatherAndCompare(h.registry, strings.NewReader(want), "outrider_link_codes_total"); err != nil {
		t.Error(err)
	}
}

func eventText(e notify.ThreadEvent) string {
	text := fmt.Sprintf("%s %s %s", e.Kind, e.PSID, e.Time.Format("15:04"))
	switch e.Kind {
	case notify.ThreadEcho:
		text = strings.TrimSpace(text + " " + e.MessageID + " " + e.Delivery)
	case notify.ThreadDelivered, notify.ThreadRead:
		text += fmt.Sprintf(" %v until %s", e.Mids, e.Watermark.UTC().Format("15:04"))
	}
	for _, code := range []string{"c0de", "1234"} {
		if e.Code == identity.HashCode(code) {
			text += " brings " + code
		}
	}
	switch e.Kind {
	case notify.ThreadLogin:
		text += " of " + string(e.Login)
	case notify.ThreadPolicy:
		text += fmt.Sprintf(" %s %s", e.Policy.Action, e.Policy.Reason)
	}
	if e.Page != "111" {
		text += " on page " + string(e.Page)
	}
	return text
}

func TestTemplateStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, field, value, want string }{
		{"approved", "message_template_status_update", `{"event":"APPROVED","message_template_id":12,"message_template_name":"n","message_template_language":"en","reason":"NONE"}`, "n en 12 APPROVED "},
		{"the other field", "messenger_template_status_update", `{"event":"REJECTED","message_template_id":"12","message_template_name":"n","message_template_language":"en","reason":"INCORRECT_PARAMS"}`, "n en 12 REJECTED INCORRECT_PARAMS"},
		{"the other member", "message_template_status_update", `{"message_template_status":"approved","message_template_name":"n","message_template_language":"en"}`, "n en  APPROVED "},
		{"nameless", "message_template_status_update", `{"event":"APPROVED"}`, ""},
		{"another field", "feed", `{"item":"comment"}`, ""},
		{"odd", "message_template_status_update", `7`, ""},
	} {
		h := newHook(nil)
		got := ""
		for _, e := range h.tell(t, `{"object":"page","entry":[{"id":"111","time":1795519800,"changes":[{"field":"`+c.field+`","value":`+c.value+`}]}]}`) {
			got = fmt.Sprintf("%s %s %s %s %s", e.Template.Name, e.Template.Language, e.Template.ID, e.Template.Status, e.Template.Detail)
			if e.Kind != notify.ThreadTemplate || e.Page != "111" || e.Template.Page != "111" || !e.Template.Checked.Equal(e.Time) {
				t.Errorf("%s: %+v", c.what, e)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
		if woken := len(h.woken) == 1; woken != (c.want != "") {
			t.Errorf("%s: woken %v", c.what, h.woken)
		}
	}
}

// A webhook repeats its events in other requests, other orders and other spellings of the time.
func TestKeysAreStable(t *testing.T) {
	t.Parallel()
	reaction := func(stamp string) string {
		return `{"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":` + stamp + `,"reaction":{"action":"react","mid":"m_1"}}`
	}
	message := `{"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1795518000000,"message":{"mid":"m_1"}}`
	echo := `{"sender":{"id":"111"},"recipient":{"id":"7001"},"timestamp":1795518000000,"message":{"mid":"m_1","is_echo":true}}`
	keys := func(now time.Time, array string, events ...string) []string {
		h := newHook(func(o *messenger.WebhookOptions) { o.Now = func() time.Time { return now } })
		var list []string
		for _, e := range h.tell(t, `{"object":"page","entry":[{"id":"111","time":1,"`+array+`":[`+strings.Join(events, ",")+`]}]}`) {
			list = append(list, e.Key)
		}
		return list
	}
	first := keys(noon, "messaging", message, reaction("1795618000000"), echo, reaction("1795518000000"))
	if len(first) != 4 {
		t.Fatalf("%d events", len(first))
	}
	seen := map[string]bool{}
	for _, k := range first {
		if seen[k] {
			t.Errorf("two events share the key %s", k)
		}
		seen[k] = true
	}
	again := keys(noon.Add(time.Minute), "standby", reaction("1795518000"), echo, reaction("1795618000000"), message)
	for _, k := range again {
		if !seen[k] {
			t.Errorf("the key %s is new", k)
		}
	}
}

// One request may speak of many pages, and of things without meaning: it is stored in one go.
func TestOneRequestOneTransaction(t *testing.T) {
	t.Parallel()
	h := newHook(nil)
	events := h.tell(t, `{"object":"page","entry":[
		{"id":111,"time":1795518000000,"messaging":[{"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1,"message":{"mid":"m_1"}}],
		 "standby":[{"sender":{"id":"7002"},"recipient":{"id":"111"},"timestamp":1,"message":{"mid":"m_2"}}]},
		[],
		{"id":"222","time":1795518000000,"messaging":["odd",{"sender":{"id":"8001"},"recipient":{"id":"222"},"timestamp":1,"message":{"mid":"m_3"}},
		  {"sender":{"id":"8001"},"recipient":{"id":"222"},"timestamp":1,"delivery":{"watermark":1}}]},
		{"id":"333","messaging":[{"sender":{"id":"9001"},"recipient":{"id":"333"},"timestamp":1,"read":{"watermark":1}}]}]}`)
	if len(events) != 5 || h.inbox.calls != 1 {
		t.Errorf("%d events in %d calls", len(events), h.inbox.calls)
	}
	if got := fmt.Sprint(h.woken); got != "[111 222]" {
		t.Errorf("woken %s: want the pages where a window opened", got)
	}
	want := `# HELP outrider_webhook_events_total Events that Meta sent, by kind.
# TYPE outrider_webhook_events_total counter
outrider_webhook_events_total{kind="account_linking"} 0
outrider_webhook_events_total{kind="action"} 3
outrider_webhook_events_total{kind="broken"} 2
outrider_webhook_events_total{kind="delivered"} 1
outrider_webhook_events_total{kind="echo"} 0
outrider_webhook_events_total{kind="edit"} 0
outrider_webhook_events_total{kind="feedback"} 0
outrider_webhook_events_total{kind="foreign"} 0
outrider_webhook_events_total{kind="handover"} 0
outrider_webhook_events_total{kind="link"} 0
outrider_webhook_events_total{kind="login"} 0
outrider_webhook_events_total{kind="optin"} 0
outrider_webhook_events_total{kind="other"} 0
outrider_webhook_events_total{kind="policy"} 0
outrider_webhook_events_total{kind="read"} 1
outrider_webhook_events_total{kind="template"} 0
`
	if err := testutil.GatherAndCompare(h.registry, strings.NewReader(want), "outrider_webhook_events_total"); err != nil {
		t.Error(err)
	}
	foreign := newHook(nil)
	if events := foreign.tell(t, `{"object":"instagram","entry":[{"id":"1","messaging":[{"sender":{"id":"7"},"message":{"mid":"m"}}]}]}`); len(events) != 0 {
		t.Errorf("events about something else: %v", events)
	}
}

func ExampleWebhook() {
	inbox := &inbox{}
	handler := messenger.NewWebhook(messenger.WebhookOptions{AppSecret: identity.NewToken("s3cr3t"), Inbox: inbox,
		Now: func() time.Time { return noon }})
	body := `{"object":"page","entry":[{"id":"111","messaging":[{"sender":{"id":"7001"},"recipient":{"id":"111"},"timestamp":1795518000000,"message":{"mid":"m_1","text":"where is my car?"}}]}]}`
	r := httptest.NewRequest(http.MethodPost, "/webhook/messenger", strings.NewReader(body))
	r.Header.Set("X-Hub-Signature-256", sign("s3cr3t", body))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, inbox.events[0].Kind, inbox.events[0].PSID, inbox.events[0].Time)
	// Output: 200 action 7001 2026-11-24 11:00:00 +0000 UTC
}

// Whatever Meta, or somebody with the app's secret, sends: no crash, and every stored event is whole.
func FuzzWebhook(f *testing.F) {
	f.Add(`{"object":"page","entry":[{"id":"111","time":1795519800000,"messaging":[{"sender":{"id":7001},"recipient":{"id":"111"},"timestamp":"1795518000","message":{"mid":"m_1","is_echo":false}}]}]}`)
	f.Add(`{"object":"page","entry":[{"id":111,"standby":[{"sender":{"id":"7001"},"timestamp":1e300,"delivery":{"mids":[null],"watermark":-1}}],"changes":[{"field":"message_template_status_update","value":{"event":"APPROVED","message_template_name":"n","message_template_language":"en"}}]}]}`)
	f.Add(`{"object":"page","entry":[{"id":{},"messaging":[null,{"message":null,"read":{"watermark":"9999999999999999999"}}]}]}`)
	f.Add(`{"object":7,"entry":{}}`)
	f.Add(`{"object":"page","entry":[{"id":"111","messaging":[{"sender":{"id":"7001"},"timestamp":1795518000,"postback":{"payload":"LINK:c0de","title":7,"referral":{"ref":["x"]}}},{"optin":{"login_id":77}},{"policy_enforcement":{"action":"block"}},{"sender":{"id":"7"},"account_linking":{"status":"linked","authorization_code":1}}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		h := newHook(func(o *messenger.WebhookOptions) { o.Hears = true })
		if w := h.post(body, sign("s3cr3t", body)); w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Fatalf("status %d", w.Code)
		}
		for _, e := range h.inbox.events {
			if e.Key == "" || e.Page == "" || e.Kind == "" || e.Time.IsZero() || e.Time.After(noon) {
				t.Errorf("event %+v", e)
			}
			faceless := e.Kind == notify.ThreadTemplate || e.Kind == notify.ThreadLogin || e.Kind == notify.ThreadPolicy
			if e.PSID == "" && (!faceless || e.Code != "" || e.Said != nil) {
				t.Errorf("nobody's event %+v", e)
			}
			if w := e.Said; w != nil && (len(w.Text) > notify.MaxSaid || len(w.Payload) > notify.MaxSaid || w.PSID != e.PSID || w.Kind == "") {
				t.Errorf("said %+v", *w)
			}
			if e.Code != "" && len(e.Code) != 64 {
				t.Errorf("not a hash: %q", e.Code)
			}
			if e.Delivery != "" && len(e.Delivery) != 32 {
				t.Errorf("not our id: %q", e.Delivery)
			}
		}
	})
}
