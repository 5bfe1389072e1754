package store

import (
	"context"
	"time"

	"outrider/identity"
)

// APIKeys keeps who may call the API.
type APIKeys interface {
	// PutAPIKey keeps a fresh key. ErrConflict if there is one of its id.
	PutAPIKey(ctx context.Context, k identity.APIKey) error
	// APIKey returns a key by its hash, ErrNotFound if there is none.
	APIKey(ctx context.Context, hash string) (identity.APIKey, error)
	// APIKeys lists a tenant's keys, the oldest first.
	APIKeys(ctx context.Context, tenant identity.TenantID) ([]identity.APIKey, error)
	// DropAPIKey forgets a key. ErrNotFound if the tenant has none of that id.
	DropAPIKey(ctx context.Context, tenant identity.TenantID, id string) error
	// APIKeyUsed notes when a key was used.
	APIKeyUsed(ctx context.Context, id string, at time.Time) error
}
