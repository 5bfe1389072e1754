package storetest

import (
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"outrider/store"
)

// Open opens a store at one place. Opened again after Close, it finds what was there.
type Open func() (store.Store, error)

// Place returns an empty place for a store whose clock is now.
type Place func(t *testing.T, now func() time.Time) Open

// Run checks a store against everything its contract promises.
func Run(t *testing.T, place Place) {
	t.Helper()
	for _, group := range []map[string]func(*testing.T, *bench){
		geofenceTests, registryTests, laneTests, outboxTests, inboxTests, linkTests, accountTests, recordTests, crowdTests, ruleTests, reopenTests, talkTests, credentialTests, keyTests, auditTests, peopleTests, shareTests,
	} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				group[name](t, newBench(t, place))
			})
		}
	}
}

// epoch is when each test begins, in microseconds since these are what is kept.
var epoch = time.Date(2026, 11, 24, 12, 0, 0, 123_456_000, time.UTC)

// bench is a store on which one test works.
type bench struct {
	store.Store
	open  Open
	clock *clock
}

func newBench(t *testing.T, place Place) *bench {
	t.Helper()
	c := &clock{}
	b := &bench{open: place(t, c.now), clock: c}
	b.reopen(t)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// reopen closes the store, if it is open, and opens it again.
func (b *bench) reopen(t *testing.T) {
	t.Helper()
	if b.Store != nil {
		ok(t, b.Close())
	}
	s, err := b.open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	b.Store = s
}

// clock is a clock that tests set. It is safe for many goroutines.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time { return epoch.Add(time.Duration(c.passed.Load())) }

func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }
