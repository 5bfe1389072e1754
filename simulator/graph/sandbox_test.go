package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outrider/simulator/graph"
)

// clock is a settable clock.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// bench is a sandbox with one page and two people: 7001's window is open, 7002's closed.
type bench struct {
	*graph.Sandbox
	clock  *clock
	client *http.Client
}

func setup(t *testing.T, o graph.Options) *bench {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	o.AppID, o.AppSecret, o.VerifyToken, o.Now = "1000", "secret", "verify", c.now
	s := graph.New(o)
	t.Cleanup(func() { _ = s.Close() })
	s.AddPage("500", "Fleet", "page-token")
	s.AddPage("600", "Other", "other-token")
	for _, psid := range []string{"7001", "7002"} {
		if err := s.AddPerson("500", psid, "Ann "+psid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Say("500", "7001", "hello"); err != nil {
		t.Fatal(err)
	}
	return &bench{Sandbox: s, clock: c, client: &http.Client{Transport: s.Transport()}}
}

// reply is an answer of the sandbox.
type reply struct {
	Status int    `json:"-"`
	Raw    string `json:"-"`
	Usage  string `json:"-"`
	Mid    string `json:"message_id"`
	Error  struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    int    `json:"code"`
		Subcode int    `json:"error_subcode"`
		Trace   string `json:"fbtrace_id"`
	} `json:"error"`
}

// do calls the sandbox as the page, with a proof.
func (b *bench) do(t *testing.T, method, path, body string) reply {
	t.Helper()
	return b.as(t, "page-token", method, path, body)
}

func (b *bench) as(t *testing.T, token, method, path, body string) reply {
	t.Helper()
	target := "http://graph.test/v26.0/" + path
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	target += mark + "appsecret_proof=" + graph.Proof("secret", token)
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return b.run(t, req)
}

func (b *bench) run(t *testing.T, req *http.Request) reply {
	t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{Status: resp.StatusCode, Raw: string(raw), Usage: resp.Header.Get("X-Business-Use-Case-Usage")}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("answer is not JSON: %q", raw)
	}
	return r
}

const goodTemplate = `{"name":"left_v1","language":"en","category":"UTILITY","components":[
 {"type":"BODY","text":"Your vehicle {{1}} left the area {{2}} at {{3}}. Open the map to see it.","example":{"body_text":[["Van 12","Depot","08:42"]]}},
 {"type":"BUTTONS","buttons":[{"type":"POSTBACK","text":"Where is it now?","payload":"WHERE:{{1}}"},{"type":"URL","text":"Map","url":"https://example.test/e/{{1}}","example":{"url_suffix_example":"https://example.test/e/1"}}]}]}`

const goodUtility = `{"recipient":{"id":"7002"},"messaging_type":"UTILITY","message":{"metadata":"a:1","template":{"name":"left_v1","language":{"code":"en"},"components":[
 {"type":"body","parameters":[{"type":"text","text":"Van 12"},{"type":"text","text":"Depot"},{"type":"text","text":"08:42"}]},
 {"type":"buttons","parameters":[{"type":"POSTBACK","payload":"12"},{"type":"URL","url":"1"}]}]}}}`

func update(psid, message string) string {
	return `{"recipient":{"id":"` + psid + `"},"messaging_type":"UPDATE","message":` + message + `}`
}

func TestSendRules(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	replies := func(n int) string {
		one := `{"content_type":"text","title":"Now","payload":"N"}`
		return `{"text":"hi","quick_replies":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
	}
	rich := func(payload string) string {
		return update("7001", `{"attachment":{"type":"template","payload":`+payload+`}}`)
	}
	swap := func(old, new string) string {
		if !strings.Contains(goodUtility, old) {
			t.Fatalf("%q is not part of the good message", old)
		}
		return strings.Replace(goodUtility, old, new, 1)
	}
	cases := []struct {
		name, body    string
		status        int
		code, subcode int
	}{
		{"update inside the window", update("7001", `{"text":"hi"}`), 200, 0, 0},
		{"update outside the window", update("7002", `{"text":"hi"}`), 403, 10, 2018278},
		{"response outside the window", strings.Replace(update("7002", `{"text":"hi"}`), "UPDATE", "RESPONSE", 1), 403, 10, 2018278},
		{"unknown person", update("9", `{"text":"hi"}`), 400, 100, 2018001},
		{"no recipient", `{"messaging_type":"UPDATE","message":{"text":"hi"}}`, 400, 100, 0},
		{"two recipients", `{"recipient":{"id":"7001","user_ref":"x"},"messaging_type":"UPDATE","message":{"text":"hi"}}`, 400, 100, 0},
		{"no messaging type", `{"recipient":{"id":"7001"},"message":{"text":"hi"}}`, 400, 100, 0},
		{"unknown messaging type", strings.Replace(update("7001", `{"text":"hi"}`), "UPDATE", "NEWS", 1), 400, 100, 0},
		{"no message", `{"recipient":{"id":"7001"},"messaging_type":"UPDATE"}`, 400, 100, 0},
		{"broken JSON", `{"recipient":`, 400, 100, 0},
		{"removed tag", `{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","tag":"ACCOUNT_UPDATE","message":{"text":"hi"}}`, 400, 100, 0},
		{"tag missing", `{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","message":{"text":"hi"}}`, 400, 100, 0},
		{"tag without its type", `{"recipient":{"id":"7001"},"messaging_type":"UPDATE","tag":"HUMAN_AGENT","message":{"text":"hi"}}`, 400, 100, 0},
		{"human agent after a message", `{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","message":{"text":"hi"}}`, 200, 0, 0},
		{"human agent without a message", `{"recipient":{"id":"7002"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","message":{"text":"hi"}}`, 403, 10, 2018278},
		{"text of 1999", update("7001", `{"text":"`+long(1999)+`"}`), 200, 0, 0},
		{"text of 2000", update("7001", `{"text":"`+long(2000)+`"}`), 400, 100, 0},
		{"empty text", update("7001", `{"text":" "}`), 400, 100, 0},
		{"metadata of 999", update("7001", `{"text":"hi","metadata":"`+long(999)+`"}`), 200, 0, 0},
		{"metadata of 1000", update("7001", `{"text":"hi","metadata":"`+long(1000)+`"}`), 400, 100, 0},
		{"unknown key", update("7001", `{"text":"hi","colour":"red"}`), 400, 100, 0},
		{"text and attachment", update("7001", `{"text":"hi","attachment":{"type":"image","payload":{"url":"https://x.test/a.png"}}}`), 400, 100, 0},
		{"13 quick replies", update("7001", replies(13)), 200, 0, 0},
		{"14 quick replies", update("7001", replies(14)), 400, 100, 0},
		{"location quick reply", update("7001", `{"text":"hi","quick_replies":[{"content_type":"location"}]}`), 400, 100, 0},
		{"button template", rich(`{"template_type":"button","text":"Van","buttons":[{"type":"postback","title":"Where","payload":"W"}]}`), 200, 0, 0},
		{"button template with 4 buttons", rich(`{"template_type":"button","text":"Van","buttons":[` + strings.TrimSuffix(strings.Repeat(`{"type":"postback","title":"W","payload":"W"},`, 4), ",") + `]}`), 400, 100, 0},
		{"button template without buttons", rich(`{"template_type":"button","text":"Van","buttons":[]}`), 400, 100, 0},
		{"button template text of 641", rich(`{"template_type":"button","text":"` + long(641) + `","buttons":[{"type":"postback","title":"W","payload":"W"}]}`), 400, 100, 0},
		{"button with a relative URL", rich(`{"template_type":"button","text":"Van","buttons":[{"type":"web_url","title":"W","url":"/e/1"}]}`), 400, 100, 0},
		{"generic template", rich(`{"template_type":"generic","elements":[{"title":"Van","subtitle":"left"}]}`), 200, 0, 0},
		{"generic title of 81", rich(`{"template_type":"generic","elements":[{"title":"` + long(81) + `","subtitle":"left"}]}`), 400, 100, 0},
		{"utility as an attachment", rich(`{"template_type":"utility","name":"left_v1"}`), 400, 100, 0},
		{"image without address", update("7001", `{"attachment":{"type":"image","payload":{}}}`), 400, 100, 2018074},
		{"utility outside the window", goodUtility, 200, 0, 0},
		{"utility without its type", swap(`"messaging_type":"UTILITY",`, ``), 200, 0, 0},
		{"utility as text", strings.Replace(update("7001", `{"text":"hi"}`), "UPDATE", "UTILITY", 1), 400, 100, 0},
		{"template as update outside the window", swap("UTILITY", "UPDATE"), 403, 10, 2018278},
		{"unknown template", swap("left_v1", "left_v2"), 400, 100, 0},
		{"unknown language", swap(`"en"`, `"de"`), 400, 100, 0},
		{"too few body parameters", swap(`{"type":"text","text":"Depot"},`, ``), 400, 100, 1893029},
		{"too few button parameters", swap(`,{"type":"URL","url":"1"}`, ``), 400, 100, 1893029},
		{"no buttons component", `{"recipient":{"id":"7002"},"messaging_type":"UTILITY","message":{"template":{"name":"left_v1","language":{"code":"en"},"components":[{"type":"body","parameters":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"text","text":"c"}]}]}}}`, 400, 100, 1893029},
		{"button in WhatsApp's shape", swap(`{"type":"buttons",`, `{"type":"buttons","index":"0",`), 400, 100, 0},
		{"wrong button type", swap(`{"type":"URL","url":"1"}`, `{"type":"POSTBACK","payload":"1"}`), 400, 100, 0},
		{"parameter with a line break", swap(`"Depot"`, `"De\npot"`), 400, 100, 0},
		{"empty parameter", swap(`"Depot"`, `""`), 400, 100, 0},
		{"typing inside the window", `{"recipient":{"id":"7001"},"sender_action":"typing_on"}`, 200, 0, 0},
		{"typing outside the window", `{"recipient":{"id":"7002"},"sender_action":"typing_on"}`, 403, 10, 2018278},
		{"unknown sender action", `{"recipient":{"id":"7001"},"sender_action":"wave"}`, 400, 100, 0},
		{"unknown notification type", `{"recipient":{"id":"7001"},"notification_type":"LOUD","messaging_type":"UPDATE","message":{"text":"hi"}}`, 400, 100, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, graph.Options{})
			if r := b.do(t, "POST", "500/message_templates", goodTemplate); r.Status != 200 {
				t.Fatalf("template: %s", r.Raw)
			}
			r := b.do(t, "POST", "500/messages", c.body)
			check(t, r, c.status, c.code, c.subcode)
			if sends := len(b.Messages()); c.status == 200 && !strings.Contains(c.body, "sender_action") && sends != 1 {
				t.Errorf("%d messages received, want 1", sends)
			}
			if c.status != 200 && len(b.Messages()) != 0 {
				t.Error("a refused message was received")
			}
		})
	}
}

func check(t *testing.T, r reply, status, code, subcode int) {
	t.Helper()
	if r.Status != status || r.Error.Code != code || r.Error.Subcode != subcode {
		t.Errorf("answered %d %d/%d, want %d %d/%d: %s", r.Status, r.Error.Code, r.Error.Subcode, status, code, subcode, r.Raw)
	}
	if status != 200 && (r.Error.Trace == "" || r.Error.Type == "" || r.Error.Message == "") {
		t.Errorf("an error lacks trace, type or message: %s", r.Raw)
	}
}

func TestWhatThePhoneShows(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	b.do(t, "POST", "500/message_templates", goodTemplate)
	r := b.do(t, "POST", "500/messages", goodUtility)
	m := b.Messages()[0]
	if m.Mid != r.Mid || m.Mid == "" {
		t.Errorf("mid %q, answered %q", m.Mid, r.Mid)
	}
	if want := "Your vehicle Van 12 left the area Depot at 08:42. Open the map to see it."; m.Text != want {
		t.Errorf("text %q, want %q", m.Text, want)
	}
	if m.Buttons[0].Payload != "WHERE:12" || m.Buttons[1].URL != "https://example.test/e/1" {
		t.Errorf("buttons %+v", m.Buttons)
	}
	if m.Metadata != "a:1" || m.Type != "UTILITY" || m.InWindow {
		t.Errorf("message %+v", m)
	}
}

func TestTokensAndProof(t *testing.T) {
	t.Parallel()
	send := func(change func(q url.Values, h http.Header)) *http.Request {
		q := url.Values{"appsecret_proof": {graph.Proof("secret", "page-token")}}
		h := http.Header{"Authorization": {"Bearer page-token"}, "Content-Type": {"application/json"}}
		change(q, h)
		req, err := http.NewRequest("POST", "http://graph.test/v26.0/500/messages?"+q.Encode(), bytes.NewBufferString(update("7001", `{"text":"hi"}`)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = h
		return req
	}
	cases := []struct {
		name                  string
		change                func(q url.Values, h http.Header)
		revoke                int
		status, code, subcode int
		kind                  string
	}{
		{"good", func(url.Values, http.Header) {}, 0, 200, 0, 0, ""},
		{"token in the query", func(q url.Values, h http.Header) { h.Del("Authorization"); q.Set("access_token", "page-token") }, 0, 200, 0, 0, ""},
		{"no token", func(q url.Values, h http.Header) { h.Del("Authorization") }, 0, 400, 104, 0, "OAuthException"},
		{"unknown token", func(q url.Values, h http.Header) { h.Set("Authorization", "Bearer x") }, 0, 400, 190, 0, "OAuthException"},
		{"changed password", func(url.Values, http.Header) {}, 460, 400, 190, 460, "OAuthException"},
		{"no proof", func(q url.Values, h http.Header) { q.Del("appsecret_proof") }, 0, 400, 100, 0, "GraphMethodException"},
		{"wrong proof", func(q url.Values, h http.Header) { q.Set("appsecret_proof", graph.Proof("secret", "x")) }, 0, 400, 100, 0, "GraphMethodException"},
		{"another page's token", func(q url.Values, h http.Header) {
			h.Set("Authorization", "Bearer other-token")
			q.Set("appsecret_proof", graph.Proof("secret", "other-token"))
		}, 0, 400, 100, 33, "GraphMethodException"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, graph.Options{})
			if c.revoke != 0 {
				b.RevokeToken("page-token", c.revoke)
			}
			r := b.run(t, send(c.change))
			check(t, r, c.status, c.code, c.subcode)
			if r.Error.Type != c.kind {
				t.Errorf("type %q, want %q", r.Error.Type, c.kind)
			}
		})
	}
}

// The vector is published by Yoctol's messaging-apis.
func TestProofVector(t *testing.T) {
	t.Parallel()
	want := "4894f81b47c53ccf240a1130d119db2c69833eac9be09adeebc8e7226fb73e73"
	if got := graph.Proof("1WDVGY78", "1234567890"); got != want {
		t.Errorf("proof %s, want %s", got, want)
	}
}

func TestTemplateRules(t *testing.T) {
	t.Parallel()
	swap := func(old, new string) string {
		if !strings.Contains(goodTemplate, old) {
			t.Fatalf("%q is not part of the good template", old)
		}
		return strings.Replace(goodTemplate, old, new, 1)
	}
	cases := []struct {
		name, body            string
		status, code, subcode int
	}{
		{"good", goodTemplate, 200, 0, 0},
		{"capital in the name", swap("left_v1", "Left_v1"), 400, 100, 0},
		{"wrong category", swap("UTILITY", "MARKETING"), 400, 100, 0},
		{"no language", swap(`"language":"en",`, ``), 400, 100, 0},
		{"begins with a placeholder", swap("Your vehicle {{1}}", "{{1}}"), 400, 100, 2388299},
		{"ends with a placeholder", swap(" at {{3}}. Open the map to see it.", " as every day at {{3}}"), 400, 100, 2388299},
		{"no examples", swap(`,"example":{"body_text":[["Van 12","Depot","08:42"]]}`, ``), 400, 100, 2388043},
		{"too few examples", swap(`,"08:42"`, ``), 400, 100, 2388043},
		{"gap in the numbers", swap("{{3}}", "{{4}}"), 400, 100, 0},
		{"variable with a sign", swap("{{2}}", "{{#2}}"), 400, 100, 0},
		{"postback with an example", swap(`"payload":"WHERE:{{1}}"`, `"payload":"WHERE:{{1}}","example":["WHERE:1"]`), 400, 100, 2388051},
		{"quick reply button", swap("POSTBACK", "QUICK_REPLY"), 400, 100, 2018416},
		{"URL without example", swap(`,"example":{"url_suffix_example":"https://example.test/e/1"}`, ``), 400, 100, 2388043},
		{"no body", `{"name":"a","language":"en","category":"UTILITY","components":[]}`, 400, 100, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, graph.Options{})
			check(t, b.do(t, "POST", "500/message_templates", c.body), c.status, c.code, c.subcode)
		})
	}
}

func TestTemplateLife(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{ApproveAfter: time.Hour})
	status := func() string {
		var list struct {
			Data []struct{ Status string }
		}
		r := b.do(t, "GET", "500/message_templates?name=left_v1", "")
		if err := json.Unmarshal([]byte(r.Raw), &list); err != nil || len(list.Data) != 1 {
			t.Fatalf("list: %s", r.Raw)
		}
		return list.Data[0].Status
	}
	b.do(t, "POST", "500/message_templates", goodTemplate)
	if s := status(); s != "PENDING" {
		t.Errorf("status %s before the review", s)
	}
	check(t, b.do(t, "POST", "500/messages", goodUtility), 400, 100, 0)
	check(t, b.do(t, "POST", "500/message_templates", goodTemplate), 400, 100, 2388024)
	b.clock.at = b.clock.at.Add(time.Hour)
	if s := status(); s != "APPROVED" {
		t.Errorf("status %s after the review", s)
	}
	check(t, b.do(t, "POST", "500/messages", goodUtility), 200, 0, 0)
	check(t, b.do(t, "DELETE", "500/message_templates?name=left_v1", ""), 200, 0, 0)
	check(t, b.do(t, "POST", "500/messages", goodUtility), 400, 100, 0)
}

func TestTooManyVariables(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	r := b.do(t, "POST", "500/message_templates", `{"name":"a","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Vehicle {{1}} left {{2}} now.","example":{"body_text":[["a","b"]]}}]}`)
	if !strings.Contains(r.Raw, "REJECTED") {
		t.Errorf("answered %s", r.Raw)
	}
}

func TestWindowCloses(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	b.clock.at = b.clock.at.Add(24*time.Hour - time.Second)
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 200, 0, 0)
	b.clock.at = b.clock.at.Add(time.Second)
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 403, 10, 2018278)
	if err := b.Tap("500", "7001", "WHERE"); err != nil {
		t.Fatal(err)
	}
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 200, 0, 0)
}

func TestDailyCalls(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{DailyCalls: 24})
	for i := range 25 {
		want := 0
		if i == 24 {
			want = 80006
		}
		if r := b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)); r.Error.Code != want {
			t.Errorf("call %d: code %d, want %d", i, r.Error.Code, want)
		} else if i == 12 && !strings.Contains(r.Usage, `"call_count":54`) || i == 24 && !strings.Contains(r.Usage, `"estimated_time_to_regain_access":60`) {
			t.Errorf("call %d: usage %s", i, r.Usage)
		}
	}
	b.clock.at = b.clock.at.Add(time.Hour)
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 200, 0, 0)
}

func TestRate(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{Rate: 2})
	for i, want := range []int{0, 0, 613} {
		if r := b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)); r.Error.Code != want {
			t.Errorf("call %d: code %d, want %d", i, r.Error.Code, want)
		}
	}
	b.clock.at = b.clock.at.Add(time.Second)
	check(t, b.do(t, "POST", "500/messages", update("7001", `{"text":"hi"}`)), 200, 0, 0)
}
