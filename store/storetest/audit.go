package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"outrider/store"
)

var auditTests = map[string]func(*testing.T, *bench){
	"the audit log is paged, with outcomes":         auditPages,
	"a reply is claimed once and kept for its time": repliesClaimed,
	"of many who claim a reply at once one has it":  repliesRaced,
}

func auditPages(t *testing.T, b *bench) {
	e := store.AuditEntry{Tenant: "acme", At: epoch, Actor: "k-1", Name: "ci", Operation: "put-owner", Target: "/x", Request: "r1",
		Before: json.RawMessage(`{"name":"Ann"}`)}
	first := must(b.BeginEntry(t.Context(), e))(t)
	second := must(b.BeginEntry(t.Context(), store.AuditEntry{Tenant: "acme", At: epoch, Operation: "delete-rule"}))(t)
	must(b.BeginEntry(t.Context(), store.AuditEntry{Tenant: "other", At: epoch}))(t)
	ok(t, b.EndEntry(t.Context(), first, 200, json.RawMessage(`{"name":"Anna"}`)))
	e.Seq, e.Status, e.After = first, 200, json.RawMessage(`{"name":"Anna"}`)
	if second <= first {
		t.Errorf("entries %d and %d do not grow", first, second)
	}
	same(t, "newest", must(b.Entries(t.Context(), "acme", 0, 10))(t)[0].Operation, "delete-rule")
	same(t, "page", must(b.Entries(t.Context(), "acme", second, 10))(t), []store.AuditEntry{e})
	ok(t, b.DropEntry(t.Context(), second))
	same(t, "without the refused one", must(b.Entries(t.Context(), "acme", 0, 10))(t), []store.AuditEntry{e})
	same(t, "of nobody", must(b.Entries(t.Context(), "nobody", 0, 10))(t), nil)
}

func repliesClaimed(t *testing.T, b *bench) {
	r := store.Reply{Key: "key", Request: "hash", At: epoch}
	day := epoch.Add(-24 * time.Hour)
	_, mine, err := b.ClaimReply(t.Context(), r, day)
	ok(t, err)
	same(t, "claimed", mine, true)
	kept, mine, err := b.ClaimReply(t.Context(), store.Reply{Key: "key", Request: "another", At: epoch}, day)
	ok(t, err)
	same(t, "claimed again", mine, false)
	same(t, "under way", kept, r)

	r.Status, r.Header, r.Body = 201, map[string][]string{"Location": {"/x"}}, []byte("{\"key\":\"or_secret\"}\x00")
	ok(t, b.SettleReply(t.Context(), r))
	kept, _, err = b.ClaimReply(t.Context(), r, day)
	ok(t, err)
	same(t, "settled", kept, r)
	_, mine, err = b.ClaimReply(t.Context(), r, epoch.Add(time.Second))
	ok(t, err)
	same(t, "claimed after its time", mine, true)
	ok(t, b.DropReply(t.Context(), "key"))
	_, mine, err = b.ClaimReply(t.Context(), r, day)
	ok(t, err)
	same(t, "claimed after it was given up", mine, true)
}

func repliesRaced(t *testing.T, b *bench) {
	const many = 8
	won := make(chan bool, many)
	for range many {
		go func() {
			_, mine, err := b.ClaimReply(t.Context(), store.Reply{Key: "key", Request: "hash", At: epoch}, epoch.Add(-time.Hour))
			won <- err == nil && mine
		}()
	}
	winners := 0
	for range many {
		if <-won {
			winners++
		}
	}
	same(t, "winners", winners, 1)
}
