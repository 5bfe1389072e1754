package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"outrider/identity"
	"outrider/internal/config"
	"outrider/store/sqlstore"
)

// Keys makes and revokes API keys in the store of a gateway, which may be running meanwhile.
type Keys struct{ store *sqlstore.Store }

// KeyWish is the key that is wanted.
type KeyWish struct {
	Tenant, Name, Role string
	Life               time.Duration // 0: for ever
}

// OpenKeys opens the store of these settings.
func OpenKeys(ctx context.Context, c config.Config) (*Keys, error) {
	s, err := OpenStore(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Keys{s}, nil
}

// Create makes a key.
func (k *Keys) Create(ctx context.Context, w KeyWish) (identity.APIKey, identity.Token, error) {
	role := identity.Role(w.Role)
	switch {
	case !slices.Contains(identity.RoleNames(), role):
		return identity.APIKey{}, identity.Token{}, fmt.Errorf("role: is %q; expected viewer, operator or admin", w.Role)
	case w.Tenant == "":
		return identity.APIKey{}, identity.Token{}, fmt.Errorf("tenant: expected a name, found none")
	case w.Life < 0:
		return identity.APIKey{}, identity.Token{}, fmt.Errorf("life: is %v; expected a time to come, or 0", w.Life)
	}
	key, secret := identity.NewAPIKey(identity.TenantID(w.Tenant), w.Name, role, time.Now(), w.Life)
	return key, secret, k.store.PutAPIKey(ctx, key)
}

// List returns the keys of a tenant.
func (k *Keys) List(ctx context.Context, tenant string) ([]identity.APIKey, error) {
	return k.store.APIKeys(ctx, identity.TenantID(tenant))
}

// Revoke ends a key. A running gateway notices within two seconds.
func (k *Keys) Revoke(ctx context.Context, tenant, id string) error {
	return k.store.DropAPIKey(ctx, identity.TenantID(tenant), id)
}

// Close closes the store.
func (k *Keys) Close() error { return k.store.Close() }
