package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/simulator/graph"
)

const app = "1000|secret"

func (b *bench) exchange(t *testing.T, query string) (token string, r reply) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://graph.test/v26.0/oauth/access_token?client_id=1000&"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r = b.run(t, req)
	var v struct {
		Token string `json:"access_token"`
	}
	_ = json.Unmarshal([]byte(r.Raw), &v)
	return v.Token, r
}

// TestLogin walks the whole way from a login code to a page token and a PSID.
func TestLogin(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	b.AddUser("42", "Ann", "500")
	code, err := b.Login("42")
	if err != nil {
		t.Fatal(err)
	}
	short, _ := b.exchange(t, "client_secret=secret&code="+code)
	if _, again := b.exchange(t, "client_secret=secret&code="+code); again.Error.Code != 100 {
		t.Errorf("a code was redeemed twice: %s", again.Raw)
	}
	if _, wrong := b.exchange(t, "client_secret=x&code="+code); wrong.Status != 400 {
		t.Errorf("a wrong secret was accepted: %s", wrong.Raw)
	}
	long, _ := b.exchange(t, "client_secret=secret&grant_type=fb_exchange_token&fb_exchange_token="+short)
	b.clock.at = b.clock.at.Add(2 * time.Hour)
	check(t, b.as(t, short, "GET", "me/accounts", ""), 400, 190, 463)
	if r := b.as(t, long, "GET", "me/accounts?fields=name,access_token,tasks", ""); !strings.Contains(r.Raw, `"access_token":"page-token"`) {
		t.Errorf("accounts: %s", r.Raw)
	}
	if r := b.as(t, app, "GET", "42/ids_for_pages?page=500", ""); !strings.Contains(r.Raw, `"data":[]`) {
		t.Errorf("ids_for_pages without a link: %s", r.Raw)
	}
	if err := b.Link("42", "500", "7001"); err != nil {
		t.Fatal(err)
	}
	if r := b.as(t, app, "GET", "42/ids_for_pages?page=500", ""); !strings.Contains(r.Raw, `"id":"7001"`) {
		t.Errorf("ids_for_pages: %s", r.Raw)
	}
}

func TestDebugToken(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	if r := b.as(t, app, "GET", "debug_token?input_token=page-token", ""); !strings.Contains(r.Raw, `"is_valid":true`) || !strings.Contains(r.Raw, `"profile_id":"500"`) {
		t.Errorf("good token: %s", r.Raw)
	}
	b.RevokeToken("page-token", 460)
	if r := b.as(t, app, "GET", "debug_token?input_token=page-token", ""); !strings.Contains(r.Raw, `"is_valid":false`) || !strings.Contains(r.Raw, `"subcode":460`) {
		t.Errorf("revoked token: %s", r.Raw)
	}
	b.RestoreToken("page-token")
	check(t, b.do(t, "GET", "me?fields=id,name", ""), 200, 0, 0)
}

func TestPaths(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, method, path string
		status, code       int
	}{
		{"me is the page", "POST", "me/messages", 200, 0},
		{"unknown edge", "GET", "500/nothing", 400, 2500},
		{"wrong method", "PUT", "500/messages", 400, 2500},
		{"unknown node", "GET", "999", 400, 100},
		{"page edge with another node", "GET", "600/message_templates", 400, 100},
		{"app edge with a page token", "POST", "1000/subscriptions", 400, 200},
		{"profile", "GET", "500/messenger_profile?fields=get_started", 200, 0},
		{"menu without get started", "POST", `500/messenger_profile?persistent_menu=[]`, 400, 100},
		{"menu without a default", "POST", `500/messenger_profile?get_started={"payload":"G"}&persistent_menu=[{"locale":"de_DE","call_to_actions":[{"type":"postback","title":"A","payload":"A"}]}]`, 400, 100},
		{"menu with a nested item", "POST", `500/messenger_profile?get_started={"payload":"G"}&persistent_menu=[{"locale":"default","call_to_actions":[{"type":"nested","title":"A"}]}]`, 400, 100},
		{"menu with a long title", "POST", `500/messenger_profile?get_started={"payload":"G"}&persistent_menu=[{"locale":"default","call_to_actions":[{"type":"postback","title":"0123456789012345678901234567890","payload":"A"}]}]`, 400, 100},
		{"menu", "POST", `500/messenger_profile?get_started={"payload":"G"}&persistent_menu=[{"locale":"default","call_to_actions":[{"type":"postback","title":"A","payload":"A"}]}]`, 200, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, graph.Options{})
			r := b.do(t, c.method, c.path, update("7001", `{"text":"hi"}`))
			if r.Status != c.status || r.Error.Code != c.code {
				t.Errorf("answered %d code %d, want %d code %d: %s", r.Status, r.Error.Code, c.status, c.code, r.Raw)
			}
		})
	}
}

func TestOtherVersions(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	req, err := http.NewRequest("GET", "http://graph.test/v12.0/500", nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, b.run(t, req), 400, 2500, 0)
}

func TestAcceptedTags(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	body := `{"recipient":{"id":"7002"},"messaging_type":"MESSAGE_TAG","tag":"ACCOUNT_UPDATE","message":{"text":"hi"}}`
	check(t, b.do(t, "POST", "500/messages", body), 400, 100, 0)
	if err := b.AcceptTags("500", "ACCOUNT_UPDATE"); err != nil {
		t.Fatal(err)
	}
	check(t, b.do(t, "POST", "500/messages", body), 200, 0, 0)
}
