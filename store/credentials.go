package store

import (
	"context"
	"time"

	"outrider/identity"
)

// Credentials keeps with what trackers sign in.
type Credentials interface {
	// PutCredential keeps a fresh credential. ErrConflict if its id exists.
	PutCredential(ctx context.Context, c identity.Credential) error
	// Credential returns a credential, whatever its tenant. ErrNotFound.
	Credential(ctx context.Context, id identity.CredentialID) (identity.Credential, error)
	// Credentials lists those of a vehicle, oldest first.
	Credentials(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]identity.Credential, error)
	// DropCredential forgets one of the vehicle's. ErrNotFound.
	DropCredential(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, id identity.CredentialID) error
	// CredentialUsed keeps when somebody signed in. One that was revoked meanwhile is no error.
	CredentialUsed(ctx context.Context, id identity.CredentialID, at time.Time) error
}
