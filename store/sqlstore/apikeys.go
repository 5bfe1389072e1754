package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"outrider/identity"
	"outrider/store"
)

const (
	keyColumns = `id, tenant, name, role, hash, created, expires, used`
	putKey     = `INSERT INTO api_keys (` + keyColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
	getKey     = `SELECT ` + keyColumns + ` FROM api_keys WHERE hash = ?`
	tenantKeys = `SELECT ` + keyColumns + ` FROM api_keys WHERE tenant = ?`
	dropKey    = `DELETE FROM api_keys WHERE id = ? AND tenant = ?`
	keyUsed    = `UPDATE api_keys SET used = ? WHERE id = ?`
)

// PutAPIKey implements store.APIKeys.
func (s *Store) PutAPIKey(ctx context.Context, k identity.APIKey) error {
	return s.put(ctx, "API key", k.ID, func(tx Tx) error {
		n, err := tx.Change(putKey, k.ID, k.Tenant, k.Name, k.Role, k.Hash, micros(k.Created), micros(k.Expires), micros(k.Used))
		if err == nil && n == 0 {
			return store.ErrConflict
		}
		return err
	})
}

// APIKey implements store.APIKeys.
func (s *Store) APIKey(ctx context.Context, hash string) (identity.APIKey, error) {
	k, err := scanKey(s.db.QueryRow(ctx, getKey, hash))
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	return named(k, err)("API key")
}

// APIKeys implements store.APIKeys.
func (s *Store) APIKeys(ctx context.Context, tenant identity.TenantID) ([]identity.APIKey, error) {
	rows, err := s.db.Query(ctx, tenantKeys, tenant)
	all, err := collect(rows, err, scanKey)
	slices.SortFunc(all, func(a, b identity.APIKey) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return named(all, err)("API keys")
}

func scanKey(row Row) (identity.APIKey, error) {
	var (
		k                      identity.APIKey
		created, expires, used int64
	)
	err := row.Scan(&k.ID, &k.Tenant, &k.Name, &k.Role, &k.Hash, &created, &expires, &used)
	k.Created, k.Expires, k.Used = moment(created), moment(expires), moment(used)
	return k, err
}

// DropAPIKey implements store.APIKeys.
func (s *Store) DropAPIKey(ctx context.Context, tenant identity.TenantID, id string) error {
	n, err := s.changed(ctx, "API key", dropKey, id, tenant)
	if err == nil && n == 0 {
		return fmt.Errorf("API key %q: %w", id, store.ErrNotFound)
	}
	return err
}

// APIKeyUsed implements store.APIKeys.
func (s *Store) APIKeyUsed(ctx context.Context, id string, at time.Time) error {
	_, err := s.changed(ctx, "API key", keyUsed, micros(at), id)
	return err
}
