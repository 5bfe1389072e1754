package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/store/sqlstore"
)

// readers is how many connections read at most, where the URL does not say pool_max_conns.
const readers = 8

// Options is what a store is made of.
type Options struct {
	URL        identity.Token        // postgres://…, required; pgx's pool_… parameters are understood
	Sealer     sqlstore.Sealer       // required
	Now        func() time.Time      // required: the clock of Updated, Recorded and released deliveries
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// database is a PostgreSQL database. Any number of processes may have it open.
type database struct {
	pool    *pgxpool.Pool
	queue   *sqlstore.Queue
	dialect dialect
}

var _ sqlstore.DB = (*database)(nil)

// Open connects and brings the database to this version. One that a newer version has migrated is refused: it may
// mean things that this version does not know. Processes that start at the same time migrate one after the other.
func Open(ctx context.Context, o Options) (*sqlstore.Store, error) {
	if o.URL.Empty() || o.Sealer == nil || o.Now == nil {
		return nil, errors.New("postgres: a store needs URL, Sealer and Now")
	}
	db, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	return sqlstore.New(db, o.Sealer, o.Now)
}

func open(ctx context.Context, o Options) (*database, error) {
	config, err := pgxpool.ParseConfig(o.URL.Reveal())
	if err != nil {
		// SAFETY: the error of the parser may quote the URL, and with it the password.
		return nil, errors.New("postgres: the database's URL cannot be read; expected postgres://user:password@host:port/database")
	}
	if err := migrate(ctx, config.ConnConfig.Copy()); err != nil {
		return nil, fmt.Errorf("postgres: database %q at %s: %w", config.ConnConfig.Database, config.ConnConfig.Host, err)
	}
	config.MaxConns = max(config.MaxConns, readers)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: connect to %s: %w", config.ConnConfig.Host, err)
	}
	db := &database{pool: pool}
	db.queue = sqlstore.NewQueue((&writer{pool, &db.dialect}).commit, o.Registerer)
	return db, nil
}

// Write implements sqlstore.DB.
func (d *database) Write(ctx context.Context, do func(sqlstore.Tx) error, sure bool) error {
	return d.queue.Run(ctx, do, sure)
}

// Query implements sqlstore.Reader.
func (d *database) Query(ctx context.Context, query string, args ...any) (sqlstore.Rows, error) {
	return reader{d.pool, &d.dialect}.Query(ctx, query, args...)
}

// QueryRow implements sqlstore.Reader.
func (d *database) QueryRow(ctx context.Context, query string, args ...any) sqlstore.Row {
	return reader{d.pool, &d.dialect}.QueryRow(ctx, query, args...)
}

// View implements sqlstore.DB.
func (d *database) View(ctx context.Context, do func(sqlstore.Reader) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, d.pool, options, func(tx pgx.Tx) error { return do(reader{tx, &d.dialect}) })
}

// Close implements sqlstore.DB.
func (d *database) Close() error {
	d.queue.Close()
	d.pool.Close()
	return nil
}

// queryer is a pool or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// reader reads with translated statements.
type reader struct {
	queryer
	dialect *dialect
}

func (r reader) Query(ctx context.Context, query string, args ...any) (sqlstore.Rows, error) {
	return rowsOf(r.queryer.Query(ctx, r.dialect.translate(query), clean(args)...))
}

func (r reader) QueryRow(ctx context.Context, query string, args ...any) sqlstore.Row {
	return r.queryer.QueryRow(ctx, r.dialect.translate(query), clean(args)...)
}

// rows gives pgx's rows the Close of database/sql.
type rows struct{ pgx.Rows }

// Close implements sqlstore.Rows.
func (r rows) Close() error {
	r.Rows.Close()
	return r.Err()
}

func rowsOf(r pgx.Rows, err error) (sqlstore.Rows, error) {
	if err != nil {
		return nil, err
	}
	return rows{r}, nil
}
