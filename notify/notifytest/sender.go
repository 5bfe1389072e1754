package notifytest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"outrider/notify"
)

// Sender records what it is asked to send and answers as told. It is safe for many goroutines.
type Sender struct {
	// Answer decides what becomes of a message; nil: everything goes out. It is called without any lock, so
	// it may block. Set it before use.
	Answer func(ctx context.Context, m notify.Message) error

	mu   sync.Mutex // guards both
	all  []notify.Message
	sent []notify.Message
}

var _ notify.Sender = (*Sender)(nil)

// Send implements notify.Sender.
func (s *Sender) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	s.mu.Lock()
	s.all = append(s.all, m)
	n := len(s.all)
	s.mu.Unlock()
	if s.Answer != nil {
		if err := s.Answer(ctx, m); err != nil {
			return notify.Receipt{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m)
	return notify.Receipt{MessageID: fmt.Sprintf("m_%d", n)}, nil
}

// Requests returns every message it was asked to send, in order.
func (s *Sender) Requests() []notify.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// Sent returns the messages that went out, in the order of their answers.
func (s *Sender) Sent() []notify.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}
