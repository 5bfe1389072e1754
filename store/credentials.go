package store

import (
	"context"
	"time"

	"outrider/identity"
)

// RevokedKept is how long it is known that a credential was revoked.
const RevokedKept = 7 * 24 * time.Hour

// Credentials keeps with what trackers sign in.
type Credentials interface {
	// PutCredential keeps a fresh credential. ErrConflict if its id exists.
	PutCredential(ctx context.Context, c identity.Credential) error
	// Credential returns a credential, whatever its tenant. ErrNotFound.
	Credential(ctx context.Context, id identity.CredentialID) (identity.Credential, error)
	// Credentials lists those of a vehicle, oldest first.
	Credentials(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]identity.Credential, error)
	// DropCredential forgets one of the vehicle's and notes that it was revoked. ErrNotFound.
	DropCredential(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, id identity.CredentialID) error
	// RevokedCredentials lists those of all tenants that were dropped at or after a time, oldest first, as far back as
	// RevokedKept at least. By the clock of whoever dropped them, so look back a little further.
	RevokedCredentials(ctx context.Context, since time.Time) ([]identity.CredentialID, error)
	// CredentialUsed keeps when somebody signed in. One that was revoked meanwhile is no error.
	CredentialUsed(ctx context.Context, id identity.CredentialID, at time.Time) error
}
