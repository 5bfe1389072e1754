package lexruntime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"outrider/chat"
	"outrider/chat/lex"
	"outrider/chat/lex/lexruntime"
	"outrider/identity"
	sandbox "outrider/simulator/lex"
)

var key = sandbox.Credentials{KeyID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}

// bot is our own definition, as Lex imports it.
func bot(t *testing.T, fulfilled bool) *sandbox.Bot {
	t.Helper()
	var zip bytes.Buffer
	if err := lex.WriteBot(&zip, fulfilled); err != nil {
		t.Fatal(err)
	}
	b, err := sandbox.ParseBot(bytes.NewReader(zip.Bytes()), int64(zip.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// serve returns a sandbox with our bot and a client that asks it.
func serve(t *testing.T, change func(*lexruntime.Options)) (*sandbox.Sandbox, *lexruntime.Client) {
	t.Helper()
	s := sandbox.New(sandbox.Options{Bot: bot(t, false), Credentials: key})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	o := lexruntime.Options{
		Region: "us-east-1", Bot: "BOT1234567", Alias: "TSTALIASID", URL: server.URL, HTTP: server.Client(), Timeout: 10 * time.Second,
		Credentials: credentials.NewStaticCredentialsProvider(key.KeyID, key.Secret, ""),
	}
	if change != nil {
		change(&o)
	}
	c, err := lexruntime.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestRecognize(t *testing.T) {
	t.Parallel()
	s, c := serve(t, nil)
	for _, x := range []struct {
		language, text string
		want           chat.Recognized
	}{
		{"en", "where is van 12?", chat.Recognized{Intent: chat.Where, Vehicle: "van 12"}},
		{"en", "mute", chat.Recognized{Intent: chat.Mute}},
		{"en", "mute 2 hours", chat.Recognized{Intent: chat.Mute, Vehicle: "2 hours"}}, // the sandbox takes the first slot
		{"de", "wo ist mein auto", chat.Recognized{Intent: chat.Where}},
		{"hi", "मेरी गाड़ी कहाँ है", chat.Recognized{Intent: chat.Where}},
		{"en", "quiet hours 22:00 07:00", chat.Recognized{Intent: chat.Quiet, Words: []string{"22:00", "07:00"}}},
		{"en", "remove fence Home", chat.Recognized{Intent: chat.Remove, Words: []string{"Home"}}},
		{"en", "the weather is fine", chat.Recognized{}},
		{"vi", "xe tôi ở đâu", chat.Recognized{}},              // Lex does not speak it, and is not asked
		{"en", strings.Repeat("bla ", 500), chat.Recognized{}}, // cut to what Lex takes
	} {
		got, err := c.Recognize(t.Context(), chat.Message{Page: "1", PSID: "7001", Text: x.text}, x.language)
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%.40s: %+v, %v, want %+v", x.text, got, err, x.want)
		}
	}
	for _, call := range s.Calls() {
		if call.Session != "7001" || call.Locale == "" {
			t.Errorf("%+v", call)
		}
	}
	if n := len(s.Calls()); n != 9 {
		t.Errorf("%d calls", n)
	}
	if _, err := c.Recognize(t.Context(), chat.Message{PSID: "ünsafe/../id", Text: "help"}, "en"); err != nil {
		t.Errorf("an id that Lex would refuse: %v", err)
	}
}

// What the bot says itself is shown in Messenger.
func TestWhatTheBotSays(t *testing.T) {
	t.Parallel()
	s, c := serve(t, nil)
	for _, x := range []struct {
		name, answer string
		want         chat.Recognized
	}{
		{
			"a question for a slot, with a card",
			`{"messages":[{"contentType":"PlainText","content":"Which one?"},{"contentType":"ImageResponseCard","imageResponseCard":{"title":"Which one?","buttons":[{"text":"Van 12","value":"van 12"},{"text":"Where?","value":"WHERE:van-12!0gfgAAAA"}]}}],
			"sessionState":{"dialogAction":{"type":"ElicitSlot","slotToElicit":"Vehicle"},"intent":{"name":"WhereIsMyVehicle","state":"InProgress","slots":{"Vehicle":null}}}}`,
			chat.Recognized{Say: &chat.Reply{Text: "Which one?", Taps: []chat.Tap{{Title: "Van 12", Payload: "SAY:van+12"}, {Title: "Where?", Payload: "WHERE:van-12"}}}},
		},
		{
			"an answer of a function, with a picture",
			`{"messages":[{"contentType":"ImageResponseCard","imageResponseCard":{"title":"Here","subtitle":"Depot","imageUrl":"https://x.example/p.png"}}],
			"sessionState":{"dialogAction":{"type":"Close"},"intent":{"name":"Other","state":"Fulfilled"}}}`,
			chat.Recognized{Say: &chat.Reply{Text: "Here\nDepot", Card: &chat.Card{Title: "Here", Subtitle: "Depot", Image: "https://x.example/p.png"}}},
		},
		{
			"speech and a custom payload",
			`{"messages":[{"contentType":"SSML","content":"<speak>Fish &amp; <b>chips</b></speak>"},{"contentType":"CustomPayload","content":"{\"text\":\"from JSON\"}"},{"contentType":"CustomPayload","content":"{\"slack\":1}"},{"contentType":"CustomPayload","content":"plain"}],
			"sessionState":{"intent":{"name":"Other","state":"Failed"}}}`,
			chat.Recognized{Say: &chat.Reply{Text: "Fish & chips\nfrom JSON\nplain"}},
		},
		{
			"slots of several messages",
			`{"sessionState":{"dialogAction":{"type":"Close"},"intent":{"name":"MuteAlerts","state":"ReadyForFulfillment","slots":{"Vehicle":{"value":{"originalValue":"van 12"}},"Duration":{"value":{"originalValue":"two hours","interpretedValue":"PT2H"}},"From":{"values":[{"value":{"interpretedValue":"x"}}]}}}}}`,
			chat.Recognized{Intent: chat.Mute, Vehicle: "van 12", Words: []string{"two hours", "x"}},
		},
		{
			"the fallback, whatever it says",
			`{"messages":[{"contentType":"PlainText","content":"Sorry?"}],"sessionState":{"intent":{"name":"FallbackIntent","state":"ReadyForFulfillment"}}}`,
			chat.Recognized{},
		},
		{"interpretations only", `{"interpretations":[{"intent":{"name":"Help"}}]}`, chat.Recognized{Intent: chat.Help}},
		{"nothing", `{}`, chat.Recognized{}},
	} {
		s.Script(json.RawMessage(x.answer))
		got, err := c.Recognize(t.Context(), chat.Message{PSID: "7001", Text: "x"}, "en")
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", x.name, got, err, x.want)
		}
	}
}

func TestLexFails(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name string
		make func(*sandbox.Sandbox)
		set  func(*lexruntime.Options)
		want string
	}{
		{"throttled", func(s *sandbox.Sandbox) { s.Fail(sandbox.Fault{Status: 429, Type: "ThrottlingException"}) }, nil, "429 ThrottlingException"},
		{"with a URL behind its type", func(s *sandbox.Sandbox) {
			s.Fail(sandbox.Fault{Status: 500, Type: "com.amazonaws#InternalServerException:http://internal.amazon.com/"})
		}, nil, "500 InternalServerException"},
		{"no such bot", nil, func(o *lexruntime.Options) { o.Bot = "OTHER" }, "404 ResourceNotFoundException"},
		{"wrong secret", nil, func(o *lexruntime.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(key.KeyID, "wrong", "")
		}, "403 InvalidSignatureException"},
		{"wrong key", nil, func(o *lexruntime.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider("AKIDOTHER", "wrong", "")
		}, "403 UnrecognizedClientException"},
		{"another region", nil, func(o *lexruntime.Options) { o.Region = "eu-west-1" }, "403 InvalidSignatureException"},
		{"no JSON", func(s *sandbox.Sandbox) { s.Script(json.RawMessage("no")) }, nil, "the answer of RecognizeText"},
		{"no credentials", nil, func(o *lexruntime.Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none found") })
		}, "none found"},
		{"too slow", func(s *sandbox.Sandbox) { s.Hang(time.Minute) }, func(o *lexruntime.Options) { o.Timeout = 50 * time.Millisecond }, "no answer in time"},
	} {
		s, c := serve(t, x.set)
		if x.make != nil {
			x.make(s)
		}
		_, err := c.Recognize(t.Context(), chat.Message{PSID: "7001", Text: "help"}, "en")
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), key.Secret) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// Who asks a bot that is down waits a few times, and then not any more.
func TestNobodyWaitsForABotThatIsDown(t *testing.T) {
	t.Parallel()
	s, c := serve(t, nil)
	for range 20 {
		s.Fail(sandbox.Fault{Status: 503, Type: "ServiceUnavailable"})
		_, _ = c.Recognize(t.Context(), chat.Message{PSID: "7001", Text: "help"}, "en")
	}
	s.Fail() // fifteen faults are left: nobody came for them
	if _, err := c.Recognize(t.Context(), chat.Message{PSID: "7001", Text: "help"}, "en"); err == nil || strings.Contains(err.Error(), "503") {
		t.Errorf("the breaker is closed: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	whole := lexruntime.Options{Region: "r", Bot: "b", Alias: "a", Credentials: aws.AnonymousCredentials{}, HTTP: http.DefaultClient}
	if _, err := lexruntime.NewClient(whole); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(*lexruntime.Options){
		func(o *lexruntime.Options) { o.Region = "" }, func(o *lexruntime.Options) { o.Bot = "" }, func(o *lexruntime.Options) { o.Alias = "" },
		func(o *lexruntime.Options) { o.Credentials = nil }, func(o *lexruntime.Options) { o.HTTP = nil },
	} {
		o := whole
		spoil(&o)
		if _, err := lexruntime.NewClient(o); err == nil {
			t.Errorf("taken: %+v", o)
		}
	}
}

// A key that is set is used as it is, and shows in nothing that is printed.
func TestCredentials(t *testing.T) {
	t.Parallel()
	p, err := lexruntime.Credentials(t.Context(), "us-east-1", key.KeyID, identity.NewToken(key.Secret))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Retrieve(t.Context())
	if err != nil || got.AccessKeyID != key.KeyID || got.SecretAccessKey != key.Secret {
		t.Errorf("%v", err)
	}
}

// The signer that requests go through reproduces AWS's published vectors (aws-sig-v4-test-suite).
func TestTheSignerSignsAsPublished(t *testing.T) {
	t.Parallel()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, x := range []struct{ name, method, target, want string }{
		{"get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), x.method, "https://example.amazonaws.com"+x.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
		err = v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: key.KeyID, SecretAccessKey: key.Secret}, r, empty, "service", "us-east-1", at)
		if err != nil || !strings.HasSuffix(r.Header.Get("Authorization"), "Signature="+x.want) {
			t.Errorf("%s: %v %s", x.name, err, r.Header.Get("Authorization"))
		}
	}
}
