package graph

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Sandbox is Meta's side of Messenger: an [http.Handler] for graph.facebook.com, and the people with their
// phones. It is safe for many goroutines.
type Sandbox struct {
	options Options
	pump    *pump
	news    *signal // fires when a message was accepted, or a person did something
	phone   http.Handler
	browsed *http.ServeMux // what browsers see

	mu          sync.Mutex // guards everything below; no I/O under it
	faults      Faults
	tokens      map[string]*token
	codes       map[string]loginCode
	pages       map[string]*page
	users       map[string]*user
	messages    []Message
	refusals    []Refusal
	injected    []*injection
	subscribers map[int]func(Message)
	serial      uint64   // of ids
	granted     []string // what tokens may do
	deauthorize string   // where the app hears of people who remove it
	deletion    string   // and of those who want to be forgotten
}

// New returns a sandbox without pages.
func New(o Options) *Sandbox {
	o = o.withDefaults()
	s := &Sandbox{
		options: o, faults: o.Faults, news: newSignal(), tokens: map[string]*token{}, codes: map[string]loginCode{},
		pages: map[string]*page{}, users: map[string]*user{}, subscribers: map[int]func(Message){},
	}
	s.pump, s.granted = newPump(o), scopes()
	s.phone, s.browsed = newPhone(s), s.site()
	s.tokens[o.AppID+"|"+o.AppSecret] = &token{value: o.AppID + "|" + o.AppSecret, kind: appToken}
	return s
}

// Close stops the webhooks; events that still wait are lost. It returns when none is under way.
func (s *Sandbox) Close() error {
	s.pump.close()
	return nil
}

// AppID returns the id of the app.
func (s *Sandbox) AppID() string { return s.options.AppID }

// AppSecret returns the secret of the app.
func (s *Sandbox) AppSecret() string { return s.options.AppSecret }

// VerifyToken returns the token of the webhook's handshake.
func (s *Sandbox) VerifyToken() string { return s.options.VerifyToken }

// SetFaults changes what goes wrong from now on.
func (s *Sandbox) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// SetWebhook changes where webhooks go. Events that wait go to the new address.
func (s *Sandbox) SetWebhook(url string) { s.pump.aim(url) }

// ServeHTTP answers as graph.facebook.com does.
//
// Under /phone it shows people's phones, as web pages on which anybody can play them.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == phonePath || strings.HasPrefix(r.URL.Path, phonePath+"/") {
		s.phone.ServeHTTP(w, r)
		return
	}
	arrived := s.options.Wall()
	if _, pattern := s.browsed.Handler(r); pattern != "" {
		s.browsed.ServeHTTP(w, r)
		return
	}
	s.delay(r.Context())
	if s.hangs(r.URL.Path) {
		<-r.Context().Done() // as long as whoever asks has patience
		panic(http.ErrAbortHandler)
	}
	if s.isBatch(r) {
		answer, refusal := s.batch(r, arrived)
		s.reply(w, &call{}, answer, refusal)
		return
	}
	c := &call{method: r.Method, arrived: arrived}
	answer, refusal := s.answer(c, r)
	if c.message != nil {
		s.tell(*c.message)
	}
	if c.cut {
		panic(http.ErrAbortHandler) // the answer is lost: net/http closes the connection
	}
	s.reply(w, c, answer, refusal)
}

func (s *Sandbox) delay(ctx context.Context) {
	s.mu.Lock()
	wait := s.faults.Latency
	s.mu.Unlock()
	if wait <= 0 {
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// now is Meta's clock.
func (s *Sandbox) now() time.Time { return s.options.Now() }

// id returns a fresh id with a prefix. Callers hold s.mu.
func (s *Sandbox) id(prefix string) string {
	s.serial++
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], draw(s.options.Seed, prefix, fmt.Sprint(s.serial)))
	binary.BigEndian.PutUint64(b[8:], s.serial)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// number returns a fresh id made of digits, as nodes of the graph have. Callers hold s.mu.
func (s *Sandbox) number() string {
	s.serial++
	return fmt.Sprint(700_000_000_000_000 + draw(s.options.Seed, "node", fmt.Sprint(s.serial))%1_000_000_000_000 + s.serial)
}

// tell passes an accepted message to those who listen. No lock is held while they run.
func (s *Sandbox) tell(m Message) {
	s.mu.Lock()
	listeners := make([]func(Message), 0, len(s.subscribers))
	for _, f := range s.subscribers {
		listeners = append(listeners, f)
	}
	s.mu.Unlock()
	for _, f := range listeners {
		f(m)
	}
}

var _ http.Handler = (*Sandbox)(nil)
