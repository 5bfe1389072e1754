package lex_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"outrider/chat"
	"outrider/chat/lex"
	"outrider/identity"
)

// dialog remembers what it was asked and answers with buttons.
type dialog struct {
	asked []chat.Message
	fail  error
}

func (d *dialog) Answer(_ context.Context, m chat.Message) (chat.Reply, error) {
	d.asked = append(d.asked, m)
	return chat.Reply{Text: "Van 12 is in Depot.", Taps: []chat.Tap{
		{Title: "Where is it?", Payload: "WHERE:van-12"}, {Title: "Too long", Payload: "WHERE:" + strings.Repeat("x", 60)},
		{Title: "Help", Payload: "HELP:"},
	}}, d.fail
}

func (d *dialog) Close(context.Context, identity.PageID, identity.PSID) error { return d.fail }

const key = "a-long-lex-key"

func serve(t *testing.T, d *dialog, change func(*lex.Options)) func(body, key string) (int, string) {
	t.Helper()
	o := lex.Options{Dialog: d, Key: identity.NewToken(key), Page: func() identity.PageID { return "1001" }}
	if change != nil {
		change(&o)
	}
	h, err := lex.NewHandler(o)
	if err != nil {
		t.Fatal(err)
	}
	return func(body, key string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", lex.FulfilmentPath, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

// eventV2 is an event as Lex V2 documents it, with fields that nobody here knows.
const eventV2 = `{"messageVersion":"1.0","invocationSource":"FulfillmentCodeHook","inputMode":"Text","responseContentType":"text/plain; charset=utf-8",
"sessionId":"7001","inputTranscript":"where is van 12","newField":{"x":1},
"bot":{"id":"ABCDEFGHIJ","name":"Fleet","localeId":"en_US","version":"1","aliasId":"TSTALIASID","aliasName":"Test"},
"interpretations":[{"interpretationSource":"Lex","nluConfidence":0.93,"intent":{"name":"WhereIsMyVehicle","state":"ReadyForFulfillment","confirmationState":"None",
"slots":{"Vehicle":{"shape":"Scalar","value":{"originalValue":"van 12","interpretedValue":"Van 12","resolvedValues":["Van 12"]}}}}}],
"requestAttributes":{"x-amz-lex:channels:platform":"Facebook"},
"sessionState":{"sessionAttributes":{"a":"b"},"intent":{"name":"WhereIsMyVehicle","state":"ReadyForFulfillment","confirmationState":"None",
"slots":{"Vehicle":{"shape":"Scalar","value":{"originalValue":"van 12","interpretedValue":"Van 12","resolvedValues":["Van 12"]}}}},"originatingRequestId":"r"},
"transcriptions":[{"transcription":"where is van 12","transcriptionConfidence":1.0}]}`

const eventV1 = `{"messageVersion":"1.0","invocationSource":"FulfillmentCodeHook","userId":"7002","sessionAttributes":{"a":"b"},
"requestAttributes":{"x-amz-lex:user-id":"7001","x-amz-lex:channel-type":"Facebook","x-amz-lex:facebook-page-id":"1002"},
"bot":{"name":"Fleet","alias":"$LATEST","version":"$LATEST"},"outputDialogMode":"Text","inputTranscript":"how is van 12",
"currentIntent":{"name":"VehicleStatus","slots":{"Vehicle":"van 12","Other":null},"confirmationStatus":"None"}}`

func TestV2(t *testing.T) {
	t.Parallel()
	d := &dialog{}
	var wrote []string
	ask := serve(t, d, func(o *lex.Options) {
		o.Wrote = func(_ context.Context, page identity.PageID, psid identity.PSID) error {
			wrote = append(wrote, string(page)+"/"+string(psid))
			return nil
		}
	})
	status, body := ask(eventV2, key)
	want := `{"sessionState":{"sessionAttributes":{"a":"b"},"dialogAction":{"type":"Close"},"intent":{"name":"WhereIsMyVehicle","slots":{"Vehicle":{"value":{"originalValue":"van 12","interpretedValue":"Van 12"}}},"state":"Fulfilled"}},` +
		`"messages":[{"contentType":"PlainText","content":"Van 12 is in Depot."},{"contentType":"ImageResponseCard","imageResponseCard":{"title":"Van 12 is in Depot.","buttons":[{"text":"Where is it?","value":"WHERE:van-12"},{"text":"Too long","value":"Too long"},{"text":"Help","value":"HELP:"}]}}]}`
	if status != 200 || body != want {
		t.Errorf("%d\ngot  %s\nwant %s", status, body, want)
	}
	if m := d.asked[0]; m != (chat.Message{Page: "1001", PSID: "7001", Text: "where is van 12", Intent: chat.Where, Vehicle: "van 12"}) {
		t.Errorf("asked %+v", m)
	}
	if len(wrote) != 1 || wrote[0] != "1001/7001" {
		t.Errorf("wrote %v", wrote)
	}
}

func TestV1(t *testing.T) {
	t.Parallel()
	d := &dialog{}
	status, body := serve(t, d, nil)(eventV1, key)
	want := `{"sessionAttributes":{"a":"b"},"dialogAction":{"type":"Close","fulfillmentState":"Fulfilled","message":{"contentType":"PlainText","content":"Van 12 is in Depot."},` +
		`"responseCard":{"version":"1","contentType":"application/vnd.amazonaws.card.generic","genericAttachments":[{"title":"Van 12 is in Depot.","buttons":[{"text":"Where is it?","value":"WHERE:van-12"},{"text":"Too long","value":"Too long"},{"text":"Help","value":"HELP:"}]}]}}}`
	if status != 200 || body != want {
		t.Errorf("%d\ngot  %s\nwant %s", status, body, want)
	}
	if m := d.asked[0]; m != (chat.Message{Page: "1002", PSID: "7001", Text: "how is van 12", Intent: chat.Status, Vehicle: "van 12"}) {
		t.Errorf("asked %+v", m)
	}
}

// A tapped button comes back as words that are its value; what Lex does not understand is left to the dialog.
func TestButtonsAndFallback(t *testing.T) {
	t.Parallel()
	d := &dialog{}
	ask := serve(t, d, nil)
	const event = `{"sessionId":"7001","inputTranscript":%q,"sessionState":{"intent":{"name":"FallbackIntent","slots":{}}}}`
	for _, text := range []string{"MUTE:van-12:3600", "xyz: abc"} {
		ask(strings.ReplaceAll(event, "%q", `"`+text+`"`), key)
	}
	if d.asked[0].Payload != "MUTE:van-12:3600" || d.asked[0].Intent != chat.Unknown || d.asked[1].Payload != "" {
		t.Errorf("%+v", d.asked)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, body, key string
		noPage          bool
		fail            error
		status          int
		says            string
	}{
		{name: "wrong key", body: eventV2, key: "wrong", status: 401, says: "lex.key"},
		{name: "no JSON", body: "hello", key: key, status: 422, says: "lex: body"},
		{name: "another event", body: `{"Records":[]}`, key: key, status: 422, says: "sessionState"},
		{name: "nobody", body: `{"sessionState":{"intent":{"name":"Help"}}}`, key: key, status: 422, says: "sessionId"},
		{name: "another channel", body: strings.Replace(eventV2, "Facebook", "Slack", 1), key: key, status: 422, says: "expected Facebook"},
		{name: "no page", body: eventV2, key: key, noPage: true, status: 422, says: "lex.page"},
		{name: "too large", body: strings.Repeat(" ", 300<<10), key: key, status: 413},
		{name: "store down", body: eventV2, key: key, fail: errors.New("disk full"), status: 503, says: "try again"},
	} {
		ask := serve(t, &dialog{fail: x.fail}, func(o *lex.Options) {
			if x.noPage {
				o.Page = nil
			}
		})
		status, body := ask(x.body, x.key)
		if status != x.status || !strings.Contains(body, x.says) || strings.Contains(body, "disk full") {
			t.Errorf("%s: %d %s", x.name, status, body)
		}
	}
}

// Every intent that can be asked for has a name of its own, both ways.
func TestIntentNames(t *testing.T) {
	t.Parallel()
	for _, i := range chat.Intents() {
		if lex.IntentName(i) == "" || lex.IntentOf(lex.IntentName(i)) != i {
			t.Errorf("%s is called %q", i, lex.IntentName(i))
		}
	}
	if lex.IntentOf("FallbackIntent") != chat.Unknown {
		t.Error("the fallback means something")
	}
}

func FuzzHandler(f *testing.F) {
	for _, seed := range []string{eventV2, eventV1, `{"currentIntent":{}}`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		status, answer := serve(t, &dialog{}, nil)(body, key)
		if status == 200 && !json.Valid([]byte(answer)) || status >= 500 {
			t.Errorf("%d %q", status, answer)
		}
		if !json.Valid(lex.Apology([]byte(body))) {
			t.Errorf("the apology to %q is no JSON", body)
		}
	})
}

// The real Lambda program, driven through the runtime's API as AWS does it: first the gateway answers, then it fails.
func TestLambda(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "outrider/cmd/lex-fulfillment").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	h, err := lex.NewHandler(lex.Options{Dialog: &dialog{}, Key: identity.NewToken(key), Page: func() identity.PageID { return "1001" }})
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)

	events, answers := make(chan string), make(chan string)
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/invocation/next"):
			select {
			case e := <-events:
				w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
				w.Header().Set("Lambda-Runtime-Deadline-Ms", "99999999999999")
				_, _ = w.Write([]byte(e))
			case <-r.Context().Done():
			}
		case strings.HasSuffix(r.URL.Path, "/response"), strings.HasSuffix(r.URL.Path, "/error"):
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusAccepted)
			answers <- r.URL.Path[strings.LastIndex(r.URL.Path, "/"):] + " " + string(body)
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	program := exec.CommandContext(ctx, binary)
	program.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"),
		"OUTRIDER_URL="+gateway.URL, "OUTRIDER_LEX_KEY="+key)
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = program.Wait(); runtime.CloseClientConnections(); runtime.Close() })

	for _, x := range []struct {
		down bool
		says string
	}{{false, "Van 12 is in Depot."}, {true, "cannot reach your fleet"}} {
		down.Store(x.down)
		select {
		case events <- eventV2:
		case <-time.After(30 * time.Second):
			t.Fatal("the program asks for nothing")
		}
		select {
		case got := <-answers:
			if !strings.HasPrefix(got, "/response ") || !strings.Contains(got, x.says) || strings.Contains(got, key) {
				t.Errorf("down %v: %s", x.down, got)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no answer")
		}
	}
}

func TestForwarderRefuses(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ url, key string }{{"http://gateway.example", key}, {"", key}, {"https://gateway.example", ""}} {
		if _, err := lex.NewForwarder(lex.ForwarderOptions{URL: x.url, Key: identity.NewToken(x.key), HTTP: http.DefaultClient}); err == nil {
			t.Errorf("%+v was taken", x)
		}
	}
}
