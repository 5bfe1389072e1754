package graph_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/simulator/graph"
)

// gateway is the other side of the webhooks: it checks signatures and remembers bodies.
type gateway struct {
	mu     sync.Mutex // guards what follows
	bodies []string
	fail   int // answers with 500 to come
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if r.URL.Query().Get("hub.verify_token") != "verify" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write(body)
	if r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail > 0 {
		g.fail--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	g.bodies = append(g.bodies, string(body))
}

// hook is one decoded webhook with one event.
type hook struct {
	Entry []struct {
		ID        json.RawMessage
		Time      int64
		Changes   []struct{ Field string }
		Messaging []struct {
			Sender    struct{ ID json.RawMessage }
			Timestamp int64
			Message   *struct {
				Text, Metadata string
				Echo           bool `json:"is_echo"`
			}
			Postback *struct {
				Payload  string
				Referral *struct{ Ref string }
			}
			Referral *struct{ Ref string }
			Delivery *struct{ Mids []string }
			Read     *struct{ Watermark int64 }
			Reaction *struct{ Emoji string }
		}
	}
}

func (g *gateway) hooks(t *testing.T) []hook {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]hook, len(g.bodies))
	for i, b := range g.bodies {
		if err := json.Unmarshal([]byte(b), &all[i]); err != nil {
			t.Fatalf("webhook is not JSON: %s", b)
		}
	}
	return all
}

// kinds names the events in the order in which they came.
func (g *gateway) kinds(t *testing.T) string {
	t.Helper()
	var words []string
	for _, h := range g.hooks(t) {
		if len(h.Entry[0].Changes) > 0 {
			words = append(words, h.Entry[0].Changes[0].Field)
			continue
		}
		m := h.Entry[0].Messaging[0]
		switch {
		case m.Message != nil && m.Message.Echo:
			words = append(words, "echo")
		case m.Message != nil:
			words = append(words, "message")
		case m.Postback != nil && m.Postback.Referral != nil:
			words = append(words, "start")
		case m.Postback != nil:
			words = append(words, "postback")
		case m.Referral != nil:
			words = append(words, "referral")
		case m.Delivery != nil:
			words = append(words, "delivery")
		case m.Read != nil:
			words = append(words, "read")
		case m.Reaction != nil:
			words = append(words, "reaction")
		}
	}
	return strings.Join(words, " ")
}

func connect(t *testing.T, b *bench) *gateway {
	t.Helper()
	g := &gateway{}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	b.SetWebhook(server.URL + "/webhook/messenger")
	return g
}

func settle(t *testing.T, b *bench) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := b.WaitWebhooks(ctx); err != nil {
		t.Fatalf("webhooks still wait: %+v", b.Webhooks())
	}
}

func TestEventsOfAThreadComeInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{ReadAtOnce: true, RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond})
	g := connect(t, b)
	g.fail = 3
	b.do(t, "POST", "500/messages", update("7001", `{"text":"hi","metadata":"a:7","quick_replies":[{"content_type":"text","title":"Now","payload":"NOW"}]}`))
	for _, err := range []error{
		b.Tap("500", "7001", "NOW"), b.Tap("500", "7001", "MENU"), b.Follow("500", "7001", "code"),
		b.React("500", "7001", "m_1", "👍"), b.Read("500", "7001"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	settle(t, b)
	want := "message echo delivery read message postback referral reaction read"
	if got := g.kinds(t); got != want {
		t.Errorf("events %q, want %q", got, want)
	}
	if m := g.hooks(t)[1].Entry[0].Messaging[0].Message.Metadata; m != "a:7" {
		t.Errorf("the echo's metadata is %q", m)
	}
}

func TestNewcomerStartsWithTheReference(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	g := connect(t, b)
	settle(t, b)
	b.do(t, "POST", "500/messenger_profile", `{"get_started":{"payload":"START"}}`)
	if err := b.Follow("500", "7002", "abc"); err != nil {
		t.Fatal(err)
	}
	settle(t, b)
	hooks := g.hooks(t)
	p := hooks[len(hooks)-1].Entry[0].Messaging[0].Postback
	if p == nil || p.Payload != "START" || p.Referral.Ref != "abc" {
		t.Errorf("postback %+v", p)
	}
}

func TestTemplateVerdictIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	g := connect(t, b)
	settle(t, b)
	b.do(t, "POST", "500/message_templates", goodTemplate)
	settle(t, b)
	if got := g.kinds(t); !strings.HasSuffix(got, "message_template_status_update") {
		t.Errorf("events %q", got)
	}
}

func TestWireForm(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		faults graph.Faults
		want   []string
	}{
		{"plain", graph.Faults{}, []string{`"id":"500"`, `"timestamp":1795510800000`, `\u00e4\ud83d\udc4d https:\/\/x`}},
		{"seconds", graph.Faults{Seconds: 1}, []string{`"timestamp":1795510800}`, `"time":1795510800}`}},
		{"numeric ids", graph.Faults{NumericIDs: 1}, []string{`"id":500`, `"sender":{"id":7002}`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, graph.Options{})
			g := connect(t, b)
			b.SetFaults(c.faults)
			if _, err := b.Say("500", "7002", "ä👍 https://x"); err != nil {
				t.Fatal(err)
			}
			settle(t, b)
			all := strings.Join(g.bodies, "\n")
			for _, w := range c.want {
				if !strings.Contains(all, w) {
					t.Errorf("%s is not in %s", w, all)
				}
			}
			g.hooks(t) // still JSON
		})
	}
}

func TestUnsubscribedPagesAreSilent(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{Unsubscribed: true})
	g := connect(t, b)
	check(t, b.do(t, "POST", "500/subscribed_apps?subscribed_fields=messages,nonsense", ""), 400, 100, 0)
	check(t, b.do(t, "POST", "500/subscribed_apps?subscribed_fields=messages", ""), 200, 0, 0)
	if r := b.do(t, "GET", "500/subscribed_apps", ""); !strings.Contains(r.Raw, `"subscribed_fields":["messages"]`) {
		t.Errorf("subscribed_apps: %s", r.Raw)
	}
	b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`))
	_, _ = b.Say("500", "7001", "told")
	settle(t, b)
	if got := g.kinds(t); got != "message" {
		t.Errorf("events %q, want one message: the echo is not subscribed", got)
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	g := connect(t, b)
	_ = g
	if err := b.VerifyWebhook(t.Context()); err != nil {
		t.Error(err)
	}
	wrong := graph.New(graph.Options{VerifyToken: "other"})
	defer wrong.Close()
	server := httptest.NewServer(g)
	defer server.Close()
	wrong.SetWebhook(server.URL)
	if err := wrong.VerifyWebhook(t.Context()); err == nil {
		t.Error("a wrong verify token was accepted")
	}
}

func TestLostAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{Faults: graph.Faults{LostAnswer: 1}})
	g := connect(t, b)
	server := httptest.NewServer(b)
	defer server.Close()
	for name, client := range map[string]*http.Client{"network": server.Client(), "transport": b.client} {
		req, err := http.NewRequest("POST", server.URL+"/v26.0/500/messages?appsecret_proof="+graph.Proof("secret", "page-token"),
			strings.NewReader(update("7001", `{"text":"hi","metadata":"a:9"}`)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer page-token")
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s: answered %s, want a cut connection", name, resp.Status)
		}
	}
	settle(t, b)
	if n := len(b.Messages()); n != 2 || !b.Messages()[0].Unheard {
		t.Errorf("%d messages, want 2, unheard", n)
	}
	if got := strings.Count(g.kinds(t), "echo"); got != 2 {
		t.Errorf("%d echoes, want 2: a lost answer still echoes", got)
	}
}

func TestLostRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{Faults: graph.Faults{LostRequest: 1}})
	req, err := http.NewRequest("POST", "http://graph.test/v26.0/500/messages?access_token=page-token&appsecret_proof="+graph.Proof("secret", "page-token"),
		strings.NewReader(update("7001", `{"text":"hi"}`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err := b.client.Do(req); err == nil {
		resp.Body.Close()
		t.Error("answered")
	}
	if len(b.Messages()) != 0 || len(b.Refusals()) != 0 {
		t.Error("a lost request left a trace")
	}
}

func TestFaultsFollowTheSeed(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) string {
		b := setup(t, graph.Options{Seed: seed, Rate: -1, Faults: graph.Faults{Unavailable: 0.3, Transient: 0.1, Throttled: 0.1}})
		var codes []string
		for range 40 {
			codes = append(codes, fmt.Sprint(b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)).Error.Code))
		}
		return strings.Join(codes, " ")
	}
	one := run(1)
	if one != run(1) {
		t.Error("the same seed gave different faults")
	}
	if one == run(2) {
		t.Error("different seeds gave the same faults")
	}
	for _, code := range []string{"0", "551", "613"} {
		if !strings.Contains(" "+one+" ", " "+code+" ") {
			t.Errorf("code %s is not among %s", code, one)
		}
	}
}

func TestInjectedFailures(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	b.FailNext("500", "", 1, graph.Transient())
	if err := b.Refuse("500", "7001", graph.Unavailable()); err != nil {
		t.Fatal(err)
	}
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi","metadata":"a:1"}`)), 500, 2, 0)
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 400, 551, 1893047)
	_ = b.Refuse("500", "7001", nil)
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 200, 0, 0)
	refusals := b.Refusals()
	if len(refusals) != 2 || refusals[0].Metadata != "a:1" || refusals[1].PSID != "7001" {
		t.Errorf("refusals %+v", refusals)
	}
	if err := b.Tap("500", "9", "X"); !errors.Is(err, graph.ErrUnknown) {
		t.Errorf("a stranger's tap gave %v", err)
	}
}

func TestDuplicatesAndLostEchoes(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{Faults: graph.Faults{Duplicate: 1, LostEcho: 1}})
	g := connect(t, b)
	b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`))
	settle(t, b)
	if got, want := g.kinds(t), "message message delivery delivery"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestReorder(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{Unsubscribed: true})
	b.do(t, "POST", "500/subscribed_apps?subscribed_fields=messages", "")
	g := &gateway{}
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(entered); <-release })
		g.ServeHTTP(w, r)
	}))
	defer server.Close()
	b.SetWebhook(server.URL)
	_, _ = b.Say("500", "7002", "0")
	<-entered // two events can wait while the first is under way
	b.SetFaults(graph.Faults{Reorder: 1})
	_, _ = b.Say("500", "7002", "1")
	b.SetFaults(graph.Faults{})
	_, _ = b.Say("500", "7002", "2")
	close(release)
	settle(t, b)
	var texts string
	for _, h := range g.hooks(t) {
		texts += h.Entry[0].Messaging[0].Message.Text
	}
	if texts != "021" {
		t.Errorf("order %q, want 021", texts)
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{QueueLimit: 3, WebhookURL: "http://127.0.0.1:1/"})
	for range 10 {
		_, _ = b.Say("500", "7001", "hi")
	}
	if c := b.Webhooks(); c.Waiting != 3 || c.Lost != 8 {
		t.Errorf("counts %+v, want 3 waiting and 8 lost", c)
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	var heard []graph.Message
	cancel := b.Subscribe(func(m graph.Message) { heard = append(heard, m) })
	done := make(chan graph.Message, 1)
	go func() {
		m, _ := b.WaitFor(t.Context(), func(m graph.Message) bool { return m.Text == "second" })
		done <- m
	}()
	b.do(t, "POST", "500/messages", update("7001", `{"text":"first"}`))
	b.do(t, "POST", "500/messages", update("7001", `{"text":"second"}`))
	if m := <-done; m.Seq != 2 {
		t.Errorf("waited for %+v", m)
	}
	cancel()
	b.do(t, "POST", "500/messages", update("7001", `{"text":"third"}`))
	if len(heard) != 2 {
		t.Errorf("heard %d messages, want 2", len(heard))
	}
	ctx, stop := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("too late"))
	defer stop()
	if all, err := b.WaitMessages(ctx, 4); err == nil || len(all) != 3 {
		t.Errorf("%d messages and %v, want 3 and the cause", len(all), err)
	}
}
