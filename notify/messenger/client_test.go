package messenger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
	"outrider/notify/messenger"
)

const (
	pageToken = "1234567890"
	appSecret = "1WDVGY78"
	proof     = "4894f81b47c53ccf240a1130d119db2c69833eac9be09adeebc8e7226fb73e73"
)

func pages(list ...identity.Page) *identity.Directory {
	d := identity.NewDirectory()
	d.Load(identity.Records{Pages: append(list, identity.Page{ID: "111", AccessToken: identity.NewToken(pageToken)})})
	return d
}

// api returns a Graph client whose requests are answered by handle.
func api(t testing.TB, handle http.HandlerFunc) *graph.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	g, err := graph.New(graph.Options{URL: server.URL, Version: "v26.0", AppSecret: identity.NewToken(appSecret), HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestMessagesOnTheWire(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 700)
	button := []notify.Button{{Title: "Where is it now?", Payload: "WHERE:12"}}
	for _, c := range []struct {
		what string
		m    notify.Message
		want string
	}{
		{"text with a button inside the window",
			notify.Message{Delivery: "d1", PSID: "7001", Route: notify.RouteWindow, Text: "Van 12 left Depot at 08:42.", Buttons: button},
			`{"recipient":{"id":"7001"},"messaging_type":"UPDATE","message":{"metadata":"d1","attachment":{"type":"template","payload":
			 {"template_type":"button","text":"Van 12 left Depot at 08:42.","buttons":[{"type":"postback","title":"Where is it now?","payload":"WHERE:12"}]}}}}`},
		{"plain text",
			notify.Message{Delivery: "d1", PSID: "7001", Route: notify.RouteWindow, Text: "Hello."},
			`{"recipient":{"id":"7001"},"messaging_type":"UPDATE","message":{"metadata":"d1","text":"Hello."}}`},
		{"text too long for a button template: quick replies",
			notify.Message{Delivery: "d1", PSID: "7001", Route: notify.RouteWindow, Text: long, Buttons: button},
			`{"recipient":{"id":"7001"},"messaging_type":"UPDATE","message":{"metadata":"d1","text":"` + long + `",
			 "quick_replies":[{"content_type":"text","title":"Where is it now?","payload":"WHERE:12"}]}}`},
		{"text too long for Meta, long titles",
			notify.Message{Delivery: "d1", PSID: "7001", Route: notify.RouteWindow, Text: strings.Repeat("ä", 1500),
				Buttons: []notify.Button{{Title: "A title of more than twenty characters", Payload: "X"}}},
			`{"recipient":{"id":"7001"},"messaging_type":"UPDATE","message":{"metadata":"d1","text":"` + strings.Repeat("ä", 998) + `…",
			 "quick_replies":[{"content_type":"text","title":"A title of more tha…","payload":"X"}]}}`},
		{"utility template",
			notify.Message{Delivery: "d1", PSID: "7001", Route: notify.RouteUtility, Template: "outrider_exit_v1", Language: "en",
				Params: []string{"Van 12", "Depot", "08:42"}, Buttons: []notify.Button{{Payload: "12"}}},
			`{"recipient":{"id":"7001"},"messaging_type":"UTILITY","message":{"metadata":"d1","template":{"name":"outrider_exit_v1","language":{"code":"en"},"components":[
			 {"type":"body","parameters":[{"type":"text","text":"Van 12"},{"type":"text","text":"Depot"},{"type":"text","text":"08:42"}]},
			 {"type":"buttons","parameters":[{"type":"POSTBACK","payload":"12"}]}]}}}`},
		{"message tag",
			notify.Message{Delivery: "d1", PSID: "7001", Route: notify.RouteTag, Tag: "ACCOUNT_UPDATE", Text: "Hello."},
			`{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","tag":"ACCOUNT_UPDATE","message":{"metadata":"d1","text":"Hello."}}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			g := api(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "POST" || r.URL.Path != "/v26.0/111/messages" || r.URL.RawQuery != "appsecret_proof="+proof ||
					r.Header.Get("Authorization") != "Bearer "+pageToken {
					t.Errorf("request %s %s", r.Method, r.URL)
				}
				body, _ := io.ReadAll(r.Body)
				if diff := cmp.Diff(plain(t, c.want), plain(t, string(body))); diff != "" {
					t.Errorf("body (-want +got):\n%s", diff)
				}
				io.WriteString(w, `{"recipient_id":"7001","message_id":"m_1"}`)
			})
			c.m.Page = "111"
			receipt, err := messenger.NewClient(g, pages()).Send(t.Context(), c.m)
			if err != nil || receipt.MessageID != "m_1" {
				t.Errorf("%+v, %v", receipt, err)
			}
		})
	}
}

func plain(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "\n", " ")), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestSendRefusals(t *testing.T) {
	t.Parallel()
	const word = "EAABsecret"
	text := notify.Message{Delivery: "d1", Page: "111", PSID: "7001", Route: notify.RouteWindow, Text: "Hello."}
	change := func(f func(*notify.Message)) notify.Message {
		m := text
		f(&m)
		return m
	}
	for _, c := range []struct {
		what   string
		m      notify.Message
		answer string
		want   notify.Reason
		asked  bool
	}{
		{"Graph's error", text, `{"error":{"message":"closed","code":10,"error_subcode":2018278}}`, notify.ReasonWindowClosed, true},
		{"an answer without a message", text, `{}`, notify.ReasonAmbiguous, true},
		{"unknown page", change(func(m *notify.Message) { m.Page = "999" }), "", notify.ReasonUnknownPage, false},
		{"page without token", change(func(m *notify.Message) { m.Page = "222" }), "", notify.ReasonNoToken, false},
		{"a message without text", change(func(m *notify.Message) { m.Text = " " }), "", notify.ReasonBadRequest, false},
		{"a route that is none", change(func(m *notify.Message) { m.Route = notify.RouteFallback }), "", notify.ReasonBadRequest, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			asked := false
			g := api(t, func(w http.ResponseWriter, _ *http.Request) {
				asked = true
				io.WriteString(w, c.answer)
			})
			_, err := messenger.NewClient(g, pages(identity.Page{ID: "222"})).Send(t.Context(), c.m)
			e, ok := errors.AsType[*notify.Error](err)
			if !ok || e.Reason != c.want || asked != c.asked || strings.Contains(e.Error(), word) {
				t.Errorf("%v (asked Graph: %v), want %s", err, asked, c.want)
			}
		})
	}
}

func ExampleClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":{"message":"This person isn't available right now.","code":551,"error_subcode":1893047,"is_transient":false}}`)
	}))
	defer server.Close()
	g, err := graph.New(graph.Options{URL: server.URL, Version: "v26.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = messenger.NewClient(g, pages()).Send(context.Background(), notify.Message{
		Delivery: "d1", Page: "111", PSID: "7001", Route: notify.RouteWindow, Text: "Van 12 left Depot North at 08:42."})
	fmt.Println(err)
	// Output: notify: unreachable: graph code 551/1893047: This person isn't available right now.
}
