package graph

import (
	"context"
	"slices"
	"time"
)

// Message is what a person received from a page.
type Message struct {
	Seq       int // 1 for the first message the sandbox accepted
	Page      string
	PSID      string
	Mid       string
	Time      time.Time // by Meta's clock
	Arrived   time.Time // wall clock when the request came in
	Type      string    // messaging_type: RESPONSE, UPDATE, MESSAGE_TAG, UTILITY
	Tag       string
	Text      string // as the phone shows it: templates with their parameters filled in
	Image     string // address of a card's picture
	Buttons   []Button
	Metadata  string
	Template  string // utility template's name, or the kind of an attachment; empty: plain text
	Language  string // of a utility template
	Unheard   bool   // accepted, but the connection was cut before the answer
	InWindow  bool   // the 24 hour window was open
	PushStyle string // notification_type
}

// ButtonKind is what a tap does.
type ButtonKind string

// The kinds of buttons.
const (
	Postback   ButtonKind = "postback"
	QuickReply ButtonKind = "quick_reply"
	Link       ButtonKind = "web_url"
)

// Button can be tapped.
type Button struct {
	Kind    ButtonKind
	Title   string
	Payload string
	URL     string
}

// Refusal is a call to the Send API that was not accepted.
type Refusal struct {
	Page, PSID string
	Time       time.Time
	Error      *Error
	Metadata   string
}

// Messages returns everything that people received, oldest first.
func (s *Sandbox) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Thread returns what one person received, oldest first.
func (s *Sandbox) Thread(page, psid string) []Message {
	all := s.Messages()
	return slices.DeleteFunc(all, func(m Message) bool { return m.Page != page || m.PSID != psid })
}

// Refusals returns the calls to the Send API that were refused, oldest first.
func (s *Sandbox) Refusals() []Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

// Webhooks tells what became of webhook events.
func (s *Sandbox) Webhooks() WebhookCounts { return s.pump.totals() }

// Subscribe calls f for every message accepted from now on, in the goroutine that answers the request and
// before it is answered; messages accepted at the same time may come in either order, Seq tells. The
// returned function ends it.
func (s *Sandbox) Subscribe(f func(Message)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	key := int(s.serial)
	s.subscribers[key] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscribers, key)
	}
}

// WaitMessages waits until people have received at least n messages, and returns all of them. On error it
// returns those that came.
func (s *Sandbox) WaitMessages(ctx context.Context, n int) ([]Message, error) {
	err := s.news.until(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.messages) >= n
	})
	return s.Messages(), err
}

// WaitFor waits until a message that matches has been received, and returns the first such.
func (s *Sandbox) WaitFor(ctx context.Context, matches func(Message) bool) (Message, error) {
	var found Message
	err := s.news.until(ctx, func() bool {
		for _, m := range s.Messages() {
			if matches(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, err
}

// WaitWebhooks waits until no webhook event waits.
func (s *Sandbox) WaitWebhooks(ctx context.Context) error {
	return s.pump.changed.until(ctx, func() bool { return s.Webhooks().Waiting == 0 })
}

// VerifyWebhook does the handshake with the webhook's address, as Meta does when it is configured.
func (s *Sandbox) VerifyWebhook(ctx context.Context) error {
	return s.pump.handshake(ctx, s.pump.target(), s.options.VerifyToken)
}

// injection is an error that waits for its calls.
type injection struct {
	page, psid string
	times      int
	err        *Error
}

// FailNext makes the next calls to the Send API for a page fail; psid empty: for anyone.
func (s *Sandbox) FailNext(page, psid string, times int, e *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.injected = append(s.injected, &injection{page: page, psid: psid, times: times, err: e})
}

// injectedError takes one injected failure. Callers hold s.mu.
func (s *Sandbox) injectedError(page, psid string) *Error {
	for _, in := range s.injected {
		if in.times > 0 && in.page == page && (in.psid == "" || in.psid == psid) {
			in.times--
			return in.err
		}
	}
	return nil
}
