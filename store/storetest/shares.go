package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"outrider/store"
)

var shareTests = map[string]func(*testing.T, *bench){
	"a process joins, beats and leaves":                        sharesJoin,
	"a part has one owner":                                     sharesTake,
	"of many that want a part one gets it":                     sharesRace,
	"a process that beats is not buried":                       sharesBury,
	"a buried process takes nothing":                           sharesBuried,
	"only the owner of a partition begins an epoch":            sharesLane,
	"a process that wakes commits nothing once it has an heir": sharesZombie,
}

// roster beats as a process and returns what it then sees.
func roster(t *testing.T, b *bench, id store.ProcessID) store.Roster {
	t.Helper()
	return must(b.Beat(t.Context(), store.LaneWork, id))(t)
}

func sharesJoin(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.Join(ctx, store.LaneWork, "b"))
	ok(t, b.Join(ctx, store.LaneWork, "a"))
	ok(t, b.Join(ctx, "other", "a"))
	wantError(t, b.Join(ctx, store.LaneWork, "a"), store.ErrConflict)
	same(t, "roster", roster(t, b, "a"), store.Roster{Processes: []store.Process{{ID: "a", Beat: 2}, {ID: "b", Beat: 1}}})
	ok(t, b.Take(ctx, store.LaneWork, 3, "b"))
	same(t, "owners", roster(t, b, "a").Owners, map[int]store.ProcessID{3: "b"})
	ok(t, b.Leave(ctx, store.LaneWork, "b"))
	same(t, "after leaving", roster(t, b, "a"), store.Roster{Processes: []store.Process{{ID: "a", Beat: 4}}})
	_, err := b.Beat(ctx, store.LaneWork, "b")
	wantError(t, err, store.ErrFenced)
	_, err = b.Beat(ctx, "other", "b")
	wantError(t, err, store.ErrFenced)
}

func sharesTake(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.Join(ctx, store.LaneWork, "a"))
	ok(t, b.Join(ctx, store.LaneWork, "b"))
	wantError(t, b.Take(ctx, store.LaneWork, 0, "nobody"), store.ErrFenced)
	ok(t, b.Take(ctx, store.LaneWork, 0, "a"))
	ok(t, b.Take(ctx, store.LaneWork, 0, "a")) // whose answer was lost
	ok(t, b.Take(ctx, store.LaneWork, 1, "b"))
	wantError(t, b.Take(ctx, store.LaneWork, 0, "b"), store.ErrConflict)
	ok(t, b.Give(ctx, store.LaneWork, 0, "b")) // not its own
	same(t, "owners", roster(t, b, "a").Owners, map[int]store.ProcessID{0: "a", 1: "b"})
	ok(t, b.Give(ctx, store.LaneWork, 0, "a"))
	ok(t, b.Take(ctx, store.LaneWork, 0, "b"))
	same(t, "owners", roster(t, b, "a").Owners, map[int]store.ProcessID{0: "b", 1: "b"})
}

func sharesRace(t *testing.T, b *bench) {
	const many, parts = 4, 8
	got := make([]int, parts)
	var mu sync.Mutex // guards got
	var wg sync.WaitGroup
	for p := range many {
		id := store.ProcessID(fmt.Sprint("p", p))
		ok(t, b.Join(t.Context(), store.LaneWork, id))
		wg.Go(func() {
			for part := range parts {
				switch err := b.Take(t.Context(), store.LaneWork, part, id); {
				case err == nil:
					mu.Lock()
					got[part]++
					mu.Unlock()
				case !errors.Is(err, store.ErrConflict):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	same(t, "owners of each part", got, []int{1, 1, 1, 1, 1, 1, 1, 1})
}

func sharesBury(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.Join(ctx, store.LaneWork, "a"))
	ok(t, b.Join(ctx, store.LaneWork, "b"))
	ok(t, b.Take(ctx, store.LaneWork, 0, "a"))
	seen := roster(t, b, "b").Processes[0]
	roster(t, b, "a")
	same(t, "buried", must(b.Bury(ctx, store.LaneWork, seen))(t), false)
	seen = roster(t, b, "b").Processes[0]
	same(t, "owners", roster(t, b, "b").Owners, map[int]store.ProcessID{0: "a"})
	same(t, "buried", must(b.Bury(ctx, store.LaneWork, seen))(t), true)
	same(t, "owners", roster(t, b, "b").Owners, nil)
	same(t, "buried twice", must(b.Bury(ctx, store.LaneWork, seen))(t), false)
}

func sharesBuried(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.Join(ctx, store.LaneWork, "a"))
	ok(t, b.Take(ctx, store.LaneWork, 0, "a"))
	same(t, "buried", must(b.Bury(ctx, store.LaneWork, store.Process{ID: "a", Beat: 1}))(t), true)
	wantError(t, b.Take(ctx, store.LaneWork, 0, "a"), store.ErrFenced)
	_, err := b.OwnLane(ctx, 0, "a")
	wantError(t, err, store.ErrFenced)
	_, err = b.Beat(ctx, store.LaneWork, "a")
	wantError(t, err, store.ErrFenced)
}

func sharesLane(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.Join(ctx, store.LaneWork, "a"))
	ok(t, b.Join(ctx, store.LaneWork, "b"))
	ok(t, b.Take(ctx, store.LaneWork, 0, "a"))
	_, err := b.OwnLane(ctx, 0, "b")
	wantError(t, err, store.ErrFenced)
	_, err = b.OwnLane(ctx, 1, "a")
	wantError(t, err, store.ErrFenced)
	mine := must(b.OwnLane(ctx, 0, "a"))(t)
	ok(t, b.Commit(ctx, store.Commit{Epoch: mine.Epoch, Next: 5}))
}

// A process is paused, buried while it sleeps, and wakes: until an heir has come its commits are as good as ever, and
// from then on none is.
func sharesZombie(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.Join(ctx, store.LaneWork, "a"))
	ok(t, b.Join(ctx, store.LaneWork, "b"))
	ok(t, b.Take(ctx, store.LaneWork, 0, "a"))
	old := must(b.OwnLane(ctx, 0, "a"))(t)
	same(t, "buried", must(b.Bury(ctx, store.LaneWork, store.Process{ID: "a", Beat: 1}))(t), true)
	ok(t, b.Commit(ctx, store.Commit{Epoch: old.Epoch, Next: 5}))
	ok(t, b.Take(ctx, store.LaneWork, 0, "b"))
	heir := must(b.OwnLane(ctx, 0, "b"))(t)
	same(t, "where the heir goes on", heir.Next, 5)
	wantError(t, b.Commit(ctx, everything(store.Commit{Epoch: old.Epoch, Next: 5})), store.ErrFenced)
	ok(t, b.Commit(ctx, store.Commit{Epoch: heir.Epoch, Next: 7}))
	same(t, "crossings", traces(t, b)["crossings"], 0)
}
