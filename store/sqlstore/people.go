package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"outrider/identity"
	"outrider/internal/people"
	"outrider/store"
)

const (
	userColumns = `id, tenant, name, role, password, disabled, created, updated, used`
	putUser     = `INSERT INTO people (` + userColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role, password = excluded.password,
		disabled = excluded.disabled, updated = excluded.updated`
	getUser   = `SELECT ` + userColumns + ` FROM people WHERE id = ?`
	listUsers = `SELECT ` + userColumns + ` FROM people WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`
	dropUser  = `DELETE FROM people WHERE tenant = ? AND id = ?`
	userUsed  = `UPDATE people SET used = ? WHERE id = ?`

	putSession   = `INSERT INTO sessions (hash, person, created, seen) VALUES (?, ?, ?, ?)`
	getSession   = `SELECT hash, person, created, seen FROM sessions WHERE hash = ?`
	seeSession   = `UPDATE sessions SET seen = ? WHERE hash = ?`
	dropSession  = `DELETE FROM sessions WHERE hash = ?`
	dropSessions = `DELETE FROM sessions WHERE person = ?`
	dropEnded    = `DELETE FROM sessions WHERE person = ? AND (seen <= ? OR created <= ?)`
)

// PutUser implements store.People.
func (s *Store) PutUser(ctx context.Context, u people.User, fresh, ends bool) (people.User, error) {
	err := s.put(ctx, "user", string(u.ID), func(tx Tx) error {
		known, err := scanUser(tx.Row(getUser, u.ID))
		u.Updated = s.now()
		switch {
		case errors.Is(err, sql.ErrNoRows):
			u.Created, u.Used = u.Updated, time.Time{}
		case err != nil:
			return err
		case fresh, known.Tenant != u.Tenant:
			return store.ErrConflict
		default:
			u.Created, u.Used = known.Created, known.Used
		}
		if ends {
			if err := tx.Exec(dropSessions, u.ID); err != nil {
				return err
			}
		}
		disabled := 0
		if u.Disabled {
			disabled = 1
		}
		return tx.Exec(putUser, u.ID, u.Tenant, u.Name, u.Role, u.Password, disabled, micros(u.Created), micros(u.Updated), micros(u.Used))
	})
	u.Created, u.Updated, u.Used = moment(micros(u.Created)), moment(micros(u.Updated)), moment(micros(u.Used))
	return u, err
}

// User implements store.People.
func (s *Store) User(ctx context.Context, id people.UserID) (people.User, error) {
	return one(scanUser(s.db.QueryRow(ctx, getUser, id)))("user")
}

// Users implements store.People.
func (s *Store) Users(ctx context.Context, tenant identity.TenantID, after people.UserID, limit int) ([]people.User, error) {
	rows, err := s.db.Query(ctx, listUsers, tenant, after, limit)
	return named(collect(rows, err, scanUser))("users")
}

func scanUser(row Row) (people.User, error) {
	var (
		u                               people.User
		disabled, created, updated, use int64
	)
	err := row.Scan(&u.ID, &u.Tenant, &u.Name, &u.Role, &u.Password, &disabled, &created, &updated, &use)
	u.Disabled, u.Created, u.Updated, u.Used = disabled == 1, moment(created), moment(updated), moment(use)
	return u, err
}

// DropUser implements store.People.
func (s *Store) DropUser(ctx context.Context, tenant identity.TenantID, id people.UserID) error {
	err := s.write(ctx, func(tx Tx) error {
		n, err := tx.Change(dropUser, tenant, id)
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.Exec(dropSessions, id)
	})
	if err != nil {
		return fmt.Errorf("store: drop user %q: %w", id, err)
	}
	return nil
}

// BeginSession implements store.Sessions.
func (s *Store) BeginSession(ctx context.Context, n people.Session) error {
	return s.put(ctx, "session of", string(n.User), func(tx Tx) error {
		at := n.Created
		if err := tx.Exec(dropEnded, n.User, micros(at.Add(-people.SessionIdle)), micros(at.Add(-people.SessionLife))); err != nil {
			return err
		}
		if err := tx.Exec(userUsed, micros(at), n.User); err != nil {
			return err
		}
		return tx.Exec(putSession, n.Hash, n.User, micros(n.Created), micros(n.Seen))
	})
}

// Session implements store.Sessions.
func (s *Store) Session(ctx context.Context, hash string) (people.Session, people.User, error) {
	var (
		found         people.Session
		created, seen int64
	)
	err := s.db.QueryRow(ctx, getSession, hash).Scan(&found.Hash, &found.User, &created, &seen)
	found.Created, found.Seen = moment(created), moment(seen)
	if found, err = one(found, err)("session"); err != nil {
		return found, people.User{}, err
	}
	u, err := s.User(ctx, found.User)
	return found, u, err
}

// SessionSeen implements store.Sessions.
func (s *Store) SessionSeen(ctx context.Context, hash string, at time.Time) error {
	_, err := s.changed(ctx, "session", seeSession, micros(at), hash)
	return err
}

// EndSession implements store.Sessions.
func (s *Store) EndSession(ctx context.Context, hash string) error {
	_, err := s.changed(ctx, "session", dropSession, hash)
	return err
}

// EndSessions implements store.Sessions.
func (s *Store) EndSessions(ctx context.Context, user people.UserID) error {
	_, err := s.changed(ctx, "sessions", dropSessions, user)
	return err
}

// one is named for a read of one row: no row is store.ErrNotFound.
func one[T any](v T, err error) func(what string) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	return named(v, err)
}
