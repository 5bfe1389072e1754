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
	credentialColumns  = `id, tenant, vehicle, hash, created, used`
	putCredential      = `INSERT INTO credentials (` + credentialColumns + `) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
	getCredential      = `SELECT ` + credentialColumns + ` FROM credentials WHERE id = ?`
	vehicleCredentials = `SELECT ` + credentialColumns + ` FROM credentials WHERE tenant = ? AND vehicle = ?`
	dropCredential     = `DELETE FROM credentials WHERE id = ? AND tenant = ? AND vehicle = ?`
	credentialUsed     = `UPDATE credentials SET used = ? WHERE id = ?`
	noteRevoked        = `INSERT INTO revoked_credentials (id, at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`
	forgetRevoked      = `DELETE FROM revoked_credentials WHERE at < ?`
	revokedSince       = `SELECT id FROM revoked_credentials WHERE at >= ? ORDER BY at, id`
)

// PutCredential implements store.Credentials.
func (s *Store) PutCredential(ctx context.Context, c identity.Credential) error {
	return s.put(ctx, "credential", string(c.ID), func(tx Tx) error {
		n, err := tx.Change(putCredential, c.ID, c.Tenant, c.Vehicle, c.Hash, micros(c.Created), micros(c.Used))
		if err == nil && n == 0 {
			return store.ErrConflict
		}
		return err
	})
}

// Credential implements store.Credentials.
func (s *Store) Credential(ctx context.Context, id identity.CredentialID) (identity.Credential, error) {
	c, err := scanCredential(s.db.QueryRow(ctx, getCredential, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	return named(c, err)("credential")
}

// Credentials implements store.Credentials.
func (s *Store) Credentials(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]identity.Credential, error) {
	rows, err := s.db.Query(ctx, vehicleCredentials, tenant, vehicle)
	all, err := collect(rows, err, scanCredential)
	slices.SortFunc(all, func(a, b identity.Credential) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return named(all, err)("credentials")
}

func scanCredential(row Row) (identity.Credential, error) {
	var (
		c             identity.Credential
		created, used int64
	)
	err := row.Scan(&c.ID, &c.Tenant, &c.Vehicle, &c.Hash, &created, &used)
	c.Created, c.Used = moment(created), moment(used)
	return c, err
}

// DropCredential implements store.Credentials.
func (s *Store) DropCredential(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, id identity.CredentialID) error {
	now := s.now()
	err := s.write(ctx, func(tx Tx) error {
		n, err := tx.Change(dropCredential, id, tenant, vehicle)
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			err = tx.Exec(noteRevoked, id, micros(now))
		}
		if err == nil {
			err = tx.Exec(forgetRevoked, micros(now.Add(-store.RevokedKept)))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: drop credential %q: %w", id, err)
	}
	return nil
}

// RevokedCredentials implements store.Credentials.
func (s *Store) RevokedCredentials(ctx context.Context, since time.Time) ([]identity.CredentialID, error) {
	rows, err := s.db.Query(ctx, revokedSince, micros(since))
	return named(collect(rows, err, func(row Row) (id identity.CredentialID, err error) {
		err = row.Scan(&id)
		return id, err
	}))("revoked credentials")
}

// CredentialUsed implements store.Credentials.
func (s *Store) CredentialUsed(ctx context.Context, id identity.CredentialID, at time.Time) error {
	_, err := s.changed(ctx, "credential", credentialUsed, micros(at), id)
	return err
}
