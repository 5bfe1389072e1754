package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outrider/identity"
	"outrider/store"
)

// Audit is what the API asks of the store of who changed what.
type Audit interface {
	BeginEntry(ctx context.Context, e store.AuditEntry) (uint64, error)
	EndEntry(ctx context.Context, seq uint64, status int, after json.RawMessage) error
	DropEntry(ctx context.Context, seq uint64) error
	Entries(ctx context.Context, tenant identity.TenantID, before uint64, limit int) ([]store.AuditEntry, error)
}

// unaudited are operations with the method of a change that change nothing which the audit log tells of.
var unaudited = map[string]bool{"try-rule": true, signInOperation: true, "sign-out": true, "sign-out-everywhere": true}

// auditMost is the longest state in bytes that an entry keeps; of a longer one it keeps length and hash.
const auditMost = 32 << 10

// auditor writes the audit log around every operation that changes something.
//
// ORDER: the entry is written before the change begins and completed after it. A crash between the two leaves an entry
// without status; a change without an entry there is none. If the entry cannot be written, the change is not made.
type auditor struct {
	store  Audit
	mux    http.Handler // to read what is there before a change
	now    func() time.Time
	logger *slog.Logger
}

// middleware is for operations that have been let through.
func (a *auditor) middleware(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.Method == http.MethodGet || op.Method == http.MethodHead || unaudited[op.OperationID] {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	a.record(w, r.WithContext(ctx.Context()), op.OperationID, func(w http.ResponseWriter, r *http.Request) {
		next(humago.NewContext(op, r, w))
	})
}

// record makes a change, with an entry around it. The request has been let through.
func (a *auditor) record(w http.ResponseWriter, r *http.Request, operation string, change http.HandlerFunc) {
	ctx := r.Context()
	who := callerOf(ctx)
	seq, err := a.store.BeginEntry(ctx, store.AuditEntry{
		Tenant: who.tenant, At: a.now(), Actor: who.id, Name: who.name, Operation: operation, Target: r.URL.EscapedPath(),
		Request: requestOf(ctx).id, Before: a.before(r),
	})
	if err != nil {
		a.logger.ErrorContext(ctx, "change not made: no audit entry", "request", requestOf(ctx).id, "cause", err)
		writeProblem(w, unexpected(ctx))
		return
	}
	kept := &keeper{recorder: recorder{ResponseWriter: w}, most: auditMost}
	done := false
	defer func() { // a panic is told as one, and goes on
		status := kept.code()
		if !done {
			status = http.StatusInternalServerError
		}
		a.end(ctx, seq, status, kept)
	}()
	change(kept, r)
	done = true
}

// end adds the outcome, or takes the entry of a refused change back.
func (a *auditor) end(ctx context.Context, seq uint64, status int, kept *keeper) {
	ctx, cancel := settle(ctx)
	defer cancel()
	var err error
	if status >= 400 && status < 500 {
		err = a.store.DropEntry(ctx, seq)
	} else {
		err = a.store.EndEntry(ctx, seq, status, kept.state())
	}
	if err != nil { // the entry stays, and says that its outcome is not known
		a.logger.ErrorContext(ctx, "audit entry not completed", "request", requestOf(ctx).id, "cause", err)
	}
}

// before is what a GET of the path shows now, nothing if there is none: what the API shows holds no secrets.
func (a *auditor) before(r *http.Request) json.RawMessage {
	if r.Method == http.MethodPost {
		return nil // the path is that of a list
	}
	ask := r.Clone(r.Context())
	ask.Method, ask.Body, ask.ContentLength = http.MethodGet, http.NoBody, 0
	for _, name := range []string{"If-Match", "If-None-Match", "Content-Type", "Content-Encoding", "Accept", "Idempotency-Key"} {
		ask.Header.Del(name)
	}
	kept := &keeper{recorder: recorder{ResponseWriter: &probe{}}, most: auditMost}
	a.mux.ServeHTTP(kept, ask)
	if kept.code() != http.StatusOK {
		return nil
	}
	return kept.state()
}

// keeper is a response writer that keeps the beginning of what is written.
type keeper struct {
	recorder
	most int
	kept bytes.Buffer
	long bool // there was more
}

// Write implements http.ResponseWriter.
func (k *keeper) Write(p []byte) (int, error) {
	room := min(len(p), k.most-k.kept.Len())
	k.long = k.long || room < len(p)
	k.kept.Write(p[:room])
	return k.recorder.Write(p)
}

// state is the JSON that was written, with secrets cut; of what is no JSON or too long, its length and the hash of its
// beginning; nothing if nothing was written.
func (k *keeper) state() json.RawMessage {
	if k.kept.Len() == 0 {
		return nil
	}
	var v any
	if k.long || json.Unmarshal(k.kept.Bytes(), &v) != nil {
		sum := sha256.Sum256(k.kept.Bytes())
		v = map[string]any{"omitted_bytes": k.bytes, "sha256": hex.EncodeToString(sum[:])}
	}
	text, err := json.Marshal(withoutSecrets(v))
	if err != nil {
		return nil // what was decoded can be encoded
	}
	return text
}

// secretNames are the members of answers that are shown once: keys, passwords, and links that make their follower the owner.
var secretNames = map[string]bool{
	"key": true, "password": true, "code": true, "url": true, "login_url": true, "access_token": true, "token": true, "fallback": true,
}

// withoutSecrets cuts what is shown once out of an answer.
func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if _, text := inner.(string); text && secretNames[strings.ToLower(name)] {
				v[name] = "REDACTED"
			} else {
				v[name] = withoutSecrets(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	}
	return v
}

// auditEntry is an entry as callers see it.
type auditEntry struct {
	Seq       uint64          `json:"seq"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor,omitempty" doc:"Id of the key or the person. Absent: the bootstrap key."`
	Name      string          `json:"name,omitempty" doc:"What the actor was called then."`
	Operation string          `json:"operation" doc:"The operation's id in this description."`
	Target    string          `json:"target" doc:"The path."`
	Request   string          `json:"request" doc:"Names the request in the gateway's log."`
	Status    int             `json:"status" doc:"Of the answer. 0: the gateway ended before it knew; 500: it may have been made in part."`
	Before    json.RawMessage `json:"before,omitempty" doc:"The record as it was. Absent: there was none."`
	After     json.RawMessage `json:"after,omitempty" doc:"What was answered; secrets are cut."`
}

type auditLog struct{ store Audit }

func (l auditLog) register(r *router) {
	handle(r, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/api/v1/audit", Tags: []string{tagAccess},
		Summary: "See who changed what", Description: "Newest first. Requests that were refused are not in it.",
	}, l.list)
}

func (l auditLog) list(ctx context.Context, in *struct{ Paging }) (*listAnswer[auditEntry], error) {
	before, err := in.beforeSeq()
	if err != nil {
		return nil, err
	}
	read, err := l.store.Entries(ctx, tenantOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	page, more := cut(read, in.Limit)
	next := ""
	if more {
		next = nextSeq(page[len(page)-1].Seq)
	}
	return newListAnswer(ctx, each(page, showEntry), next), nil
}

func showEntry(e store.AuditEntry) auditEntry {
	return auditEntry{e.Seq, e.At.UTC(), e.Actor, e.Name, e.Operation, e.Target, e.Request, e.Status, e.Before, e.After}
}
