package channel_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/identity"
	"outrider/notify"
	"outrider/notify/channel"
	"outrider/notify/notifytest"
)

var (
	noon   = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	key    = []byte("a signing key of 24 byte")
	secret = "whsec_" + base64.StdEncoding.EncodeToString(key)
)

// sender is a sender whose owner ann has the given channel; loopback is allowed unless said otherwise.
func sender(t *testing.T, url string, change func(*channel.Options)) *channel.Sender {
	t.Helper()
	d := identity.NewDirectory()
	d.Load(identity.Records{Owners: []identity.Owner{{Tenant: "acme", ID: "ann", Fallback: identity.NewToken(url)}}})
	o := channel.Options{Messenger: &notifytest.Sender{}, Directory: d, Now: func() time.Time { return noon },
		Guard: channel.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	s, err := channel.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func message() notify.Message {
	return notify.Message{Delivery: "d1", Route: notify.RouteFallback, Text: "Van 12 left Depot at 08:42.",
		Alert: notify.Alert{ID: "d1", Tenant: "acme", Owner: "ann", Vehicle: "van-12", VehicleName: "Van 12", Fence: "depot", FenceName: "Depot",
			Kind: notify.Exit, At: noon, Inside: 90 * time.Second, Point: orb.Point{11.5, 48.1}}}
}

func problemOf(t *testing.T, err error) *notify.Error {
	t.Helper()
	e, ok := errors.AsType[*notify.Error](err)
	if !ok {
		t.Fatalf("%v is no *notify.Error", err)
	}
	return e
}

func TestSignedEvent(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "webhook+http://"+secret+"@", 1) + "/in?x=1"
	receipt, err := sender(t, url, nil).Send(t.Context(), message())
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "d1.%d.%s", noon.Unix(), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.Header.Get("Webhook-Signature") != want || got.Header.Get("Webhook-Id") != "d1" {
		t.Errorf("headers %v, want signature %s", got.Header, want)
	}
	if got.URL.RequestURI() != "/in?x=1" || got.Header.Get("Authorization") != "" || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/cloudevents+json") {
		t.Errorf("request %s %v", got.URL, got.Header)
	}
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil {
		t.Fatal(err)
	}
	data, _ := event["data"].(map[string]any)
	if event["specversion"] != "1.0" || event["type"] != "outrider.alert.exit" || event["id"] != "d1" || event["source"] != "/outrider/acme" ||
		event["subject"] != "van-12" || event["time"] != "2026-11-24T12:00:00Z" || data["inside_s"] != 90.0 || data["lat"] != 48.1 || data["text"] != message().Text {
		t.Errorf("event %v", event)
	}
	if receipt.Exchange.Status != 202 || strings.Contains(receipt.Exchange.Request+receipt.Exchange.Response, secret) {
		t.Errorf("exchange %+v", receipt.Exchange)
	}
}

// The verdict of every kind of answer.
func TestWebhookVerdicts(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		200: "", 204: "", 301: "failed", 307: "failed", 400: "failed", 401: "failed", 404: "failed", 410: "failed", 408: "retry", 425: "retry",
		429: "retry 2m0s", 500: "retry", 503: "retry 2m0s",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				t.Errorf("a redirect was followed to %s", r.URL)
			}
			if status == 429 || status == 503 {
				w.Header().Set("Retry-After", "120")
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		_, err := sender(t, strings.Replace(server.URL, "http://", "webhook+http://"+secret+"@", 1)+"/", nil).Send(t.Context(), message())
		server.Close()
		got := ""
		if err != nil {
			e := problemOf(t, err)
			if got = "failed"; e.Retry {
				got = strings.TrimSuffix("retry "+e.After.String(), " 0s")
			}
			if e.Exchange.Status != status || !strings.Contains(e.Text, fmt.Sprint(status)) {
				t.Errorf("%d: %+v", status, e)
			}
		}
		if got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	g := channel.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1": true, "10.1.2.3": true, "10.2.2.3": false, "127.0.0.1": false, "::1": false, "0.0.0.0": false,
		"169.254.169.254": false, "fe80::1": false, "192.168.1.1": false, "172.16.0.1": false, "fd00::1": false, "100.64.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:8.8.8.8": true, "224.0.0.1": false, "255.255.255.255": false, "64:ff9b::7f00:1": false,
		"2002:7f00:1::": false, "198.18.0.1": false, "203.0.113.9": false, "fe80::1%eth0": false, "0.1.2.3": false, "2001:db8::1": false,
	} {
		if got := g.Permits(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

// A name that leads to a private address is refused when it is connected to, whatever it is called, and nothing arrives.
func TestPrivateServersAreNotReached(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	strict := func(o *channel.Options) { o.Guard = channel.Guard{} }
	for _, url := range []string{
		"webhook+http://" + secret + "@127.0.0.1" + port + "/", "webhook+http://" + secret + "@localhost" + port + "/",
		"webhook+http://" + secret + "@[::ffff:127.0.0.1]" + port + "/", "webhook+https://" + secret + "@0x7f000001" + port + "/",
		"ntfy://localhost" + port + "/alarms?scheme=http", "ntfy:///alarms?scheme=http&host=127.0.0.1" + port,
		"gotify://127.0.0.1" + port + "/AzyoeNS.D4iJLVa?disabletls=yes", "smtp://user:password@127.0.0.1" + port + "/?from=a@example.org&to=b@example.org",
	} {
		_, err := sender(t, url, strict).Send(t.Context(), message())
		if err == nil {
			t.Errorf("%s was sent", url)
			continue
		}
		if e := problemOf(t, err); strings.Contains(e.Text, secret) || strings.Contains(e.Text, "password") {
			t.Errorf("%s: the error tells a secret: %s", url, e.Text)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached a private server", n)
	}
}

// A real shoutrrr service, over the wire.
func TestShoutrrr(t *testing.T) {
	t.Parallel()
	var title, text string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		title, text = r.Header.Get("Title"), string(body)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	url := "ntfy://" + strings.TrimPrefix(server.URL, "http://") + "/alarms?scheme=http"
	if _, err := sender(t, url, nil).Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(title+text, "Van 12 left Depot at 08:42.") || !strings.Contains(title+text, "Van 12 left Depot") {
		t.Errorf("title %q, text %q", title, text)
	}
}

// The library waits longer than our deadline: the outcome is unknown, and soon enough.
func TestDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-release
	}))
	defer server.Close()
	defer close(release)
	quick := func(o *channel.Options) { o.Timeout = 100 * time.Millisecond }
	host := strings.TrimPrefix(server.URL, "http://")
	_, err := sender(t, "ntfy://"+host+"/alarms?scheme=http", quick).Send(t.Context(), message())
	if e := problemOf(t, err); e.Reason != notify.ReasonAmbiguous {
		t.Errorf("shoutrrr: %+v", e)
	}
	_, err = sender(t, "webhook+http://"+secret+"@"+host+"/", quick).Send(t.Context(), message())
	if e := problemOf(t, err); e.Reason != notify.ReasonChannel || !e.Retry { // the receiver knows a repeated event by its id
		t.Errorf("webhook: %+v", e)
	}
}

// A server that fails time after time is left alone; one that merely refuses is not.
func TestBreaker(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	status := http.StatusInternalServerError
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(status)
	}))
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "webhook+http://"+secret+"@", 1) + "/"
	s := sender(t, url, nil)
	var last *notify.Error
	for range 20 {
		_, err := s.Send(t.Context(), message())
		last = problemOf(t, err)
	}
	if calls.Load() != 5 || !last.Retry || last.After != 30*time.Second {
		t.Errorf("%d calls, then %+v", calls.Load(), last)
	}
	calls.Store(0)
	status = http.StatusNotFound
	s = sender(t, url, nil)
	for range 20 {
		_, _ = s.Send(t.Context(), message())
	}
	if calls.Load() != 20 {
		t.Errorf("%d calls of a server that works", calls.Load())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"webhook+https://" + secret + "@example.org/in":                              "",
		"smtp://user:password@mail.example.org/?from=a@b.example&to=c@d.example":     "",
		"telegram://123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@telegram?chats=@x": "",
		"ntfy://ntfy.sh/topic":                       "",
		"webhook+https://example.org/in":             "signing secret",
		"webhook+https://whsec_c2hvcnQ@example.org/": "16 to 64 bytes",
		"webhook+https://" + secret + "@/":           "name of a server",
		"generic://127.0.0.1":                        "unknown channel",
		"logger://":                                  "unknown channel",
		"https://example.org":                        "unknown channel",
		"telegram://hunter2":                         "telegram",
		"%zz":                                        "expected a channel's URL",
		"":                                           "expected a channel's URL",
	} {
		err := channel.Check(identity.NewToken(url))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), secret)) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

// Other routes go to Messenger; an owner without channel gets a plain word.
func TestRoutes(t *testing.T) {
	t.Parallel()
	meta := &notifytest.Sender{}
	s := sender(t, "", func(o *channel.Options) { o.Messenger = meta })
	m := message()
	if _, err := s.Send(context.Background(), m); problemOf(t, err).Retry {
		t.Error("an owner without channel is tried again")
	}
	m.Route = notify.RouteWindow
	if _, err := s.Send(context.Background(), m); err != nil || len(meta.Sent()) != 1 {
		t.Errorf("window: %v, %d sent", err, len(meta.Sent()))
	}
}
