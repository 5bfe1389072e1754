package storetest

import (
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/people"
	"outrider/store"
)

var peopleTests = map[string]func(*testing.T, *bench){
	"people come back, and stay in their tenant":     userRoundTrip,
	"sessions end with their person and one by one":  sessionsEnd,
	"a change of password ends sessions with itself": passwordEndsSessions,
}

func putUser(t *testing.T, b *bench, tenant identity.TenantID, id people.UserID) people.User {
	t.Helper()
	return must(b.PutUser(t.Context(), people.User{ID: id, Tenant: tenant, Name: "Somebody", Role: identity.Viewer, Password: "HASH"}, true, false))(t)
}

func userRoundTrip(t *testing.T, b *bench) {
	ann, bob := putUser(t, b, "acme", "ann"), putUser(t, b, "acme", "bob")
	putUser(t, b, "other", "carl")
	if !ann.Created.Equal(epoch) || !ann.Updated.Equal(epoch) {
		t.Errorf("created %v, updated %v", ann.Created, ann.Updated)
	}
	_, err := b.PutUser(t.Context(), ann, true, false)
	wantError(t, err, store.ErrConflict)
	stolen := ann
	stolen.Tenant = "other"
	_, err = b.PutUser(t.Context(), stolen, false, false)
	wantError(t, err, store.ErrConflict)

	b.clock.passed.Store(int64(time.Hour))
	ann.Disabled, ann.Role, ann.Name = true, identity.Admin, "Ann"
	ann = must(b.PutUser(t.Context(), ann, false, false))(t)
	if !ann.Created.Equal(epoch) || !ann.Updated.Equal(epoch.Add(time.Hour)) {
		t.Errorf("created %v, updated %v after a change", ann.Created, ann.Updated)
	}
	same(t, "ann", must(b.User(t.Context(), "ann"))(t), ann)
	same(t, "users", must(b.Users(t.Context(), "acme", "", 10))(t), []people.User{ann, bob})
	same(t, "second page", must(b.Users(t.Context(), "acme", "ann", 10))(t), []people.User{bob})
	wantError(t, b.DropUser(t.Context(), "other", "ann"), store.ErrNotFound)
	ok(t, b.DropUser(t.Context(), "acme", "ann"))
	_, err = b.User(t.Context(), "ann")
	wantError(t, err, store.ErrNotFound)
}

func begin(t *testing.T, b *bench, user people.UserID, at time.Time) people.Session {
	t.Helper()
	s, _ := people.NewSession(user, at)
	ok(t, b.BeginSession(t.Context(), s))
	return s
}

func sessionsEnd(t *testing.T, b *bench) {
	ann := putUser(t, b, "acme", "ann")
	putUser(t, b, "acme", "bob")
	one, two, bobs := begin(t, b, "ann", epoch), begin(t, b, "ann", epoch), begin(t, b, "bob", epoch)
	ann.Used = epoch
	one.Seen = epoch.Add(time.Minute)
	ok(t, b.SessionSeen(t.Context(), one.Hash, one.Seen))
	s, u, err := b.Session(t.Context(), one.Hash)
	ok(t, err)
	same(t, "session", s, one)
	same(t, "whose", u, ann)
	ok(t, b.EndSession(t.Context(), two.Hash))
	gone(t, b, two)
	ok(t, b.EndSession(t.Context(), one.Hash))
	ok(t, b.EndSession(t.Context(), one.Hash))
	gone(t, b, one)

	old := begin(t, b, "ann", epoch)
	begin(t, b, "ann", epoch.Add(people.SessionIdle))
	gone(t, b, old)
	last := begin(t, b, "ann", epoch.Add(people.SessionIdle))
	ok(t, b.EndSessions(t.Context(), "ann"))
	gone(t, b, last)
	ok(t, b.DropUser(t.Context(), "acme", "bob"))
	gone(t, b, bobs)
}

func gone(t *testing.T, b *bench, s people.Session) {
	t.Helper()
	_, _, err := b.Session(t.Context(), s.Hash)
	wantError(t, err, store.ErrNotFound)
}

func passwordEndsSessions(t *testing.T, b *bench) {
	ann := putUser(t, b, "acme", "ann")
	s := begin(t, b, "ann", epoch)
	must(b.PutUser(t.Context(), ann, false, false))(t)
	_, _, err := b.Session(t.Context(), s.Hash)
	ok(t, err)
	must(b.PutUser(t.Context(), ann, false, true))(t)
	gone(t, b, s)
}
