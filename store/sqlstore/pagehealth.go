package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"outrider/identity"
)

const (
	putHealth = `INSERT INTO page_health (page, health) VALUES (?, ?) ON CONFLICT (page) DO UPDATE SET health = excluded.health`
	getHealth = `SELECT health FROM page_health WHERE page = ?`
)

// PutPageHealth implements store.PageHealths.
func (s *Store) PutPageHealth(ctx context.Context, h identity.PageHealth) error {
	return s.put(ctx, "health of page", string(h.Page), func(tx Tx) error { return tx.Exec(putHealth, h.Page, text(h)) })
}

// PageHealth implements store.PageHealths.
func (s *Store) PageHealth(ctx context.Context, page identity.PageID) (identity.PageHealth, error) {
	h := identity.PageHealth{Page: page}
	var raw string
	err := s.db.QueryRow(ctx, getHealth, page).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), &h)
	}
	return named(h, err)("page health")
}
