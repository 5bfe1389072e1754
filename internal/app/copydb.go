package app

import (
	"context"
	"errors"
	"path/filepath"

	"outrider/internal/config"
	"outrider/store/postgres"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

// CopyDB copies the SQLite file in data.dir into the empty PostgreSQL database of store.url. Nothing writes to the
// file meanwhile. progress is told each table that was copied, and how many rows it had.
func CopyDB(ctx context.Context, c config.Config, progress func(table string, rows int)) (err error) {
	if c.Store.URL.Empty() {
		return errors.New("store.url: expected the PostgreSQL database to copy into, found none")
	}
	dump, err := sqlite.OpenDump(ctx, filepath.Join(c.Data.Dir, "outrider.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dump.Close()) }()
	return postgres.Load(ctx, c.Store.URL, dump, func(t sqlstore.Table) { progress(t.Name, t.Rows) })
}
