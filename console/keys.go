package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outrider/identity"
	"outrider/internal/people"
	"outrider/store"
	"outrider/telemetry"
)

// tenantHeader names the tenant that the bootstrap key acts on.
const tenantHeader = "Outrider-Tenant"

// How long a key's record is believed without looking again, which is how long a revoked one may still work in another
// process; how exactly its last use is kept; how many records are remembered.
const (
	keyFresh  = 2 * time.Second
	keyUsedAt = time.Hour
	// sessionSeenAt is how exactly the last use of a session is kept, after which it ends some time.
	sessionSeenAt = time.Minute
	keysCached    = 10_000
)

// keys knows who may call. Keys are kept and compared as hashes. It is safe for many goroutines.
type keys struct {
	admin  [sha256.Size]byte
	store  keyStore
	now    func() time.Time
	origin *http.CrossOriginProtection // of requests that a browser makes with its cookie

	bearers, browsers *strangers // who come with wrong keys, and with sessions that are none

	mu    *sync.Mutex // guards known
	known map[string]knownKey
}

// keyStore is where keys and sessions are.
type keyStore interface {
	APIKeys
	People
}

// knownKey is a key as it was when it was looked up; unknown ones are remembered, too.
type knownKey struct {
	identity.APIKey
	exists bool
	looked time.Time
}

// Caller is who makes a request.
type caller struct {
	tenant identity.TenantID
	role   identity.Role
	id     string // of the key or the person; empty: the bootstrap key
	name   string

	person  people.UserID // empty: a key
	session string        // hash of the session's token; empty: a key
}

func newKeys(o Options, slow throttles) keys {
	return keys{
		bearers: newStrangers(slow, keyPace, "key"), browsers: newStrangers(slow, sessionPace, "session"),
		admin: sha256.Sum256([]byte(o.AdminKey.Reveal())), store: o.Store, now: o.Now, origin: http.NewCrossOriginProtection(), mu: &sync.Mutex{}, known: map[string]knownKey{},
	}
}

// middleware lets a request through to an operation of the API when its key is good and its role enough, with the
// caller in its context. Nothing of the body has been read before.
func (k keys) middleware(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if ctx.Operation().OperationID == signInOperation && r.Header.Get("Authorization") == "" {
		if refusal := k.foreign(r); refusal != nil {
			writeProblem(w, refusal)
			return
		}
		next(ctx)
		return
	}
	who, refusal := k.admit(r)
	if refusal == nil {
		refusal = mayDo(who, ctx.Operation())
	}
	if refusal != nil {
		refuse(w, refusal)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, who))
}

// admit returns who makes the request, or the answer to one that may not be made.
func (k keys) admit(r *http.Request) (caller, *huma.ErrorModel) {
	if r.Header.Get("Authorization") == "" {
		if refusal := k.foreign(r); refusal != nil {
			return caller{}, refusal
		}
	}
	who, err := k.who(r)
	name := r.Header.Get(tenantHeader)
	switch {
	case errors.Is(err, errStranger):
		return caller{}, problem(http.StatusTooManyRequests, "too many wrong keys came from this address; wait "+strangerWait+" s")
	case err != nil:
		return caller{}, problem(http.StatusServiceUnavailable, "the key cannot be looked up at the moment; try again")
	case who.role == "":
		return caller{}, problem(http.StatusUnauthorized, "expected the header \"Authorization: Bearer <key>\" with a key of this gateway, or a session of somebody who is signed in")
	case name == "" || name == string(who.tenant):
		return who, nil
	case who.id != "":
		return caller{}, problem(http.StatusForbidden, "your access is to another tenant than the header "+tenantHeader+" names; leave it out")
	}
	if fault := idFault(name); fault != "" || strings.ContainsAny(name, "/+#") {
		return caller{}, problem(http.StatusUnprocessableEntity, "the tenant's name is not acceptable", &huma.ErrorDetail{
			Location: "header." + tenantHeader, Value: name,
			Message: "expected 1 to 128 bytes of text without control characters, /, + and #",
		})
	}
	who.tenant = identity.TenantID(name)
	return who, nil
}

// good reports whether the request carries a key that is good.
func (k keys) good(r *http.Request) bool {
	who, err := k.who(r)
	return err == nil && who.role != ""
}

// who returns whose key the request carries; no role: nobody's.
func (k keys) who(r *http.Request) (caller, error) {
	if r.Header.Get("Authorization") == "" {
		cookie, err := r.Cookie(cookieName)
		if err != nil {
			return caller{}, nil
		}
		return k.met(k.browsers, r, cookie.Value, k.bySession)
	}
	key := bearer(r)
	if key == "" {
		return caller{}, nil
	}
	return k.met(k.bearers, r, key, k.byKey)
}

// met looks for whose a key or a session is, unless its address has tried too many.
func (k keys) met(s *strangers, r *http.Request, word string, look func(context.Context, string) (caller, error)) (caller, error) {
	f := friend{addressOf(r), sha256.Sum256([]byte(word))}
	if err := s.meet(f); err != nil {
		return caller{}, err
	}
	who, err := look(r.Context(), word)
	if err == nil {
		s.judge(f, who.role != "")
	}
	return who, err
}

// bearer is the key that a request carries; empty: none.
func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// byKey returns whose key it is.
func (k keys) byKey(ctx context.Context, key string) (caller, error) {
	given := sha256.Sum256([]byte(key))
	if subtle.ConstantTimeCompare(given[:], k.admin[:]) == 1 {
		return caller{tenant: identity.TenantID(telemetry.DefaultTenant), role: identity.Admin, name: "bootstrap key"}, nil
	}
	known, err := k.look(ctx, identity.HashAPIKey(key))
	if err != nil || !known.exists || known.Expired(k.now()) {
		return caller{}, err
	}
	return caller{tenant: known.Tenant, role: known.Role, id: known.ID, name: known.Name}, nil
}

// foreign refuses a change that a page of another site makes with a browser's cookie.
func (k keys) foreign(r *http.Request) *huma.ErrorModel {
	if k.origin.Check(r) != nil {
		return problem(http.StatusForbidden, "the request comes from a page of another site")
	}
	return nil
}

// bySession returns whose session it is. It is looked up every time: an ended one opens nothing.
func (k keys) bySession(ctx context.Context, token string) (caller, error) {
	s, u, err := k.store.Session(ctx, people.HashToken(token))
	if errors.Is(err, store.ErrNotFound) {
		return caller{}, nil
	}
	now := k.now()
	if err != nil || !s.Live(now) || u.Disabled {
		return caller{}, err
	}
	if now.Sub(s.Seen) >= sessionSeenAt {
		_ = k.store.SessionSeen(ctx, s.Hash, now) // what cannot be noted is noted the next time
	}
	return caller{tenant: u.Tenant, role: u.Role, id: string(u.ID), name: nameOf(u), person: u.ID, session: s.Hash}, nil
}

// look returns what is known of a hash, from memory if that is fresh.
func (k keys) look(ctx context.Context, hash string) (knownKey, error) {
	now := k.now()
	k.mu.Lock()
	found, ok := k.known[hash]
	k.mu.Unlock()
	if ok && now.Sub(found.looked) < keyFresh && !now.Before(found.looked) {
		return found, nil
	}
	record, err := k.store.APIKey(ctx, hash)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return knownKey{}, err
	}
	found = knownKey{record, err == nil, now}
	if found.exists && now.Sub(found.Used) >= keyUsedAt {
		// What cannot be noted is noted the next time.
		if k.store.APIKeyUsed(ctx, found.ID, now) == nil {
			found.Used = now
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= keysCached {
		clear(k.known)
	}
	k.known[hash] = found
	return found, nil
}

// forget makes the next requests look their keys up.
func (k keys) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.known)
}

type callerKey struct{}

// callerOf returns who makes the request that ctx belongs to.
func callerOf(ctx context.Context) caller {
	who, _ := ctx.Value(callerKey{}).(caller)
	return who
}

// tenantOf returns the tenant of the request that ctx belongs to.
func tenantOf(ctx context.Context) identity.TenantID { return callerOf(ctx).tenant }
