package channel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"outrider/identity"
	"outrider/notify"
)

// Options is what a Sender is made of. Messenger, Directory and Now are required.
type Options struct {
	Messenger notify.Sender // of every route but fallback
	Directory *identity.Directory
	Now       func() time.Time

	Guard      Guard
	Timeout    time.Duration         // of one send; 0: 10 s
	Registerer prometheus.Registerer // nil: unregistered
}

// Sender sends messages by Messenger, and those of the route fallback to the owner's other channel. It is safe for
// many goroutines.
type Sender struct {
	o       Options
	webhook *webhook
	shout   *shout
	sends   *prometheus.CounterVec // by service and result

	mu       sync.Mutex // guards breakers
	breakers map[string]*gobreaker.CircuitBreaker[struct{}]
}

var _ notify.Sender = (*Sender)(nil)

// NewSender returns a sender, or says what is missing.
func NewSender(o Options) (*Sender, error) {
	if o.Messenger == nil || o.Directory == nil || o.Now == nil {
		return nil, errors.New("channel: a sender needs Messenger, Directory and Now")
	}
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	client := o.Guard.client()
	s := &Sender{
		o: o, webhook: &webhook{client, o.Now}, breakers: map[string]*gobreaker.CircuitBreaker[struct{}]{},
		shout: &shout{guard: o.Guard, client: client, stuck: make(chan struct{}, stuckMost)},
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_channel_sends_total", Help: "Messages to owners' other channels, by service and result.",
		}, []string{"service", "result"}),
	}
	for _, name := range Services() {
		for _, result := range []string{resultSent, resultFailed, resultUnknown} {
			s.sends.WithLabelValues(name, result)
		}
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(s.sends)
	}
	return s, nil
}

const (
	resultSent    = "sent"
	resultFailed  = "failed"
	resultUnknown = "unknown" // no answer came
)

// Services lists the schemes of channels' URLs in a fixed order.
func Services() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(services())), webhookTLS, webhookPlain)))
}

// Check says why a text is no channel's URL, nil if it is one. The error does not repeat it. Nothing is connected to.
func Check(text identity.Token) error {
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Scheme == "" {
		return errors.New("expected a channel's URL, such as smtp://user:password@host/?from=…&to=… or webhook+https://whsec_…@host/path")
	}
	switch {
	case u.Scheme == webhookTLS || u.Scheme == webhookPlain:
		if u.Host == "" {
			return errors.New("expected the name of a server in the webhook's URL")
		}
		_, err := signingSecret(u)
		return err
	case !slices.Contains(Services(), u.Scheme):
		return fmt.Errorf("unknown channel; expected one of %s", strings.Join(Services(), ", "))
	}
	if u.Scheme == "matrix" {
		return nil // reading its URL logs in
	}
	if _, err := (&shout{client: Guard{}.client()}).service(u, services()[u.Scheme], "title"); err != nil {
		return errors.New(u.Scheme + ": " + cut(err.Error(), u))
	}
	return nil
}

// Send implements notify.Sender.
func (s *Sender) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if m.Route != notify.RouteFallback {
		return s.o.Messenger.Send(ctx, m)
	}
	owner, _ := s.o.Directory.Owner(m.Alert.Tenant, m.Alert.Owner)
	if err := Check(owner.Fallback); err != nil {
		return notify.Receipt{}, &notify.Error{Reason: notify.ReasonChannel, Text: err.Error()}
	}
	u, _ := url.Parse(owner.Fallback.Reveal()) // checked
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, errTimeout)
	defer cancel()
	x, problem := s.guarded(ctx, u, m)
	if problem != nil {
		problem.Exchange = x
		result := resultFailed
		if problem.Reason == notify.ReasonAmbiguous {
			result = resultUnknown
		}
		s.sends.WithLabelValues(u.Scheme, result).Inc()
		return notify.Receipt{}, problem
	}
	s.sends.WithLabelValues(u.Scheme, resultSent).Inc()
	return notify.Receipt{MessageID: "", Exchange: x}, nil
}

// errTimeout is the cause of a send that took too long.
var errTimeout = errors.New("channel: no answer in time")

// guarded sends unless the server failed time after time just now.
func (s *Sender) guarded(ctx context.Context, u *url.URL, m notify.Message) (x notify.Exchange, problem *notify.Error) {
	_, err := s.breaker(u).Execute(func() (struct{}, error) {
		if strings.HasPrefix(u.Scheme, "webhook+") {
			x, problem = s.webhook.send(ctx, u, m)
		} else {
			x = notify.Exchange{Request: u.Scheme + ": " + m.Text}
			problem = s.shout.send(ctx, u, m, title(m))
		}
		if problem != nil {
			return struct{}{}, problem
		}
		return struct{}{}, nil
	})
	if problem == nil && err != nil {
		problem = &notify.Error{Reason: notify.ReasonChannel, Retry: true, After: breakFor, Text: u.Scheme + ": the server failed time after time"}
	}
	return x, problem
}

// title is a message in a few words, for channels that show one.
func title(m notify.Message) string {
	return notify.WordsFor(m.Alert.Locale, nil).Title(m.Alert)
}

// A server that failed so often in a row is left alone for a while.
const (
	breakAfter   = 5
	breakFor     = 30 * time.Second
	breakersMost = 10_000
)

// breaker is the circuit breaker of a service and server.
func (s *Sender) breaker(u *url.URL) *gobreaker.CircuitBreaker[struct{}] {
	key := u.Scheme + "://" + strings.Join(hosts(u), ",")
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.breakers[key]; ok {
		return b
	}
	if len(s.breakers) >= breakersMost {
		clear(s.breakers) // forgetting costs a few tries
	}
	b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     breakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		IsSuccessful: func(err error) bool {
			e, ok := errors.AsType[*notify.Error](err)
			return err == nil || ok && !e.Retry && e.Reason != notify.ReasonAmbiguous // the server works, whatever it thinks of the message
		},
	})
	s.breakers[key] = b
	return b
}
