package mqtt_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/telemetry"
)

// sink collects what it accepts. Before, if set, is asked first and may refuse or wait.
type sink struct {
	before func(ctx context.Context, batch []telemetry.Message) error

	mu       sync.Mutex // guards what follows
	messages []telemetry.Message
	batches  []int
	refused  []refused
}

type refused struct {
	topic   string
	size    int
	refusal telemetry.Refusal
}

var _ telemetry.Refuser = (*sink)(nil)

func (s *sink) Accept(ctx context.Context, batch []telemetry.Message) error {
	if s.before != nil {
		if err := s.before(ctx, batch); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(batch))
	for _, m := range batch {
		m.Payload = append([]byte(nil), m.Payload...)
		s.messages = append(s.messages, m)
	}
	return nil
}

func (s *sink) Refuse(_ context.Context, m telemetry.Message, r *telemetry.Refusal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, refused{m.Topic, len(m.Payload), *r})
	return nil
}

func (s *sink) all() []telemetry.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]telemetry.Message(nil), s.messages...)
}

func (s *sink) payloads() []string {
	var texts []string
	for _, m := range s.all() {
		texts = append(texts, string(m.Payload))
	}
	return texts
}

// sizes are those of the batches.
func (s *sink) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.batches...)
}

func (s *sink) refusals() []refused {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]refused(nil), s.refused...)
}

// distinct counts the different payloads.
func (s *sink) distinct() int {
	seen := map[string]bool{}
	for _, p := range s.payloads() {
		seen[p] = true
	}
	return len(seen)
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(2 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}

// lockedBuffer takes a log.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
