package storetest

import (
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/journal"
	"outrider/notify"
	"outrider/store"
)

var laneTests = map[string]func(*testing.T, *bench){
	"a new lane begins at the beginning":        laneBegins,
	"a commit moves the lane":                   laneMoves,
	"a new owner fences the old one":            laneFences,
	"a lane that nobody owns commits nothing":   laneUnowned,
	"a refused commit leaves nothing behind":    laneAtomic,
	"a repeated commit changes nothing":         laneRepeats,
	"memberships follow the lane":               laneMembers,
	"adoptions tell which fences were in force": laneAdoptions,
	"a lane that goes back adopts anew":         laneGoesBack,
	"the oldest revision is that of any lane":   laneOldest,
	"streams are known once":                    streamsKnown,
	"another log is accepted":                   logAccepted,
}

// own makes the bench the owner of a partition and returns a commit that fits.
func own(t tester, b store.Store, partition int) store.Commit {
	t.Helper()
	l := must(b.OwnLane(t.Context(), partition, ""))(t)
	return store.Commit{Partition: partition, Epoch: l.Epoch, Next: l.Next, Clock: l.Clock, Revision: l.Revision}
}

func crossing(id string, at time.Time) store.Crossing {
	return store.Crossing{
		ID: id, Tenant: "acme", Vehicle: "van", Fence: "depot", FenceRev: 3, FenceName: "Depot", Kind: "enter", At: at,
		Point: orb.Point{11.5, 48.25}, Confidence: 3, Why: "clear", Received: at.Add(time.Second), Recorded: at.Add(2 * time.Second),
	}
}

func laneBegins(t *testing.T, b *bench) {
	l := must(b.OwnLane(t.Context(), 2, ""))(t)
	if l.Epoch == 0 {
		t.Fatal("an epoch of 0 would let anybody commit")
	}
	same(t, "lane", l, store.Lane{Epoch: l.Epoch})
}

func laneMoves(t *testing.T, b *bench) {
	c := own(t, b, 2)
	c.Next, c.Clock, c.Revision = 42, epoch, 7
	ok(t, b.Commit(t.Context(), c))
	l := must(b.OwnLane(t.Context(), 2, ""))(t)
	same(t, "lane", l, store.Lane{Next: 42, Clock: epoch, Revision: 7, Epoch: l.Epoch})
	same(t, "another lane", must(b.OwnLane(t.Context(), 3, ""))(t).Next, 0)
}

func laneFences(t *testing.T, b *bench) {
	old := own(t, b, 0)
	fresh := own(t, b, 0)
	if fresh.Epoch <= old.Epoch {
		t.Fatalf("epoch %d after %d", fresh.Epoch, old.Epoch)
	}
	wantError(t, b.Commit(t.Context(), old), store.ErrFenced)
	ok(t, b.Commit(t.Context(), fresh))
	other := own(t, b, 1)
	ok(t, b.Commit(t.Context(), other))
}

func laneUnowned(t *testing.T, b *bench) {
	wantError(t, b.Commit(t.Context(), store.Commit{Partition: 5, Epoch: 1, Next: 9}), store.ErrFenced)
}

// everything is a commit with something in each part.
func everything(c store.Commit) store.Commit {
	c.Next, c.Clock, c.Revision = c.Next+10, epoch, 7
	c.Crossings = []store.Crossing{crossing("x1", epoch), crossing("x2", epoch)}
	c.Memberships = []store.Membership{{Tenant: "acme", Vehicle: "van", Fence: "depot", Inside: true, Since: epoch}}
	c.Deliveries = []notify.Delivery{delivery("d1", "p", "u", epoch), delivery("d2", "p", "w", epoch)}
	c.LastFixes = append(c.LastFixes, fixOf("van", epoch.Truncate(time.Millisecond)))
	c.DeadLetters = []store.DeadLetter{letter("acme", "one")}
	return c
}

// traces counts what commits have left.
func traces(t *testing.T, b *bench) map[string]int {
	t.Helper()
	ctx, q := t.Context(), store.Query{Tenant: "acme"}
	return map[string]int{
		"crossings":   len(must(b.Crossings(ctx, q))(t)),
		"deliveries":  len(must(b.Deliveries(ctx, q))(t)),
		"letters":     len(must(b.DeadLetters(ctx, q))(t)),
		"last fixes":  len(must(b.LastFixes(ctx, "acme", "", 10))(t)),
		"memberships": len(must(b.Memberships(ctx, 0))(t)),
		"adoptions":   len(must(b.Adoptions(ctx, 0, 0))(t)),
	}
}

func laneAtomic(t *testing.T, b *bench) {
	old := own(t, b, 0)
	before := traces(t, b)
	now := own(t, b, 0)
	wantError(t, b.Commit(t.Context(), everything(old)), store.ErrFenced)
	same(t, "after a refused commit", traces(t, b), before)
	same(t, "position", must(b.OwnLane(t.Context(), 0, ""))(t).Next, now.Next)
}

func laneRepeats(t *testing.T, b *bench) {
	c := everything(own(t, b, 0))
	c.DeadLetters = nil // a record of their own, without ids
	ok(t, b.Commit(t.Context(), c))
	once := traces(t, b)
	same(t, "deliveries", once["deliveries"], 2)
	claims := must(b.Claim(t.Context(), "p", notify.AnyRoom(1), epoch, time.Minute))(t)
	ok(t, b.Commit(t.Context(), c))
	same(t, "after the same commit again", traces(t, b), once)
	d := must(b.Delivery(t.Context(), "acme", claims[0].Alert.ID))(t)
	same(t, "a claimed delivery that was put again", d.State, notify.Sending)
}

func laneMembers(t *testing.T, b *bench) {
	ctx := t.Context()
	first, second := own(t, b, 0), own(t, b, 1)
	stay := store.Membership{Tenant: "acme", Vehicle: "van", Fence: "depot", Inside: true, Since: epoch}
	leave := store.Membership{Tenant: "acme", Vehicle: "van", Fence: "yard", Inside: true, Since: epoch}
	elsewhere := store.Membership{Tenant: "acme", Vehicle: "bus", Fence: "depot", Inside: true, Since: epoch}
	first.Memberships, second.Memberships = []store.Membership{stay, leave}, []store.Membership{elsewhere}
	ok(t, b.Commit(ctx, first))
	ok(t, b.Commit(ctx, second))
	stay.Since, leave.Inside = epoch.Add(time.Minute), false
	first.Memberships = []store.Membership{stay, leave}
	ok(t, b.Commit(ctx, first))
	same(t, "of the first", must(b.Memberships(ctx, 0))(t), []store.Membership{stay})
	same(t, "of the second", must(b.Memberships(ctx, 1))(t), []store.Membership{elsewhere})
}

// adoptionSteps commits positions and revisions: 1 from 10, 4 from 30, 9 from 50.
func adoptionSteps(t *testing.T, b *bench) {
	t.Helper()
	c := own(t, b, 0)
	for _, step := range []store.Adoption{{At: 10, Revision: 1}, {At: 20, Revision: 1}, {At: 30, Revision: 4}, {At: 40, Revision: 4}, {At: 50, Revision: 9}} {
		c.Next, c.Revision = step.At, step.Revision
		ok(t, b.Commit(t.Context(), c))
	}
}

func laneAdoptions(t *testing.T, b *bench) {
	ctx := t.Context()
	adoptionSteps(t, b)
	one, four, nine := store.Adoption{At: 10, Revision: 1}, store.Adoption{At: 30, Revision: 4}, store.Adoption{At: 50, Revision: 9}
	for _, c := range []struct {
		from uint64
		want []store.Adoption
	}{
		{0, []store.Adoption{one, four, nine}},
		{29, []store.Adoption{one, four, nine}},
		{30, []store.Adoption{four, nine}},
		{45, []store.Adoption{four, nine}},
		{99, []store.Adoption{nine}},
	} {
		same(t, "adoptions", must(b.Adoptions(ctx, 0, position(c.from)))(t), c.want)
	}
	ok(t, b.ForgetAdoptions(ctx, 0, 45))
	same(t, "after forgetting", must(b.Adoptions(ctx, 0, 0))(t), []store.Adoption{four, nine})
	ok(t, b.ForgetAdoptions(ctx, 0, 99))
	same(t, "the one in force stays", must(b.Adoptions(ctx, 0, 0))(t), []store.Adoption{nine})
}

func laneGoesBack(t *testing.T, b *bench) {
	adoptionSteps(t, b)
	c := own(t, b, 0)
	c.Next, c.Revision = 20, 9
	ok(t, b.Commit(t.Context(), c))
	same(t, "lane", must(b.OwnLane(t.Context(), 0, ""))(t).Next, 20)
	same(t, "adoptions", must(b.Adoptions(t.Context(), 0, 0))(t), []store.Adoption{{At: 10, Revision: 1}, {At: 20, Revision: 9}})
}

func laneOldest(t *testing.T, b *bench) {
	ctx := t.Context()
	adoptionSteps(t, b)
	same(t, "oldest", must(b.OldestRevision(ctx))(t), 1)
	ok(t, b.ForgetAdoptions(ctx, 0, 99))
	same(t, "oldest after forgetting", must(b.OldestRevision(ctx))(t), 9)
	c := own(t, b, 1)
	c.Next, c.Revision = 1, 5
	ok(t, b.Commit(ctx, c))
	same(t, "oldest with another lane", must(b.OldestRevision(ctx))(t), 5)
}

func streamsKnown(t *testing.T, b *bench) {
	ctx := t.Context()
	same(t, "at first", must(b.JournalStreams(ctx))(t), map[string]time.Time{})
	one, other := epoch.Add(789), epoch.Add(time.Hour+1) // to the nanosecond
	ok(t, b.PutJournalStreams(ctx, map[string]time.Time{"a": one}))
	ok(t, b.PutJournalStreams(ctx, map[string]time.Time{"a": other, "b": other}))
	b.reopen(t)
	same(t, "streams", must(b.JournalStreams(ctx))(t), map[string]time.Time{"a": one, "b": other})
}

func logAccepted(t *testing.T, b *bench) {
	ctx := t.Context()
	adoptionSteps(t, b)
	running := own(t, b, 0)
	ok(t, b.PutJournalStreams(ctx, map[string]time.Time{"a": epoch}))
	same(t, "positions", must(b.LanePositions(ctx))(t), map[int]journal.Position{0: 50})
	other := map[string]time.Time{"a": epoch.Add(time.Hour), "b": epoch}
	ok(t, b.AcceptJournal(ctx, other, map[int]journal.Position{0: 35}))
	same(t, "streams", must(b.JournalStreams(ctx))(t), other)
	same(t, "positions", must(b.LanePositions(ctx))(t), map[int]journal.Position{0: 35})
	same(t, "adoptions", must(b.Adoptions(ctx, 0, 0))(t), []store.Adoption{{At: 10, Revision: 1}, {At: 30, Revision: 4}})
	running.Next = 60
	wantError(t, b.Commit(ctx, running), store.ErrFenced)
	same(t, "the lane", must(b.OwnLane(ctx, 0, ""))(t).Next, 35)
}
