package console_test

import (
	"cmp"
	"context"
	"slices"
	"time"

	"outrider/identity"
	"outrider/internal/people"
	"outrider/store"
)

// find returns the place of what is wanted, or store.ErrNotFound.
func find[T any](all []T, wanted func(T) bool, fail error) (int, error) {
	i := slices.IndexFunc(all, wanted)
	if fail == nil && i < 0 {
		fail = store.ErrNotFound
	}
	return i, fail
}

// get returns what is wanted, or store.ErrNotFound.
func get[T any](a *fakeStore, all *[]T, wanted func(T) bool) (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var none T
	i, err := find(*all, wanted, a.fail)
	if err != nil {
		return none, err
	}
	return (*all)[i], nil
}

// set changes what is wanted.
func set[T any](a *fakeStore, all *[]T, wanted func(T) bool, change func(*T)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, err := find(*all, wanted, a.fail)
	if err == nil {
		change(&(*all)[i])
	}
	return err
}

// drop forgets all that are wanted, and says how many.
func drop[T any](a *fakeStore, all *[]T, wanted func(T) bool) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(*all)
	*all = slices.DeleteFunc(slices.Clone(*all), wanted)
	return n - len(*all), a.fail
}

func (s *fakeStore) PutUser(ctx context.Context, u people.User, fresh, ends bool) (people.User, error) {
	known, err := s.User(ctx, u.ID)
	if err == nil && (fresh || known.Tenant != u.Tenant) {
		return u, store.ErrConflict
	}
	u.Updated = s.now()
	if u.Created = known.Created; err != nil {
		u.Created = u.Updated
	}
	if ends {
		if err := s.EndSessions(ctx, u.ID); err != nil {
			return u, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = replace(s.users, u, func(o people.User) bool { return o.ID == u.ID })
	return u, s.fail
}

func (s *fakeStore) User(_ context.Context, id people.UserID) (people.User, error) {
	return get(s, &s.users, func(u people.User) bool { return u.ID == id })
}

func (s *fakeStore) Users(_ context.Context, tenant identity.TenantID, after people.UserID, limit int) ([]people.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := slices.DeleteFunc(slices.Clone(s.users), func(u people.User) bool { return u.Tenant != tenant || u.ID <= after })
	slices.SortFunc(of, func(x, y people.User) int { return cmp.Compare(x.ID, y.ID) })
	return of[:min(limit, len(of))], s.fail
}

func (s *fakeStore) DropUser(ctx context.Context, tenant identity.TenantID, id people.UserID) error {
	n, err := drop(s, &s.users, func(u people.User) bool { return u.Tenant == tenant && u.ID == id })
	if n == 0 {
		return cmp.Or(err, store.ErrNotFound)
	}
	return cmp.Or(err, s.EndSessions(ctx, id))
}

func (s *fakeStore) BeginSession(_ context.Context, n people.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = append(s.sessions, n)
	return s.fail
}

func (s *fakeStore) Session(ctx context.Context, hash string) (people.Session, people.User, error) {
	found, err := get(s, &s.sessions, func(o people.Session) bool { return o.Hash == hash })
	if err != nil {
		return found, people.User{}, err
	}
	u, err := s.User(ctx, found.User)
	return found, u, err
}

func (s *fakeStore) SessionSeen(_ context.Context, hash string, at time.Time) error {
	return set(s, &s.sessions, func(o people.Session) bool { return o.Hash == hash }, func(o *people.Session) { o.Seen = at })
}

func (s *fakeStore) EndSession(_ context.Context, hash string) error {
	_, err := drop(s, &s.sessions, func(o people.Session) bool { return o.Hash == hash })
	return err
}

func (s *fakeStore) EndSessions(_ context.Context, user people.UserID) error {
	_, err := drop(s, &s.sessions, func(o people.Session) bool { return o.User == user })
	return err
}
