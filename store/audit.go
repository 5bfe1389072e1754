package store

import (
	"context"
	"encoding/json"
	"time"

	"outrider/identity"
)

// AuditEntry is one line of the audit log: who changed what. It is written before the change begins, without Status,
// and completed after it. One that stays without belongs to a change that a crash cut: whether it was made is seen in
// the record itself.
type AuditEntry struct {
	Seq       uint64 // assigned by the store, grows
	Tenant    identity.TenantID
	At        time.Time
	Actor     string // id of the key or the person; empty: the bootstrap key
	Name      string // what the actor was called then
	Operation string // of the API
	Target    string // the path
	Request   string // names it in the log
	Status    int    // of the answer; 0: not known
	Before    json.RawMessage
	After     json.RawMessage
}

// Audit keeps who changed what.
type Audit interface {
	// BeginEntry writes an entry without an outcome and returns its Seq.
	BeginEntry(ctx context.Context, e AuditEntry) (uint64, error)
	// EndEntry adds the outcome, and DropEntry takes an entry back of a change that was refused.
	EndEntry(ctx context.Context, seq uint64, status int, after json.RawMessage) error
	DropEntry(ctx context.Context, seq uint64) error
	// Entries lists those of a tenant, newest first, with a Seq below before; 0: from the newest.
	Entries(ctx context.Context, tenant identity.TenantID, before uint64, limit int) ([]AuditEntry, error)
}

// Reply is an answer that is kept for whoever repeats the request. It is sealed, since it may hold a secret that is
// shown once.
type Reply struct {
	Key     string // hash of who asked, for which tenant, and the idempotency key
	Request string // hash of the request itself
	At      time.Time
	Status  int // 0: the request is under way
	Header  map[string][]string
	Body    []byte
}

// Replies keeps answers to requests that carry an idempotency key.
type Replies interface {
	// ClaimReply takes a key, unless somebody has since the time given: then it returns what is kept and false. What is
	// older is forgotten.
	ClaimReply(ctx context.Context, r Reply, since time.Time) (Reply, bool, error)
	// SettleReply keeps the answer of a key that was claimed, and DropReply gives the key up.
	SettleReply(ctx context.Context, r Reply) error
	DropReply(ctx context.Context, key string) error
}
