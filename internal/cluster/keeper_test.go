package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrider/identity"
	"outrider/internal/cluster"
	"outrider/store"
	"outrider/store/sqlite"
)

const (
	parts = 8
	lease = 5 * time.Second
	soon  = 3 * time.Second // some heartbeats, and less than a lease
)

// process is one of several that share a store. It counts what it works on.
type process struct {
	*cluster.Keeper
	shares *shares

	mu     sync.Mutex // guards what follows
	works  map[int]bool
	broken map[int]error // parts that cannot be taken
}

// shares is a process's way to the store, which can be cut or be as slow as one that sleeps.
type shares struct {
	store.Shares
	away  atomic.Bool
	sleep atomic.Pointer[chan struct{}]
}

var errAway = errors.New("the store is away")

// Beat implements store.Shares.
func (s *shares) Beat(ctx context.Context, work store.Work, id store.ProcessID) (store.Roster, error) {
	if c := s.sleep.Load(); c != nil {
		<-*c
	}
	if s.away.Load() {
		return store.Roster{}, errAway
	}
	return s.Shares.Beat(ctx, work, id)
}

// Take implements cluster.Holder.
func (p *process) Take(_ context.Context, part int, _ store.ProcessID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.broken[part]; err != nil {
		return err
	}
	p.works[part] = true
	return nil
}

func (p *process) breakParts(broken map[int]error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = broken
}

// Give implements cluster.Holder.
func (p *process) Give(_ context.Context, part int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.works, part)
}

func (p *process) parts() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []int
	for part := range p.works {
		all = append(all, part)
	}
	slices.Sort(all)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) store.Store {
	t.Helper()
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	must(t, err)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "db"), Sealer: sealer, Now: time.Now})
	must(t, err)
	return s
}

func start(t *testing.T, s store.Store) *process {
	t.Helper()
	p := &process{shares: &shares{Shares: s}, works: map[int]bool{}}
	p.Keeper = cluster.NewKeeper(cluster.Options{
		Shares: p.shares, Work: store.LaneWork, Parts: parts, Holder: p, Lease: lease, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, p.Start(t.Context()))
	return p
}

// wantShares checks how many parts each process has, and that together they have each part once.
func wantShares(t *testing.T, when string, want []int, all ...*process) {
	t.Helper()
	var sizes, owned []int
	for _, p := range all {
		sizes = append(sizes, len(p.parts()))
		owned = append(owned, p.parts()...)
	}
	slices.Sort(sizes)
	slices.Sort(owned)
	if !slices.Equal(sizes, want) {
		t.Errorf("%s: shares are %v, want %v", when, sizes, want)
	}
	if !slices.Equal(owned, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("%s: owned parts are %v", when, owned)
	}
}

// bubble runs a test with a store in a time of its own.
func bubble(t *testing.T, test func(*testing.T, store.Store)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		test(t, s)
		must(t, s.Close())
	})
}

func TestProcessesShareTheParts(t *testing.T) {
	bubble(t, func(t *testing.T, s store.Store) {
		a := start(t, s)
		time.Sleep(soon)
		wantShares(t, "alone", []int{8}, a)
		b := start(t, s)
		time.Sleep(soon)
		wantShares(t, "two", []int{4, 4}, a, b)
		c := start(t, s)
		time.Sleep(soon)
		wantShares(t, "three", []int{2, 3, 3}, a, b, c)
		must(t, a.Stop(t.Context()))
		if left := a.parts(); len(left) > 0 {
			t.Errorf("one that left still works on %v", left)
		}
		time.Sleep(soon)
		wantShares(t, "one has left", []int{4, 4}, b, c)
		must(t, errors.Join(b.Stop(t.Context()), c.Stop(t.Context())))
	})
}

func TestASleeperIsReplacedAndComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, s store.Store) {
		a, b := start(t, s), start(t, s)
		time.Sleep(soon)
		old, wake := a.ID(), make(chan struct{})
		a.shares.sleep.Store(&wake)
		time.Sleep(lease - 2*time.Second)
		wantShares(t, "within the lease", []int{4, 4}, a, b)
		time.Sleep(2 * soon)
		if got := len(b.parts()); got != parts {
			t.Fatalf("the other one has %d parts of a sleeper's", got)
		}
		a.shares.sleep.Store(nil)
		close(wake)
		time.Sleep(2 * soon)
		wantShares(t, "awake again", []int{4, 4}, a, b)
		if a.ID() == old {
			t.Error("it came back under the id that was buried")
		}
		must(t, errors.Join(a.Stop(t.Context()), b.Stop(t.Context())))
	})
}

// While the store is away nobody can beat: when it is back, nobody is given up for it, whoever comes first.
func TestAStoreThatWasAwayCostsNobodyTheLease(t *testing.T) {
	bubble(t, func(t *testing.T, s store.Store) {
		a, b := start(t, s), start(t, s)
		time.Sleep(soon)
		mine, theirs := a.parts(), b.parts()
		ids := []store.ProcessID{a.ID(), b.ID()}
		a.shares.away.Store(true)
		b.shares.away.Store(true)
		time.Sleep(3 * lease)
		if a.Ready() == nil {
			t.Error("a process without heartbeat calls itself ready")
		}
		a.shares.away.Store(false)
		time.Sleep(soon)
		b.shares.away.Store(false)
		time.Sleep(soon)
		if !slices.Equal(a.parts(), mine) || !slices.Equal(b.parts(), theirs) || !slices.Equal(ids, []store.ProcessID{a.ID(), b.ID()}) {
			t.Errorf("parts were %v and %v, are %v and %v", mine, theirs, a.parts(), b.parts())
		}
		must(t, a.Ready())
		must(t, errors.Join(a.Stop(t.Context()), b.Stop(t.Context())))
	})
}

func TestAPartThatWasLostIsSharedAnew(t *testing.T) {
	bubble(t, func(t *testing.T, s store.Store) {
		a := start(t, s)
		time.Sleep(soon)
		a.Lost(3)
		a.Give(t.Context(), 3)
		time.Sleep(soon)
		wantShares(t, "after a loss", []int{8}, a)
		must(t, a.Stop(t.Context()))
	})
}

func TestAPartThatFailsIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s store.Store) {
		a, b := start(t, s), start(t, s)
		time.Sleep(soon)
		broken := errors.New("its state cannot be read")
		part := a.parts()[0]
		b.breakParts(map[int]error{part: broken})
		must(t, a.Stop(t.Context()))
		time.Sleep(soon)
		if got := len(b.parts()); got != parts-1 || !errors.Is(b.Ready(), broken) {
			t.Errorf("%d parts, and the process says %v", got, b.Ready())
		}
		c := start(t, s)
		for range 10 { // until both have tried
			time.Sleep(soon)
		}
		wantShares(t, "another one can", []int{4, 4}, b, c)
		must(t, b.Ready())
		must(t, c.Stop(t.Context()))
		b.breakParts(nil)
		time.Sleep(soon)
		wantShares(t, "whole again", []int{8}, b)
		must(t, errors.Join(b.Ready(), b.Stop(t.Context())))
	})
}
