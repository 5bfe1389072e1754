package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite" // the driver

	"outrider/store/sqlstore"
)

// Options is what a store is made of.
type Options struct {
	Path       string                // of the file, required; its directory must exist
	Sealer     sqlstore.Sealer       // required
	Now        func() time.Time      // required: the clock of Updated, Recorded and released deliveries
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// database is the embedded database. Several processes may have one file open.
type database struct {
	read   *sql.DB
	writer *writer
}

var _ sqlstore.DB = (*database)(nil)

const (
	readers     = 4
	busyTimeout = 10 * time.Second // how long to wait for another process
)

// Open opens or creates the file and brings it to this version. A file that a newer version has migrated is
// refused: it may mean things that this version does not know.
func Open(ctx context.Context, o Options) (*sqlstore.Store, error) {
	if o.Path == "" || o.Sealer == nil || o.Now == nil {
		return nil, errors.New("sqlite: a store needs Path, Sealer and Now")
	}
	db, err := openDatabase(ctx, o)
	if err != nil {
		return nil, err
	}
	return sqlstore.New(db, o.Sealer, o.Now)
}

func openDatabase(ctx context.Context, o Options) (*database, error) {
	write, err := open(o.Path, 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", o.Path, err), write.Close())
	}
	read, err := open(o.Path, readers)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	w, err := newWriter(ctx, write, o.Registerer)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	return &database{read: read, writer: w}, nil
}

func open(path string, connections int) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)", "cache_size(-32768)",
	}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Write implements sqlstore.DB.
func (d *database) Write(ctx context.Context, do func(sqlstore.Tx) error, sure bool) error {
	return d.writer.queue.Run(ctx, do, sure)
}

// Query implements sqlstore.Reader.
func (d *database) Query(ctx context.Context, query string, args ...any) (sqlstore.Rows, error) {
	return rowsOf(d.read.QueryContext(ctx, query, args...))
}

// QueryRow implements sqlstore.Reader.
func (d *database) QueryRow(ctx context.Context, query string, args ...any) sqlstore.Row {
	return d.read.QueryRowContext(ctx, query, args...)
}

// View implements sqlstore.DB: it runs do in a read transaction.
func (d *database) View(ctx context.Context, do func(sqlstore.Reader) error) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(do(view{tx}), tx.Rollback())
}

// Close implements sqlstore.DB.
func (d *database) Close() error {
	return errors.Join(d.writer.close(), d.read.Close())
}

// view reads in one transaction.
type view struct{ tx *sql.Tx }

func (v view) Query(ctx context.Context, query string, args ...any) (sqlstore.Rows, error) {
	return rowsOf(v.tx.QueryContext(ctx, query, args...))
}

func (v view) QueryRow(ctx context.Context, query string, args ...any) sqlstore.Row {
	return v.tx.QueryRowContext(ctx, query, args...)
}

// rowsOf keeps a nil pointer from becoming rows that are there.
func rowsOf(rows *sql.Rows, err error) (sqlstore.Rows, error) {
	if err != nil {
		return nil, err
	}
	return rows, nil
}
