package graph_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"outrider/simulator/graph"
)

// browse gets a page of the sandbox and returns its status, where it leads, and its text.
func (b *bench) browse(t *testing.T, path string) (status int, location *url.URL, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if to := w.Header().Get("Location"); to != "" {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		location = u
	}
	return w.Code, location, w.Body.String()
}

func dialog(more string) string {
	return "/v26.0/dialog/oauth?client_id=1000&redirect_uri=" + url.QueryEscape("https://gw.test/cb?x=1") + "&state=st%2Fate" + more
}

func TestDialog(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{RedirectURIs: []string{"https://gw.test/cb?x=1"}})
	b.AddUser("42", "Ann <b>")
	if _, _, text := b.browse(t, dialog("&scope=public_profile")); !strings.Contains(text, "Continue as Ann &lt;b&gt;") || strings.Contains(text, "write to me") {
		t.Errorf("dialog: %s", text)
	}
	for _, c := range []struct{ what, path, says string }{
		{"the spelling of Meta's documents", dialog("&scope=pages_messaging,page_utility_messaging"), "Invalid Scopes: page_utility_messaging."},
		{"another app", strings.Replace(dialog(""), "1000", "1", 1), "Invalid App ID"},
		{"an address that was not registered", strings.Replace(dialog(""), "gw.test", "evil.test", 1), "URL blocked"},
	} {
		status, location, text := b.browse(t, c.path)
		if status != 400 || location != nil || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %v %s", c.what, status, location, text)
		}
	}
	_, back, _ := b.browse(t, dialog("&cancel=1"))
	if q := back.Query(); q.Get("error") != "access_denied" || q.Get("state") != "st/ate" || q.Get("x") != "1" {
		t.Errorf("cancelled: %v", back)
	}
	_, back, _ = b.browse(t, dialog("&as=42"))
	code := back.Query().Get("code")
	if back.Query().Get("state") != "st/ate" || code == "" {
		t.Fatalf("agreed: %v", back)
	}
	_, r := b.exchange(t, "client_secret=secret&redirect_uri=https://gw.test/other&code="+code)
	if r.Error.Code != 100 || r.Error.Subcode != 36008 {
		t.Errorf("another redirect_uri: %s", r.Raw)
	}
	if token, r := b.exchange(t, "client_secret=secret&redirect_uri="+url.QueryEscape("https://gw.test/cb?x=1")+"&code="+code); token == "" {
		t.Errorf("redeemed: %s", r.Raw)
	}
}

// Whoever lets the page write while logging in can be written to once; the answer has a PSID.
func TestLoginConnect(t *testing.T) {
	t.Parallel()
	hook, bodies := recorder(t)
	b := setup(t, graph.Options{WebhookURL: hook})
	b.AddUser("42", "Ann")
	b.AddUser("43", "Bob")
	send := func(who string) reply {
		return b.as(t, "page-token", "POST", "500/messages", `{"recipient":{"login_id":"`+who+`"},"messaging_type":"UPDATE","message":{"text":"hi","quick_replies":[{"content_type":"text","title":"Yes","payload":"LINK:x"}]}}`)
	}
	check(t, send("42"), 400, 100, 2018001)
	b.browse(t, dialog("&scope=user_messenger_contact&messenger_page_id=500&as=42&contact=1"))
	b.browse(t, dialog("&scope=user_messenger_contact&messenger_page_id=500&as=43"))
	if r := send("42"); r.Status != 200 {
		t.Fatalf("first message: %s", r.Raw)
	}
	check(t, send("42"), 403, 10, 2018278)
	check(t, send("43"), 400, 100, 2018001)
	if err := b.WaitWebhooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := bodies(); strings.Count(all, `"optin":{"login_id":"42"}`) != 1 || strings.Contains(all, `"login_id":"43"`) {
		t.Errorf("webhooks: %s", all)
	}
	if err := b.Tap("500", b.Messages()[0].PSID, "LINK:x"); err != nil {
		t.Error(err)
	}
	if r := send("42"); r.Status != 200 {
		t.Errorf("after the answer: %s", r.Raw)
	}
}

// recorder is a webhook that keeps what it is told.
func recorder(t *testing.T) (address string, bodies func() string) {
	t.Helper()
	all := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all <- string(body)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() string {
		var text []string
		for len(all) > 0 {
			text = append(text, <-all)
		}
		return strings.Join(text, "\n")
	}
}

// A link into a conversation reports a referral; somebody new reports it with the Get Started button.
func TestMessengerLink(t *testing.T) {
	t.Parallel()
	hook, bodies := recorder(t)
	b := setup(t, graph.Options{WebhookURL: hook})
	if _, err := b.Say("500", "7001", "hello"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/m.me/500?ref=c0de", 200, "Whose phone is this?"},
		{"/m.me/500?ref=c0de&as=7001", 200, "The conversation is open"},
		{"/m.me/500?ref=n3w&new=Cleo", 200, "The conversation is open"},
		{"/m.me/500?ref=c0de&as=nobody", 404, "That did not work"},
		{"/m.me/501?ref=c0de", 404, "isn&#39;t available"},
	} {
		if status, _, text := b.browse(t, c.path); status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %s", c.path, status, text)
		}
	}
	if err := b.WaitWebhooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := bodies()
	if !strings.Contains(all, `"referral":{"ref":"c0de"`) || !strings.Contains(all, `"postback":{"mid"`) || !strings.Contains(all, `"ref":"n3w"`) {
		t.Errorf("webhooks: %s", all)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	b.AddUser("42", "Ann")
	var signed string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.URL.Path + " " + r.PostFormValue("signed_request")
		_, _ = io.WriteString(w, `{"url":"https://gw.test/d/1","confirmation_code":"1"}`)
	}))
	t.Cleanup(app.Close)
	b.SetCallbacks(app.URL+"/gone", app.URL+"/forget")
	if status, _, text := b.browse(t, "/settings/apps?delete=42"); status != 200 || !strings.Contains(text, "https://gw.test/d/1") {
		t.Errorf("deletion: %d %s", status, text)
	}
	if signed != "/forget "+b.SignedRequest("42") {
		t.Errorf("posted %s", signed)
	}
	code, _ := b.Login("42")
	token, _ := b.exchange(t, "client_secret=secret&code="+code)
	if err := b.RemoveApp(context.Background(), "42"); err != nil || !strings.HasPrefix(signed, "/gone ") {
		t.Errorf("removed: %v, %s", err, signed)
	}
	check(t, b.as(t, token, "GET", "me", ""), 400, 190, 458)
}

func TestBatch(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	if _, err := b.Say("500", "7001", "hello"); err != nil {
		t.Fatal(err)
	}
	requests, _ := json.Marshal([]map[string]string{
		{"method": "POST", "relative_url": "v26.0/500/messages", "body": `recipient={"id":"7001"}&messaging_type=UPDATE&message={"text":"hi"}`},
		{"method": "GET", "relative_url": "501"},
		{"method": "GET", "relative_url": "me?fields=name"},
	})
	form := url.Values{"batch": {string(requests)}, "access_token": {"page-token"}, "appsecret_proof": {graph.Proof("secret", "page-token")}}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.ServeHTTP(w, r)
	var answers []struct {
		Code int
		Body string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answers); err != nil || len(answers) != 3 {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for i, want := range []struct {
		code int
		says string
	}{{200, `"message_id":"m_`}, {400, `"code":100`}, {200, `"name":"Fleet"`}} {
		if answers[i].Code != want.code || !strings.Contains(answers[i].Body, want.says) {
			t.Errorf("answer %d: %+v", i, answers[i])
		}
	}
	if got := b.Messages(); len(got) != 1 || got[0].Text != "hi" {
		t.Errorf("messages: %+v", got)
	}
}
