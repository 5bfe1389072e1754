package sqlite

import (
	"context"
	"database/sql"
	"embed"

	"github.com/pressly/goose/v3"

	"outrider/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

func migrate(ctx context.Context, db *sql.DB) error {
	return sqlstore.Migrate(ctx, goose.DialectSQLite3, db, migrations)
}
