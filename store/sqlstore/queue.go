package sqlstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// groupMost is how many writes may share a transaction.
const groupMost = 128

// errClosed says that the store was closed.
var errClosed = errors.New("store: closed")

// Write is one caller's work in a [Queue].
type Write struct {
	Do     func(Tx) error
	Sure   bool       // its failure is the database's: it may undo the whole group
	result chan error // capacity 1, sent once
}

// Queue is the one goroutine of a process that writes. Writes that wait when it begins a transaction go into it
// together, so the cost of making them durable is shared. It is safe for many goroutines.
type Queue struct {
	commit  func(group []Write, results []error)
	waiting chan Write // sent by Run, read by loop, never closed
	closing chan struct{}
	once    sync.Once // closes closing
	done    chan struct{}
	metrics *metrics
}

// NewQueue returns a queue whose groups commit makes durable or undoes; it fills in what became of each write. A nil
// Registerer leaves the metrics unregistered.
func NewQueue(commit func(group []Write, results []error), r prometheus.Registerer) *Queue {
	q := &Queue{
		commit: commit, waiting: make(chan Write), closing: make(chan struct{}), done: make(chan struct{}), metrics: newMetrics(r),
	}
	go q.loop()
	return q
}

// Run hands a write over and waits for it. When ctx ends before the write was taken up, it is not made; after
// that, Run waits for its end whatever ctx says, so that the caller knows the outcome.
func (q *Queue) Run(ctx context.Context, do func(Tx) error, sure bool) error {
	if ctx.Err() != nil { // of several ready cases select takes any
		return context.Cause(ctx)
	}
	one := Write{do, sure, make(chan error, 1)}
	select {
	case q.waiting <- one:
	case <-q.closing:
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return <-one.result
}

// Close ends the goroutine after what it has taken up. It may come twice.
func (q *Queue) Close() {
	q.once.Do(func() { close(q.closing) })
	<-q.done
}

func (q *Queue) loop() {
	defer close(q.done)
	for {
		select {
		case first := <-q.waiting:
			q.write(q.gather(first))
		case <-q.closing:
			return
		}
	}
}

// gather adds the writes that wait now.
func (q *Queue) gather(first Write) []Write {
	group := []Write{first}
	for len(group) < groupMost {
		select {
		case next := <-q.waiting:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

func (q *Queue) write(group []Write) {
	began := time.Now() //nolint:forbidigo // the length of a transaction is a wall-clock figure
	results := make([]error, len(group))
	q.commit(group, results)
	q.metrics.observe(len(group), time.Since(began))
	for i, one := range group {
		one.result <- results[i]
	}
}
