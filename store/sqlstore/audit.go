package sqlstore

import (
	"context"
	"encoding/json"

	"outrider/identity"
	"outrider/store"
)

const (
	beginEntry = `INSERT INTO audit (tenant, at, actor, name, operation, target, request, status, old, new)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, '') RETURNING seq`
	endEntry     = `UPDATE audit SET status = ?, new = ? WHERE seq = ?`
	dropEntry    = `DELETE FROM audit WHERE seq = ?`
	entryColumns = `SELECT seq, tenant, at, actor, name, operation, target, request, status, old, new FROM audit`
	newEntries   = entryColumns + ` WHERE tenant = ? ORDER BY seq DESC LIMIT ?`
	oldEntries   = entryColumns + ` WHERE tenant = ? AND seq < ? ORDER BY seq DESC LIMIT ?`
)

// BeginEntry implements store.Audit.
func (s *Store) BeginEntry(ctx context.Context, e store.AuditEntry) (uint64, error) {
	var seq uint64
	err := s.put(ctx, "audit entry of", e.Operation, func(tx Tx) error {
		return tx.One([]any{&seq}, beginEntry, e.Tenant, micros(e.At), e.Actor, e.Name, e.Operation, e.Target, e.Request, string(e.Before))
	})
	return seq, err
}

// EndEntry implements store.Audit.
func (s *Store) EndEntry(ctx context.Context, seq uint64, status int, after json.RawMessage) error {
	_, err := s.changed(ctx, "audit entry", endEntry, status, string(after), seq)
	return err
}

// DropEntry implements store.Audit.
func (s *Store) DropEntry(ctx context.Context, seq uint64) error {
	_, err := s.changed(ctx, "audit entry", dropEntry, seq)
	return err
}

// Entries implements store.Audit.
func (s *Store) Entries(ctx context.Context, tenant identity.TenantID, before uint64, limit int) ([]store.AuditEntry, error) {
	query, args := newEntries, []any{tenant, limit}
	if before > 0 {
		query, args = oldEntries, []any{tenant, before, limit}
	}
	rows, err := s.db.Query(ctx, query, args...)
	return named(collect(rows, err, scanEntry))("audit entries")
}

func scanEntry(row Row) (store.AuditEntry, error) {
	var (
		e             store.AuditEntry
		at            int64
		before, after string
	)
	err := row.Scan(&e.Seq, &e.Tenant, &at, &e.Actor, &e.Name, &e.Operation, &e.Target, &e.Request, &e.Status, &before, &after)
	e.At = moment(at)
	if before != "" {
		e.Before = json.RawMessage(before)
	}
	if after != "" {
		e.After = json.RawMessage(after)
	}
	return e, err
}
