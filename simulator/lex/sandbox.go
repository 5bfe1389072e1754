package lex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Options is what a sandbox is made of. Bot is required.
type Options struct {
	Bot         *Bot
	BotID       string // "BOT1234567" when empty
	AliasID     string // "TSTALIASID" when empty
	Region      string // "us-east-1" when empty
	Credentials Credentials
	// Lambda is the function that the alias names; nil: none.
	Lambda interface {
		Invoke(ctx context.Context, event json.RawMessage) (json.RawMessage, error)
	}
	Now func() time.Time // nil: the machine's clock
}

// Sandbox answers as runtime-v2-lex does. It is safe for many goroutines.
type Sandbox struct {
	o Options

	mu     sync.Mutex // guards all below
	faults []Fault
	delay  time.Duration
	calls  []Call
	answer json.RawMessage
}

// Call is one request that was signed rightly.
type Call struct{ Locale, Session, Text string }

// Fault is an error that the sandbox is to answer with.
type Fault struct {
	Status int
	Type   string // such as "ThrottlingException"
}

// New returns a sandbox.
func New(o Options) *Sandbox {
	if o.BotID == "" {
		o.BotID = "BOT1234567"
	}
	if o.AliasID == "" {
		o.AliasID = "TSTALIASID"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sandbox{o: o}
}

// Fail lets the next requests fail, one after the other. Hang lets every request wait first. Script answers all
// requests with a body instead of the bot's; nil ends it.
func (s *Sandbox) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Hang lets every request wait first.
func (s *Sandbox) Hang(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Script answers every request with a body instead of what the bot would say; nil ends it.
func (s *Sandbox) Script(answer json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// Calls lists the requests so far.
func (s *Sandbox) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

var (
	recognizeText = regexp.MustCompile(`^/bots/([^/]+)/botAliases/([^/]+)/botLocales/([^/]+)/sessions/([^/]+)/text$`)
	sessionID     = regexp.MustCompile(`^[0-9a-zA-Z._:-]{2,100}$`)
)

// longestText is the most characters of a text.
const longestText = 1024

// ServeHTTP implements http.Handler.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := Verify(r, s.o.Credentials, s.o.Region, "lex", s.o.Now()); err != nil {
		kind, _, _ := strings.Cut(err.Error(), ":")
		refuse(w, http.StatusForbidden, kind, err.Error())
		return
	}
	s.mu.Lock()
	delay, answer := s.delay, s.answer
	var fault Fault
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return
	}
	if fault.Status != 0 {
		refuse(w, fault.Status, fault.Type, "as asked for")
		return
	}
	status, kind, body := s.recognize(r, answer)
	if kind != "" {
		refuse(w, status, kind, string(body))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// recognize returns the body, or the type and the message of an error.
func (s *Sandbox) recognize(r *http.Request, scripted json.RawMessage) (status int, kind string, body []byte) {
	m := recognizeText.FindStringSubmatch(r.URL.EscapedPath())
	if m == nil || r.Method != http.MethodPost {
		return http.StatusNotFound, "ResourceNotFoundException", []byte("no such operation")
	}
	session, _ := url.PathUnescape(m[4])
	if m[1] != s.o.BotID || m[2] != s.o.AliasID || s.o.Bot.locales[m[3]] == nil {
		return http.StatusNotFound, "ResourceNotFoundException", []byte("no such bot, alias or locale")
	}
	var in struct {
		Text              string
		RequestAttributes map[string]string
	}
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil || in.Text == "" || utf8.RuneCountInString(in.Text) > longestText || !sessionID.MatchString(session) {
		return http.StatusBadRequest, "ValidationException", fmt.Appendf(nil, "text of 1 to %d characters, session %q", longestText, session)
	}
	for key := range in.RequestAttributes {
		if strings.HasPrefix(key, "x-amz-lex:") {
			return http.StatusBadRequest, "ValidationException", []byte("the prefix x-amz-lex: is reserved")
		}
	}
	s.mu.Lock()
	s.calls = append(s.calls, Call{m[3], session, in.Text})
	s.mu.Unlock()
	if scripted != nil {
		return 0, "", scripted
	}
	body, err = s.say(r.Context(), m[3], session, in.Text)
	if err != nil {
		return http.StatusFailedDependency, "DependencyFailedException", []byte(err.Error())
	}
	return 0, "", body
}

type object = map[string]any

// say is what the bot answers, or what its function does.
func (s *Sandbox) say(ctx context.Context, locale, session, text string) ([]byte, error) {
	i, found, _ := s.o.Bot.understand(locale, text)
	slots := object{}
	for _, name := range i.slots {
		slots[name] = nil
		if v, ok := found[name]; ok {
			slots[name] = object{"value": object{"originalValue": v, "interpretedValue": v, "resolvedValues": []string{}}}
		}
	}
	state := object{
		"dialogAction": object{"type": "Close"}, "sessionAttributes": object{}, "originatingRequestId": "00000000-0000-0000-0000-000000000000",
		"intent": object{"name": i.name, "slots": slots, "state": "ReadyForFulfillment", "confirmationState": "None"},
	}
	answer := object{
		"sessionId": session, "sessionState": state, "requestAttributes": object{},
		"interpretations": []object{{"intent": state["intent"], "nluConfidence": object{"score": 0.9}, "interpretationSource": "Lex"}},
	}
	if !i.hook {
		return json.Marshal(answer)
	}
	if s.o.Lambda == nil {
		return nil, errors.New("invalid bot configuration: the alias has no Lambda code hook, but the intent asks for one")
	}
	event, err := json.Marshal(object{
		"messageVersion": "1.0", "invocationSource": "FulfillmentCodeHook", "inputMode": "Text", "responseContentType": "text/plain; charset=utf-8",
		"sessionId": session, "inputTranscript": text, "requestAttributes": object{}, "sessionState": state,
		"bot":             object{"id": s.o.BotID, "name": s.o.Bot.Name, "localeId": locale, "version": "DRAFT", "aliasId": s.o.AliasID, "aliasName": "TestBotAlias"},
		"interpretations": []object{{"intent": state["intent"], "nluConfidence": 0.9, "interpretationSource": "Lex"}},
	})
	if err != nil {
		return nil, err
	}
	raw, err := s.o.Lambda.Invoke(ctx, event)
	if err != nil {
		return nil, err
	}
	var said struct {
		SessionState json.RawMessage
		Messages     []json.RawMessage
	}
	if err := json.Unmarshal(raw, &said); err != nil || len(said.SessionState) == 0 {
		return nil, fmt.Errorf("invalid Lambda response: %s", raw)
	}
	answer["sessionState"], answer["messages"] = said.SessionState, said.Messages
	return json.Marshal(answer)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]string{"message": message}) // cannot fail
	_, _ = w.Write(text)
}
