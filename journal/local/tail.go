package local

import (
	"sync"

	"outrider/journal"
	"outrider/telemetry"
)

// tail is the newest entries of one partition, in memory, for a reader that keeps up.
type tail struct {
	limit int

	mu      sync.Mutex // guards what follows
	entries []journal.Entry
	start   journal.Position // every entry of the partition at or after it is in entries
	changed chan struct{}    // closed by append and close, then made anew
	closed  bool
}

type tailState int

const (
	tailWait   tailState = iota // nothing there yet
	tailBehind                  // the position is older than what is kept in memory
	tailClosed
)

func newTail(limit int) *tail { return &tail{limit: limit, start: 1, changed: make(chan struct{})} }

// append adds durable fixes and wakes the readers.
func (t *tail) append(first journal.Position, fixes []telemetry.Fix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range fixes {
		t.entries = append(t.entries, journal.Entry{Position: first + journal.Position(i), Fix: fixes[i]})
	}
	// Dropping a half at a time costs each entry one copy. Readers have copies of their own.
	if drop := len(t.entries) - t.limit; drop > t.limit {
		t.start = t.entries[drop-1].Position + 1
		t.entries = t.entries[:copy(t.entries, t.entries[drop:])]
	}
	t.wake()
}

// skip says that the partition's entries before the position are in files only.
func (t *tail) skip(to journal.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.start = to
}

func (t *tail) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tail) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.wake()
}

// read appends entries from a position on to dst, as many as fit. Without any it says why, and what to wait for.
func (t *tail) read(from journal.Position, dst []journal.Entry) ([]journal.Entry, tailState, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return dst, tailClosed, nil
	case from < t.start:
		return dst, tailBehind, nil
	}
	at := t.search(from)
	n := min(len(t.entries)-at, cap(dst)-len(dst))
	return append(dst, t.entries[at:at+n]...), tailWait, t.changed
}

// search finds the first entry at or after a position.
func (t *tail) search(from journal.Position) int {
	low, high := 0, len(t.entries)
	for low < high {
		middle := (low + high) / 2
		if t.entries[middle].Position < from {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
