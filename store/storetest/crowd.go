package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrider/geofence"
	"outrider/notify"
	"outrider/store"
)

func fenceID(s string) geofence.FenceID { return geofence.FenceID(s) }

var crowdTests = map[string]func(*testing.T, *bench){
	"many claimers never get the same delivery": crowdClaims,
	"one of many conditional puts succeeds":     crowdPuts,
	"lanes commit side by side":                 crowdCommits,
	"a failing write spoils no other":           crowdFailures,
	"a context that has ended writes nothing":   crowdCancelled,
}

// crowdClaims has eight claimers send 200 deliveries to 40 people; each delivery must be sent once, and each
// person's in the order of their events.
func crowdClaims(t *testing.T, b *bench) {
	const people, each = 40, 5
	var all []notify.Delivery
	for i := range people * each {
		psid := fmt.Sprint("u", i%people)
		all = append(all, delivery(numbered("d", i), "p", psid, epoch.Add(time.Duration(i)*time.Second)))
	}
	queue(t, b, all...)
	var (
		mu   sync.Mutex // guards sent
		sent = map[string][]string{}
		left atomic.Int64
		wg   sync.WaitGroup
	)
	left.Store(people * each)
	for range 8 {
		wg.Go(func() {
			for left.Load() > 0 {
				claims, err := b.Claim(t.Context(), "p", notify.AnyRoom(7), epoch, lease)
				if err != nil {
					t.Error(err)
					return
				}
				var outcomes []notify.Outcome
				mu.Lock()
				for _, c := range claims {
					sent[string(c.PSID)] = append(sent[string(c.PSID)], c.Alert.ID)
					outcomes = append(outcomes, notify.Outcome{ID: c.Alert.ID, Lease: c.Lease, State: notify.Sent})
				}
				mu.Unlock()
				if err := b.Settle(t.Context(), outcomes); err != nil {
					t.Error(err)
					return
				}
				left.Add(-int64(len(claims)))
			}
		})
	}
	wg.Wait()
	for i := range people {
		var want []string
		for k := range each {
			want = append(want, numbered("d", i+k*people))
		}
		same(t, fmt.Sprint("sent to u", i), sent[fmt.Sprint("u", i)], want)
	}
}

func crowdPuts(t *testing.T, b *bench) {
	g := must(b.PutGeofence(t.Context(), fence("depot"), 0))(t)
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			_, err := b.PutGeofence(t.Context(), fence("depot"), g.Revision)
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, store.ErrConflict):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, "won and lost", [2]int64{won.Load(), lost.Load()}, [2]int64{1, 11})
}

func crowdCommits(t *testing.T, b *bench) {
	const lanes, steps = 4, 25
	var wg sync.WaitGroup
	for p := range lanes {
		c := own(t, b, p)
		wg.Go(func() {
			for i := range steps {
				c.Next = position(uint64(i + 1))
				c.Crossings = []store.Crossing{crossing(fmt.Sprint(p, "/", i), epoch)}
				if err := b.Commit(t.Context(), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	same(t, "crossings", len(must(b.Crossings(t.Context(), store.Query{Tenant: "acme", Limit: 1000}))(t)), lanes*steps)
	for p := range lanes {
		same(t, "position", must(b.OwnLane(t.Context(), p, ""))(t).Next, steps)
	}
}

// crowdFailures mixes commits of a dead epoch with good ones, so that they meet in one transaction where a store
// shares transactions.
func crowdFailures(t *testing.T, b *bench) {
	dead := own(t, b, 0)
	own(t, b, 0)
	good := own(t, b, 1)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			c, want := good, error(nil)
			if i%2 == 0 {
				c, want = dead, store.ErrFenced
			}
			c.Crossings = []store.Crossing{crossing(fmt.Sprint(i), epoch)}
			if err := b.Commit(t.Context(), c); !errors.Is(err, want) {
				t.Errorf("commit %d: got %v, want %v", i, err, want)
			}
		})
	}
	wg.Wait()
	for _, x := range must(b.Crossings(t.Context(), store.Query{Tenant: "acme"}))(t) {
		var i int
		if _, err := fmt.Sscan(x.ID, &i); err != nil || i%2 == 0 {
			t.Errorf("crossing %s of a refused commit is there", x.ID)
		}
	}
	same(t, "crossings", len(must(b.Crossings(t.Context(), store.Query{Tenant: "acme"}))(t)), 30)
}

func crowdCancelled(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.PutGeofence(ctx, fence("depot"), 0); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	_, err := b.Geofence(t.Context(), "acme", "depot")
	wantError(t, err, store.ErrNotFound)
}
