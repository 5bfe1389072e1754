package store

import (
	"context"
	"time"

	"outrider/identity"
	"outrider/internal/people"
)

// People keeps who signs in at the console.
type People interface {
	// PutUser stores a person, new or not, and sets Updated; Created and Used are kept. fresh: it must not exist. ends
	// ends their sessions in the same transaction. ErrConflict when there is one of that id in another tenant, or, if
	// fresh, anywhere.
	PutUser(ctx context.Context, u people.User, fresh, ends bool) (people.User, error)
	// User returns a person, whatever their tenant. ErrNotFound.
	User(ctx context.Context, id people.UserID) (people.User, error)
	// Users lists those of a tenant in order of id, after the id given.
	Users(ctx context.Context, tenant identity.TenantID, after people.UserID, limit int) ([]people.User, error)
	// DropUser forgets one of the tenant's, and their sessions. ErrNotFound.
	DropUser(ctx context.Context, tenant identity.TenantID, id people.UserID) error
}

// Sessions keeps who is signed in.
type Sessions interface {
	// BeginSession keeps a session, forgets those of the same person that have ended, and keeps that they signed in.
	BeginSession(ctx context.Context, s people.Session) error
	// Session returns a session and whose it is. ErrNotFound.
	Session(ctx context.Context, hash string) (people.Session, people.User, error)
	// SessionSeen keeps when a session was used.
	SessionSeen(ctx context.Context, hash string, at time.Time) error
	// EndSession forgets a session, and EndSessions all of a person. None is no error.
	EndSession(ctx context.Context, hash string) error
	EndSessions(ctx context.Context, user people.UserID) error
}
