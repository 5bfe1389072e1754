package identity

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Source is where the records of a directory are kept.
type Source interface {
	// Identities returns everything.
	Identities(ctx context.Context) (Records, error)
	// IdentitiesOf returns those of the named records that there are.
	IdentitiesOf(ctx context.Context, refs ...Ref) (Records, error)
}

// Follower brings a directory up to date with its source. It is safe for many goroutines.
//
// ORDER: one reading after the other, each taken over before the next begins, and none begins before what it is to show
// was asked for: so the newest is taken over last. Who asks while another reading is under way waits for the next one, which
// is for all of them.
type Follower struct {
	directory *Directory
	source    Source

	reading chan struct{} // capacity 1, full while somebody reads; guards behind
	behind  bool          // a reading failed: only a whole one knows what it was to show

	mu   sync.Mutex // guards next and what it holds until it is read
	next *round     // what is asked for and not read yet; nil: nothing
}

// round is one reading, for everybody who asked for it.
type round struct {
	named map[Ref]bool
	whole bool
	done  chan struct{} // closed when err is set
	err   error
}

// readWithin is how long one reading may take.
const readWithin = 30 * time.Second

// NewFollower returns a follower that has read nothing yet.
func NewFollower(d *Directory, s Source) *Follower {
	return &Follower{directory: d, source: s, reading: make(chan struct{}, 1)}
}

// Follow returns when the directory shows the named records as they were when it was called, or newer. Without a name it
// reads everything. When ctx ends before, it is read nevertheless.
func (f *Follower) Follow(ctx context.Context, named ...Ref) error {
	r, first := f.join(named)
	if first {
		f.read(context.WithoutCancel(ctx), r) // others wait for it, too
		return r.err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join adds to the next round; first says that nobody sees to its reading yet.
func (f *Follower) join(named []Ref) (r *round, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first = f.next == nil; first {
		f.next = &round{named: map[Ref]bool{}, done: make(chan struct{})}
	}
	f.next.whole = f.next.whole || len(named) == 0
	for _, ref := range named {
		f.next.named[ref] = true
	}
	return f.next, first
}

func (f *Follower) read(ctx context.Context, r *round) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	defer close(r.done)
	f.reading <- struct{}{}
	defer func() { <-f.reading }()
	f.mu.Lock()
	f.next = nil
	f.mu.Unlock()
	r.err = f.take(ctx, r)
	f.behind = r.err != nil
}

func (f *Follower) take(ctx context.Context, r *round) error {
	if r.whole || f.behind {
		all, err := f.source.Identities(ctx)
		if err != nil {
			return fmt.Errorf("identity: load everybody: %w", err)
		}
		f.directory.Load(all)
		return nil
	}
	refs := slices.Collect(maps.Keys(r.named))
	some, err := f.source.IdentitiesOf(ctx, refs...)
	if err != nil {
		return fmt.Errorf("identity: load what changed: %w", err)
	}
	f.directory.Take(some, refs...)
	return nil
}
