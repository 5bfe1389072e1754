package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"outrider/store/sqlstore"
)

const (
	groupMost = 128              // how many writes may share a transaction
	writeTime = 30 * time.Second // after which a transaction is given up
)

// errClosed says that the store was closed.
var errClosed = errors.New("postgres: closed")

// writer is the one goroutine of this process that writes. Writes that wait when it begins a transaction go into it
// together. When one of them fails, the transaction is undone and each is made again in its own.
type writer struct {
	pool    *pgxpool.Pool
	dialect *dialect
	queue   chan write // sent by run, read by loop, never closed
	closing chan struct{}
	once    sync.Once
	done    chan struct{}
	metrics *metrics
}

// write is one caller's work and where it waits for the result.
type write struct {
	do     func(sqlstore.Tx) error
	result chan error // capacity 1, sent once
}

func newWriter(pool *pgxpool.Pool, d *dialect, m *metrics) *writer {
	w := &writer{
		pool: pool, dialect: d, queue: make(chan write), closing: make(chan struct{}), done: make(chan struct{}), metrics: m,
	}
	go w.loop()
	return w
}

// run hands a write over and waits for it. When ctx ends before the write was taken up, it is not made; after
// that, run waits for its end whatever ctx says, so that the caller knows the outcome.
func (w *writer) run(ctx context.Context, do func(sqlstore.Tx) error) error {
	one := write{do, make(chan error, 1)}
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
	defer func() { w.metrics.observe(len(group), time.Since(began)) }()
	err := w.transact(group)
	if err == nil || len(group) == 1 || errors.Is(err, errUnknown) {
		for _, one := range group {
			one.result <- err
		}
		return
	}
	for i := range group {
		group[i].result <- w.transact(group[i : i+1])
	}
}

// errUnknown says that the connection was lost while a transaction was being committed: it may be durable or not.
var errUnknown = errors.New("postgres: the connection was lost during a commit")

// transact makes the writes of the group in one transaction.
func (w *writer) transact(group []write) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: connect: %w", err)
	}
	defer conn.Release()
	t := newTx(ctx, conn.Conn(), w.dialect)
	for _, one := range group {
		if err := one.do(t); err != nil {
			return errors.Join(err, t.undo())
		}
	}
	return t.end()
}

func (w *writer) close() {
	w.once.Do(func() {
		close(w.closing)
		<-w.done
	})
}
