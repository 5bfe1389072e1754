package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/store/sqlstore"
)

// writer has the one connection that writes. Each write of a group has a savepoint of its own.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn // the only connection of db
	queue *sqlstore.Queue
	once  sync.Once            // closes db
	err   error                // of closing, set by once
	stmts map[string]*sql.Stmt // owned by the queue's goroutine
}

func newWriter(ctx context.Context, db *sql.DB, r prometheus.Registerer) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlite: connect: %w", err)
	}
	w := &writer{db: db, conn: conn, stmts: map[string]*sql.Stmt{}}
	w.queue = sqlstore.NewQueue(w.commit, r)
	return w, nil
}

func (w *writer) commit(group []sqlstore.Write, results []error) {
	err := w.transact(group, results)
	for i := range results {
		if results[i] == nil && err != nil {
			results[i] = fmt.Errorf("sqlite: commit: %w", err)
		}
	}
}

// transact runs the group in one transaction; results are of the single writes, the error is of them all.
//
// PERF: a write that is sure to succeed, unless the database itself fails, goes without savepoint, whose copies of
// changed pages cost a tenth of the dispatcher's writes.
func (w *writer) transact(group []sqlstore.Write, results []error) error {
	t := &tx{w: w}
	if err := t.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if len(group) == 1 {
		// PERF: alone it needs no savepoint, whose copies of changed pages cost a quarter of a large commit.
		if results[0] = group[0].Do(t); results[0] != nil {
			return t.Exec("ROLLBACK")
		}
		return t.end()
	}
	for i, one := range group {
		if one.Sure {
			t.broken = one.Do(t)
		} else {
			results[i] = t.apart(one.Do)
		}
		if t.broken != nil {
			return errors.Join(t.broken, t.Exec("ROLLBACK"))
		}
	}
	return t.end()
}

func (w *writer) close() error {
	w.once.Do(func() {
		w.queue.Close()
		var problems []error
		for _, s := range w.stmts {
			problems = append(problems, s.Close())
		}
		w.err = errors.Join(append(problems, w.conn.Close(), w.db.Close())...)
	})
	return w.err
}

// tx is a transaction of the writer's goroutine, with statements prepared once.
type tx struct {
	w      *writer
	broken error // the transaction itself cannot go on
}

// end commits.
func (t *tx) end() error {
	err := t.Exec("COMMIT")
	if err == nil {
		return nil
	}
	return errors.Join(err, t.Exec("ROLLBACK"))
}

// apart runs do inside a savepoint, so that its failure undoes its own work only.
func (t *tx) apart(do func(sqlstore.Tx) error) error {
	if t.broken = t.Exec("SAVEPOINT one"); t.broken != nil {
		return t.broken
	}
	err := do(t)
	if err != nil {
		t.broken = t.Exec("ROLLBACK TO one")
	}
	if t.broken == nil {
		t.broken = t.Exec("RELEASE one")
	}
	return err
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s, ok := t.w.stmts[query]; ok {
		return s, nil
	}
	s, err := t.w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		t.w.stmts[query] = s
	}
	return s, err
}

// Exec implements sqlstore.Tx.
func (t *tx) Exec(query string, args ...any) error {
	_, err := t.Change(query, args...)
	return err
}

// Change implements sqlstore.Tx.
func (t *tx) Change(query string, args ...any) (int, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// One implements sqlstore.Tx.
func (t *tx) One(dst []any, query string, args ...any) error {
	return t.Row(query, args...).Scan(dst...)
}

// Row implements sqlstore.Tx.
func (t *tx) Row(query string, args ...any) sqlstore.Row {
	s, err := t.stmt(query)
	if err != nil {
		return failed{err}
	}
	return s.QueryRow(args...)
}

// failed is the row of a statement that could not be prepared.
type failed struct{ err error }

// Scan implements sqlstore.Row.
func (f failed) Scan(...any) error { return f.err }

// Rows implements sqlstore.Tx.
func (t *tx) Rows(query string, args ...any) (sqlstore.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return rowsOf(s.Query(args...))
}
