package app_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"outrider/chat"
	"outrider/chat/lex"
	"outrider/chat/lex/lexruntime"
	"outrider/identity"
	"outrider/internal/app"
	"outrider/internal/config"
	sandbox "outrider/simulator/lex"
)

func lexBot(t *testing.T, fulfilled bool) *sandbox.Bot {
	t.Helper()
	var zip bytes.Buffer
	must(t, lex.WriteBot(&zip, fulfilled))
	b, err := sandbox.ParseBot(bytes.NewReader(zip.Bytes()), int64(zip.Len()))
	must(t, err)
	return b
}

var lexKey = sandbox.Credentials{KeyID: "AKIDEXAMPLE", Secret: "secret-access-key-of-the-test"}

func lexSettings(url string) map[string]string {
	return map[string]string{
		"chat.mode": "builtin", "lex.region": "us-east-1", "lex.bot": "BOT1234567", "lex.alias": "TSTALIASID", "lex.url": url,
		"lex.access_key_id": lexKey.KeyID, "lex.secret_access_key": lexKey.Secret, "lex.timeout": "10s", "lex.key": "lex-key-of-the-test",
	}
}

// The gateway owns the webhook and asks Lex what people mean. When Lex fails or knows nothing, the built-in grammar
// answers; STOP is not Lex's business.
func TestTheGatewayAsksLex(t *testing.T) {
	t.Parallel()
	bot := sandbox.New(sandbox.Options{Bot: lexBot(t, false), Credentials: lexKey})
	server := httptest.NewServer(bot)
	t.Cleanup(server.Close)
	r := newRig(t, lexSettings(server.URL))
	r.own(t, "van", "ann", "7001")
	r.own(t, "secret", "bob", "7002")
	r.talk(t, "7001", "where is Van of ann")
	r.hears(t, "7001", "Nothing has been heard of Van of ann yet.")
	if calls := bot.Calls(); len(calls) != 1 || calls[0] != (sandbox.Call{Locale: "en_US", Session: "7001", Text: "where is Van of ann"}) {
		t.Errorf("%+v", calls)
	}
	r.talk(t, "7001", "where is Van of bob")
	r.talk(t, "7001", "satuts") // no utterance of the bot, but of the grammar with its mistakes
	eventually(t, "two more answers", func() bool { return len(r.sandbox.Thread(page, "7001")) == 3 })
	for _, m := range r.sandbox.Thread(page, "7001") {
		if strings.Contains(m.Text, "bob") {
			t.Errorf("ann learns of %q", m.Text)
		}
	}
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	for _, f := range app.Check(t.Context(), c) {
		if f.Name == "lex" && f.Err != nil {
			t.Errorf("check: %v", f.Err)
		}
	}
	bot.Fail(sandbox.Fault{Status: 503, Type: "ServiceUnavailable"})
	r.talk(t, "7001", "are you a robot?")
	r.hears(t, "7001", "I am the automatic assistant of Fleet")
	if n := r.metric(t, `outrider_chat_understander_total{result="failed"}`); n != 1 {
		t.Errorf("failures: %v", n)
	}
	before := len(bot.Calls())
	r.talk(t, "7001", "stop")
	r.hears(t, "7001", "You get no more messages")
	if len(bot.Calls()) != before {
		t.Error("lex was asked about STOP")
	}
	if strings.Contains(r.log.String(), lexKey.Secret) {
		t.Error("the secret key is in the log")
	}
	bot.Script([]byte(`{"messages":[{"contentType":"PlainText","content":"Which one?"},{"contentType":"ImageResponseCard","imageResponseCard":{"title":"Which one?","buttons":[{"text":"The blue one","value":"blue van"}]}}],
		"sessionState":{"dialogAction":{"type":"ElicitSlot"},"intent":{"name":"Wash","state":"InProgress"}}}`))
	r.talk(t, "7001", "start")
	r.talk(t, "7001", "wash it")
	r.hears(t, "7001", "Which one?")
	must(t, r.sandbox.Tap(page, "7001", r.button(t, "7001", "The blue one").Payload))
	eventually(t, "the tap reaches the bot as text", func() bool {
		calls := bot.Calls()
		return calls[len(calls)-1].Text == "blue van"
	})
}

// Every part of way (b) on one machine: Lex's sandbox understands, the real Lambda program is driven through the runtime
// API, and asks the gateway.
func TestLexAsksTheFunctionAsksTheGateway(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "outrider/cmd/lex-fulfillment").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	r := newRig(t, map[string]string{"lex.key": "lex-key-of-the-test"})
	r.own(t, "van", "ann", "7001")
	function, err := sandbox.StartLambda(binary, "OUTRIDER_URL="+r.url(""), "OUTRIDER_LEX_KEY=lex-key-of-the-test")
	must(t, err)
	t.Cleanup(function.Stop)
	bot := sandbox.New(sandbox.Options{Bot: lexBot(t, true), Credentials: lexKey, Lambda: function})
	server := httptest.NewServer(bot)
	t.Cleanup(server.Close)
	said, err := lexAsk(t, server.URL, "7001", "where is Van of ann?")
	must(t, err)
	if said != "Nothing has been heard of Van of ann yet." {
		t.Errorf("%q", said)
	}
	r.stop(t)
	if said, err = lexAsk(t, server.URL, "7001", "where is it"); err != nil || !strings.Contains(said, "cannot reach your fleet") {
		t.Errorf("%q %v", said, err)
	}
}

// lexAsk asks the bot as Meta's channel of Lex does.
func lexAsk(t *testing.T, url, psid, text string) (string, error) {
	t.Helper()
	c, err := lexruntime.NewClient(lexruntime.Options{
		Region: "us-east-1", Bot: "BOT1234567", Alias: "TSTALIASID", URL: url, HTTP: http.DefaultClient, Timeout: 20 * time.Second,
		Credentials: credentials.NewStaticCredentialsProvider(lexKey.KeyID, lexKey.Secret, ""),
	})
	must(t, err)
	got, err := c.Recognize(t.Context(), chat.Message{PSID: identity.PSID(psid), Text: text}, "en")
	if err != nil || got.Say == nil {
		return "", err
	}
	return got.Say.Text, nil
}
