package console_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"outrider/identity"
	"outrider/store"
)

func (s *fakeStore) BeginEntry(_ context.Context, e store.AuditEntry) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revisions++
	e.Seq = s.revisions
	s.entries = append(s.entries, e)
	return e.Seq, cmp.Or(s.auditFail, s.fail)
}

func (s *fakeStore) EndEntry(_ context.Context, seq uint64, status int, after json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.entries {
		if s.entries[i].Seq == seq {
			s.entries[i].Status, s.entries[i].After = status, after
		}
	}
	return s.fail
}

func (s *fakeStore) DropEntry(_ context.Context, seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = slices.DeleteFunc(s.entries, func(e store.AuditEntry) bool { return e.Seq == seq })
	return s.fail
}

func (s *fakeStore) Entries(_ context.Context, tenant identity.TenantID, before uint64, limit int) ([]store.AuditEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newest(s.entries, store.Query{Before: before, Limit: limit}, func(e store.AuditEntry) uint64 { return e.Seq },
		func(e store.AuditEntry) bool { return e.Tenant == tenant }), s.fail
}

func (s *fakeStore) ClaimReply(_ context.Context, r store.Reply, since time.Time) (store.Reply, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.replies[r.Key]; ok && !kept.At.Before(since) {
		return kept, false, s.fail
	}
	if s.replies == nil {
		s.replies = map[string]store.Reply{}
	}
	s.replies[r.Key] = r
	return r, true, s.fail
}

func (s *fakeStore) SettleReply(_ context.Context, r store.Reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.At = s.replies[r.Key].At
	s.replies[r.Key] = r
	return s.fail
}

func (s *fakeStore) DropReply(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.replies, key)
	return s.fail
}
