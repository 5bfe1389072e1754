package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/store/sqlstore"
)

// groupMost is how many writes may share a transaction.
const groupMost = 128

// errClosed says that the store was closed.
var errClosed = errors.New("sqlite: closed")

// writer is the one goroutine that writes. Writes that wait when it begins a transaction go into it together,
// so the cost of making them durable is shared.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn  // the only connection of db
	queue   chan write // sent by run, read by loop, never closed
	closing chan struct{}
	once    sync.Once // closes closing and db
	err     error     // of closing, set by once
	done    chan struct{}
	stmts   map[string]*sql.Stmt // owned by loop
	metrics *metrics
}

// write is one caller's work and where it waits for the result.
type write struct {
	do     func(sqlstore.Tx) error
	sure   bool       // its failure is the database's: it may undo the whole group
	result chan error // capacity 1, sent once
}

func newWriter(ctx context.Context, db *sql.DB, m *metrics) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlite: connect: %w", err)
	}
	w := &writer{
		db: db, conn: conn, queue: make(chan write), closing: make(chan struct{}), done: make(chan struct{}),
		stmts: map[string]*sql.Stmt{}, metrics: m,
	}
	go w.loop()
	return w, nil
}

// run hands a write over and waits for it. When ctx ends before the write was taken up, it is not made; after
// that, run waits for its end whatever ctx says, so that the caller knows the outcome.
//
// PERF: a write that is sure to succeed, unless the database itself fails, goes without savepoint, whose copies of
// changed pages cost a tenth of the dispatcher's writes.
func (w *writer) run(ctx context.Context, do func(sqlstore.Tx) error, sure bool) error {
	one := write{do, sure, make(chan error, 1)}
	select {
	case w.queue <- one:
	case <-w.closing:
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return <-one.result
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case first := <-w.queue:
			w.commit(w.gather(first))
		case <-w.closing:
			return
		}
	}
}

// gather adds the writes that wait now.
func (w *writer) gather(first write) []write {
	group := []write{first}
	for len(group) < groupMost {
		select {
		case next := <-w.queue:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

func (w *writer) commit(group []write) {
	began := time.Now() //nolint:forbidigo // the length of a transaction is a wall-clock figure
	results := make([]error, len(group))
	err := w.transact(group, results)
	w.metrics.observe(len(group), time.Since(began))
	for i, one := range group {
		if results[i] == nil && err != nil {
			results[i] = fmt.Errorf("sqlite: commit: %w", err)
		}
		one.result <- results[i]
	}
}

// transact runs the group in one transaction; results are of the single writes, the error is of them all.
func (w *writer) transact(group []write, results []error) error {
	t := &tx{w: w}
	if err := t.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if len(group) == 1 {
		// PERF: alone it needs no savepoint, whose copies of changed pages cost a quarter of a large commit.
		if results[0] = group[0].do(t); results[0] != nil {
			return t.Exec("ROLLBACK")
		}
		return t.end()
	}
	for i, one := range group {
		if one.sure {
			t.broken = one.do(t)
		} else {
			results[i] = t.apart(one.do)
		}
		if t.broken != nil {
			return errors.Join(t.broken, t.Exec("ROLLBACK"))
		}
	}
	return t.end()
}

func (w *writer) close() error {
	w.once.Do(func() {
		close(w.closing)
		<-w.done
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

type metrics struct {
	seconds prometheus.Histogram
	writes  prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "outrider_store_transaction_seconds",
			Help:                        "Time of a transaction of the store, until it is on disk.",
			Buckets:                     prometheus.ExponentialBuckets(0.0002, 2, 15),
			NativeHistogramBucketFactor: 1.1,
		}),
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_store_writes_total",
			Help: "Writes to the store; several may share a transaction.",
		}),
	}
	if r != nil {
		r.MustRegister(m.seconds, m.writes)
	}
	return m
}

func (m *metrics) observe(writes int, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	m.writes.Add(float64(writes))
}
