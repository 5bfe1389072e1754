package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"outrider/store/sqlstore"
)

// writersLock is the advisory lock that makes the transactions of all processes go one after the other. It is held
// until the end of the transaction, and is of the database. The number is "outrider" in ASCII.
const writersLock = 0x6f75747269646572

// tx is a transaction. Statements that need no answer wait in batch.
type tx struct {
	ctx     context.Context
	conn    *pgx.Conn
	dialect *dialect
	batch   *pgx.Batch
	begun   bool // BEGIN was sent
}

var _ sqlstore.Tx = (*tx)(nil)

func newTx(ctx context.Context, conn *pgx.Conn, d *dialect) *tx {
	t := &tx{ctx: ctx, conn: conn, dialect: d, batch: &pgx.Batch{}}
	t.batch.Queue("BEGIN")
	// PERF: what is written is found by index, whatever the statistics of a table that just began to fill say; and by one
	// that skips the rows that are done with, which a bitmap does not. For this transaction only, in one statement.
	t.batch.Queue("SELECT pg_advisory_xact_lock($1), set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)",
		int64(writersLock))
	return t
}

// Exec implements sqlstore.Tx: the statement waits. Its fault is told by the next that answers, or by the end.
func (t *tx) Exec(query string, args ...any) error {
	t.batch.Queue(t.dialect.translate(query), clean(args)...)
	return nil
}

// Change implements sqlstore.Tx.
func (t *tx) Change(query string, args ...any) (int, error) {
	n := 0
	_ = t.Exec(query, args...)
	err := t.send(func(r pgx.BatchResults) error {
		tag, err := r.Exec()
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}

// One implements sqlstore.Tx.
func (t *tx) One(dst []any, query string, args ...any) error {
	return t.Row(query, args...).Scan(dst...)
}

// Row implements sqlstore.Tx.
func (t *tx) Row(query string, args ...any) sqlstore.Row { return lazyRow{t, query, args} }

// lazyRow asks when it is scanned.
type lazyRow struct {
	t     *tx
	query string
	args  []any
}

// Scan implements sqlstore.Row.
func (r lazyRow) Scan(dst ...any) error {
	_ = r.t.Exec(r.query, r.args...)
	var missing error
	err := r.t.send(func(b pgx.BatchResults) error {
		err := b.QueryRow().Scan(dst...)
		if errors.Is(err, pgx.ErrNoRows) {
			missing, err = err, nil // no fault of the transaction
		}
		return err
	})
	return errors.Join(err, missing)
}

// Rows implements sqlstore.Tx, in one journey with what waits. The rows must be closed before the next statement.
func (t *tx) Rows(query string, args ...any) (sqlstore.Rows, error) {
	_ = t.Exec(query, args...)
	r, err := t.begin()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	rows, err := r.Query()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return batchRows{rows, r}, nil
}

// batchRows are the rows of the last statement of a batch.
type batchRows struct {
	pgx.Rows
	batch pgx.BatchResults
}

// Close implements sqlstore.Rows.
func (r batchRows) Close() error {
	r.Rows.Close()
	return errors.Join(r.Err(), r.batch.Close())
}

// flush sends what waits.
func (t *tx) flush() error {
	if t.batch.Len() == 0 {
		return nil
	}
	return t.send(func(r pgx.BatchResults) error {
		_, err := r.Exec()
		return err
	})
}

// send sends what waits, and gives the answer of the last statement to last.
func (t *tx) send(last func(pgx.BatchResults) error) error {
	r, err := t.begin()
	if err == nil {
		err = last(r)
	}
	return errors.Join(err, r.Close())
}

// begin sends what waits, and reads the answers of all statements but the last.
func (t *tx) begin() (pgx.BatchResults, error) {
	n := t.batch.Len()
	r := t.conn.SendBatch(t.ctx, t.batch)
	t.batch, t.begun = &pgx.Batch{}, true
	for range n - 1 {
		if _, err := r.Exec(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// end commits, in one journey with what waits.
func (t *tx) end() error {
	t.batch.Queue("COMMIT")
	err := t.flush()
	switch {
	case err == nil:
		return nil
	case t.conn.IsClosed() && !pgconn.SafeToRetry(err):
		return errors.Join(errUnknown, err)
	}
	return errors.Join(fmt.Errorf("postgres: commit: %w", err), t.undo())
}

// undo rolls back. A connection on which that fails is dropped by the pool.
func (t *tx) undo() error {
	if !t.begun || t.conn.IsClosed() {
		return nil
	}
	_, err := t.conn.Exec(t.ctx, "ROLLBACK")
	return err
}
