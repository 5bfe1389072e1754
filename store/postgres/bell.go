package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"outrider/store"
)

// bellChannel is the channel of a schema's gateways. A name may be 63 bytes long, a schema's is, too.
const bellChannel = `'outrider_' || md5(current_schema())`

var _ store.Bell = (*database)(nil)

// Ring implements store.Bell, in a transaction of its own: one that notifies takes a lock on the whole database.
func (d *database) Ring(ctx context.Context, what ...string) error {
	_, err := d.pool.Exec(ctx, `SELECT pg_notify(`+bellChannel+`, w) FROM unnest($1::text[]) w`, what)
	if err != nil {
		return fmt.Errorf("postgres: notify: %w", err)
	}
	return nil
}

// Hear implements store.Bell, on a connection of its own.
func (d *database) Hear(ctx context.Context, heard func(what string)) error {
	conn, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("postgres: listen: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var channel string
	if err := conn.QueryRow(ctx, `SELECT `+bellChannel).Scan(&channel); err != nil {
		return fmt.Errorf("postgres: listen: %w", err)
	}
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("postgres: listen: %w", err)
	}
	heard("")
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("postgres: listen: %w", err)
		}
		heard(n.Payload)
	}
}
