package storetest

import (
	"fmt"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

var recordTests = map[string]func(*testing.T, *bench){
	"crossing comes back as it was committed":          recordCrossing,
	"crossings are listed newest first":                recordCrossings,
	"deliveries are listed newest first":               recordDeliveries,
	"deliveries are counted by state":                  recordCounts,
	"what waits for each page is counted":              recordBacklog,
	"dead letter comes back as it was put":             recordLetter,
	"the newest 10,000 dead letters are kept":          recordLetterLimit,
	"the store answers a ping":                         recordPing,
	"what is older than it is kept goes, oldest first": recordsArePruned,
}

func recordCrossing(t *testing.T, b *bench) {
	want := crossing("x", epoch)
	want.Late, want.Reading = true, "calm"
	c := own(t, b, 0)
	c.Crossings = []store.Crossing{want}
	ok(t, b.Commit(t.Context(), c))
	got := must(b.Crossings(t.Context(), store.Query{Tenant: "acme"}))(t)
	want.Seq = got[0].Seq
	same(t, "crossings", got, []store.Crossing{want})
}

// recordSteps are queries with what they must list; x0 … x5 alternate between two vehicles and three fences.
func recordSteps() map[string]struct {
	q    store.Query
	want []string
} {
	return map[string]struct {
		q    store.Query
		want []string
	}{
		"all":               {store.Query{Tenant: "acme"}, []string{"x5", "x4", "x3", "x2", "x1", "x0"}},
		"of a vehicle":      {store.Query{Tenant: "acme", Vehicle: "v1"}, []string{"x5", "x3", "x1"}},
		"of a fence":        {store.Query{Tenant: "acme", Fence: "f2"}, []string{"x5", "x2"}},
		"of both":           {store.Query{Tenant: "acme", Vehicle: "v0", Fence: "f2"}, []string{"x2"}},
		"at most":           {store.Query{Tenant: "acme", Limit: 2}, []string{"x5", "x4"}},
		"of another tenant": {store.Query{Tenant: "other"}, []string{"y"}},
		"of nobody":         {store.Query{Tenant: "none"}, nil},
	}
}

func vehicleAndFence(i int) (identity.VehicleID, string) {
	return identity.VehicleID(fmt.Sprint("v", i%2)), fmt.Sprint("f", i%3)
}

func recordCrossings(t *testing.T, b *bench) {
	c := own(t, b, 0)
	for i := range 6 {
		x := crossing(fmt.Sprint("x", i), epoch.Add(-time.Duration(i)*time.Minute)) // the order is that of the record
		vehicle, fence := vehicleAndFence(i)
		x.Vehicle, x.Fence = vehicle, fenceID(fence)
		c.Crossings = append(c.Crossings, x)
	}
	y := crossing("y", epoch)
	y.Tenant = "other"
	c.Crossings = append(c.Crossings, y)
	ok(t, b.Commit(t.Context(), c))
	id := func(x store.Crossing) string { return x.ID }
	for name, step := range recordSteps() {
		same(t, name, names(must(b.Crossings(t.Context(), step.q))(t), id), step.want)
	}
	page := must(b.Crossings(t.Context(), store.Query{Tenant: "acme", Limit: 4}))(t)
	rest := must(b.Crossings(t.Context(), store.Query{Tenant: "acme", Before: page[3].Seq}))(t)
	same(t, "second page", names(rest, id), []string{"x1", "x0"})
}

func recordDeliveries(t *testing.T, b *bench) {
	var all []notify.Delivery
	for i := range 6 {
		d := delivery(fmt.Sprint("x", i), "p", fmt.Sprint("u", i), epoch.Add(-time.Duration(i)*time.Minute))
		d.Alert.Vehicle, d.Alert.Fence = vehicleAndFence(i)
		all = append(all, d)
	}
	y := delivery("y", "p", "y", epoch)
	y.Alert.Tenant = "other"
	queue(t, b, append(all, y)...)
	id := func(d store.DeliveryRecord) string { return d.Alert.ID }
	for name, step := range recordSteps() {
		same(t, name, names(must(b.Deliveries(t.Context(), step.q))(t), id), step.want)
	}
	b.claim(t, "p", 3, 0) // the oldest events are y's and then the highest numbers
	sending := must(b.Deliveries(t.Context(), store.Query{Tenant: "acme", State: notify.Sending}))(t)
	same(t, "in a state", names(sending, id), []string{"x5", "x4", "x3"})
	page := must(b.Deliveries(t.Context(), store.Query{Tenant: "acme", Limit: 4}))(t)
	rest := must(b.Deliveries(t.Context(), store.Query{Tenant: "acme", Before: page[3].Seq}))(t)
	same(t, "second page", names(rest, id), []string{"x1", "x0"})
}

func recordCounts(t *testing.T, b *bench) {
	same(t, "none", must(b.DeliveryCounts(t.Context()))(t), map[notify.State]int{})
	other := delivery("o", "p", "o", epoch.Add(-time.Hour))
	other.Alert.Tenant = "other"
	queue(t, b, delivery("1", "p", "1", epoch), delivery("2", "p", "2", epoch), other)
	b.claim(t, "p", 1, 0)
	same(t, "counts", must(b.DeliveryCounts(t.Context()))(t), map[notify.State]int{notify.Pending: 2, notify.Sending: 1})
	queue(t, b, delivery("1", "p", "1", epoch)) // known
	echo(t, b, "p", "o", 0)
	echo(t, b, "p", "o", time.Second)
	same(t, "counts", must(b.DeliveryCounts(t.Context()))(t), map[notify.State]int{notify.Pending: 2, notify.Sent: 1})
}

func recordBacklog(t *testing.T, b *bench) {
	same(t, "none", must(b.Backlog(t.Context()))(t), nil)
	held := delivery("h", "p", "9", epoch.Add(-2*time.Hour))
	held.State = notify.Held
	queue(t, b, delivery("1", "p", "1", epoch), delivery("2", "p", "2", epoch.Add(-time.Minute)), delivery("3", "p", "3", epoch.Add(time.Minute)),
		delivery("4", "q", "4", epoch.Add(-time.Hour)), held)
	want := []notify.Backlog{{Page: "p", Pending: 3, Oldest: epoch.Add(-time.Minute)}, {Page: "q", Pending: 1, Oldest: epoch.Add(-time.Hour)}}
	same(t, "two pages", must(b.Backlog(t.Context()))(t), want)
	b.claim(t, "q", 1, 0)
	same(t, "one is sent", must(b.Backlog(t.Context()))(t), want[:1])
}

func letter(tenant, detail string) store.DeadLetter {
	return store.DeadLetter{
		Tenant: identity.TenantID(tenant), Vehicle: "van", Topic: "fleet/acme/van/fix", Reason: "range", Field: "lat", Detail: detail,
		Payload: []byte{0, 0xff, '{'}, Size: 5000, Received: epoch,
	}
}

func recordLetter(t *testing.T, b *bench) {
	bare := store.DeadLetter{Tenant: "acme", Reason: "empty", Received: epoch}
	ok(t, b.PutDeadLetters(t.Context(), []store.DeadLetter{letter("acme", "91 is outside"), bare, letter("other", "theirs")}))
	got := must(b.DeadLetters(t.Context(), store.Query{Tenant: "acme"}))(t)
	want := letter("acme", "91 is outside")
	bare.Seq, want.Seq = got[0].Seq, got[1].Seq
	same(t, "letters", got, []store.DeadLetter{bare, want})
	of := must(b.DeadLetters(t.Context(), store.Query{Tenant: "acme", Vehicle: "van", Before: got[0].Seq, Limit: 5}))(t)
	same(t, "of a vehicle", of, []store.DeadLetter{want})
}

func recordLetterLimit(t *testing.T, b *bench) {
	ok(t, b.PutDeadLetters(t.Context(), []store.DeadLetter{letter("other", "stays")}))
	const most, more = 10_000, 70
	var all []store.DeadLetter
	for i := range most + more {
		all = append(all, letter("acme", fmt.Sprint(i)))
	}
	ok(t, b.PutDeadLetters(t.Context(), all[:most]))
	ok(t, b.PutDeadLetters(t.Context(), all[most:]))
	kept := must(b.DeadLetters(t.Context(), store.Query{Tenant: "acme", Limit: 2 * most}))(t)
	same(t, "kept", len(kept), most)
	same(t, "newest", kept[0].Detail, fmt.Sprint(most+more-1))
	same(t, "oldest", kept[most-1].Detail, fmt.Sprint(more))
	same(t, "another tenant's", len(must(b.DeadLetters(t.Context(), store.Query{Tenant: "other"}))(t)), 1)
}

func recordPing(t *testing.T, b *bench) { ok(t, b.Ping(t.Context())) }

func recordsArePruned(t *testing.T, b *bench) {
	ctx := t.Context()
	c := own(t, b, 0)
	for i := range 6 {
		c.Next++
		x := crossing(fmt.Sprint("x", i), epoch)
		x.Recorded = b.clock.now()
		c.Crossings = []store.Crossing{x}
		d := delivery(fmt.Sprint("d", i), "p", "u", epoch)
		d.State, d.Created = notify.Sent, b.clock.now()
		if i == 1 {
			d.State, d.NextAt = notify.Held, time.Time{}
		}
		c.Deliveries = []notify.Delivery{d}
		ok(t, b.Commit(ctx, c))
		b.clock.advance(time.Hour)
	}
	before := epoch.Add(3 * time.Hour)
	same(t, "first of each", must(b.Prune(ctx, before, 1))(t), 2)
	same(t, "the rest", must(b.Prune(ctx, before, 100))(t), 3)
	same(t, "none left", must(b.Prune(ctx, before, 100))(t), 0)
	same(t, "crossings", len(must(b.Crossings(ctx, store.Query{Tenant: "acme"}))(t)), 3)
	same(t, "deliveries, one of them held", len(must(b.Deliveries(ctx, store.Query{Tenant: "acme"}))(t)), 4)
	same(t, "counts", must(b.DeliveryCounts(ctx))(t), map[notify.State]int{notify.Sent: 3, notify.Held: 1})
}
