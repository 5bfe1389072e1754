package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outrider/store"
)

// Replies is what the API asks of the store of answers to requests that may be repeated.
type Replies interface {
	ClaimReply(ctx context.Context, r store.Reply, since time.Time) (store.Reply, bool, error)
	SettleReply(ctx context.Context, r store.Reply) error
	DropReply(ctx context.Context, key string) error
}

const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotency-Replayed"
	repliesKept       = 24 * time.Hour
	// Bodies of requests and answers with an idempotency key are held in memory.
	idempotentBody  = 4 << 20
	idempotentReply = 1 << 20
)

// idempotency answers a POST that is repeated with the same idempotency key as it answered the first, after
// draft-ietf-httpapi-idempotency-key-header: 400 for a key that is none, 422 for a key that was used for another
// request, 409 while the first is under way.
type idempotency struct {
	store  Replies
	now    func() time.Time
	logger *slog.Logger
}

// middleware is for operations that have been let through.
func (i *idempotency) middleware(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	given := ctx.Header(idempotencyHeader)
	if op.Method != http.MethodPost || given == "" || callerOf(ctx.Context()).role == "" {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	key, ok := idempotencyKey(given)
	if !ok {
		writeProblem(w, problem(http.StatusBadRequest, "expected "+idempotencyHeader+" with 1 to 255 printable ASCII characters, with or without quotes"))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, idempotentBody+1))
	switch {
	case err != nil:
		writeProblem(w, problem(http.StatusBadRequest, "the body could not be read"))
		return
	case len(body) > idempotentBody:
		writeProblem(w, problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("with %s a body may have %d bytes", idempotencyHeader, idempotentBody)))
		return
	}
	r = r.WithContext(ctx.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	claim := store.Reply{Key: i.place(ctx.Context(), key), Request: fingerprint(r, body), At: i.now()}
	kept, mine, err := i.store.ClaimReply(ctx.Context(), claim, i.now().Add(-repliesKept))
	switch {
	case err != nil:
		i.logger.ErrorContext(ctx.Context(), "idempotency key not claimed", "request", requestOf(ctx.Context()).id, "cause", err)
		writeProblem(w, unexpected(ctx.Context()))
	case mine:
		i.run(op, r, w, claim, next)
	default:
		replay(w, kept, claim)
	}
}

// idempotencyKey reads the header: a string of structured fields (RFC 8941), or the bare key, as most send it.
func idempotencyKey(given string) (string, bool) {
	key := given
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	bad := func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }
	return key, key != "" && len(key) <= 255 && !strings.ContainsFunc(key, bad)
}

// place is the name of a caller's key: nobody meets the key of somebody else.
func (i *idempotency) place(ctx context.Context, key string) string {
	who := callerOf(ctx)
	return hashOf(string(who.tenant), who.id, key)
}

// fingerprint tells requests apart.
func fingerprint(r *http.Request, body []byte) string {
	return hashOf(r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(body))
}

// hashOf is a hash of parts, each with its length, so that no two lists of parts are written the same.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// run makes the request and keeps its answer. After an answer that says nothing of the request itself the key is free
// again; so it is after a panic, and when the answer is too long to be kept.
func (i *idempotency) run(op *huma.Operation, r *http.Request, w http.ResponseWriter, claim store.Reply, next func(huma.Context)) {
	kept := &keeper{recorder: recorder{ResponseWriter: w}, most: idempotentReply}
	done := false
	defer func() {
		ctx, cancel := settle(r.Context())
		defer cancel()
		status := kept.code()
		var err error
		if !done || kept.long || status >= 500 || status == http.StatusTooManyRequests {
			err = i.store.DropReply(ctx, claim.Key)
		} else {
			claim.Status, claim.Header, claim.Body = status, lasting(w.Header()), kept.kept.Bytes()
			err = i.store.SettleReply(ctx, claim)
		}
		if err != nil {
			i.logger.ErrorContext(ctx, "answer not kept for repetition", "request", requestOf(ctx).id, "cause", err)
		}
	}()
	next(humago.NewContext(op, r, kept))
	done = true
}

// lasting are the headers of an answer that belong to it, and not to the request that it answers.
func lasting(h http.Header) http.Header {
	kept := http.Header{}
	for _, name := range []string{"Content-Type", "Etag", "Location", "Link"} {
		if v := h.Values(name); len(v) > 0 {
			kept[name] = v
		}
	}
	return kept
}

// replay answers a request whose key was claimed before.
func replay(w http.ResponseWriter, kept, asked store.Reply) {
	switch {
	case kept.Request != asked.Request:
		writeProblem(w, problem(http.StatusUnprocessableEntity, "this "+idempotencyHeader+" was used for another request within the last 24 hours; take a new one"))
	case kept.Status == 0:
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problem(http.StatusConflict, "the first request with this "+idempotencyHeader+" is under way, or was cut before its outcome was known"))
	default:
		for name, values := range kept.Header {
			w.Header()[name] = values
		}
		w.Header().Set(replayedHeader, "true")
		w.WriteHeader(kept.Status)
		_, _ = w.Write(kept.Body) // fails only when the client has gone
	}
}
