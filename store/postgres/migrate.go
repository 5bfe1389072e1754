package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"outrider/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is held by the one process that migrates. The number is "migrate" in ASCII.
const migrationLock = 0x6d696772617465

// migrate applies what is missing, in order, each in a transaction, while no other process does.
func migrate(ctx context.Context, config *pgx.ConnConfig) (err error) {
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	alone, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, alone.Close()) }()
	if _, err := alone.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	defer func() {
		_, e := alone.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		err = errors.Join(err, e)
	}()
	return sqlstore.Migrate(ctx, goose.DialectPostgres, db, migrations)
}
