package storetest

import (
	"testing"

	"outrider/identity"
	"outrider/store"
)

// RunCopy checks that a copy of a store holds the same and goes on where the original was. from and to open the two,
// at the same clock; move copies from the one to the other, both closed.
func RunCopy(t *testing.T, from, to Place, move func(t *testing.T)) {
	t.Helper()
	b := newBench(t, from)
	ctx := t.Context()
	putAll(t, b, registryRecords())
	ok(t, b.PutAccount(ctx, identity.Account{ASID: "10", Token: identity.NewToken("EAAuser"), LoginID: "login", Updated: epoch}))
	fences := []store.Geofence{must(b.PutGeofence(ctx, fence("depot"), 0))(t), must(b.PutGeofence(ctx, fence("yard"), 0))(t)}
	must(b.DeleteGeofence(ctx, "acme", "yard", 0))(t)
	ok(t, b.Commit(ctx, everything(own(t, b, 0))))
	b.receive(t, action(0))
	queue(t, b, delivery("waiting", "p", "u", epoch))
	lane, before, d := own(t, b, 0), traces(t, b), b.delivery(t, "d1")
	counts, identities := must(b.DeliveryCounts(ctx))(t), must(b.Identities(ctx))(t)
	crossings := must(b.Crossings(ctx, store.Query{Tenant: "acme"}))(t)
	accounts := must(b.Accounts(ctx))(t)
	ok(t, b.Close())

	move(t)

	c := newBench(t, to)
	same(t, "records", traces(t, c), before)
	same(t, "delivery", c.delivery(t, "d1"), d)
	same(t, "counts", must(c.DeliveryCounts(ctx))(t), counts)
	same(t, "identities", must(c.Identities(ctx))(t), identities)
	same(t, "accounts", must(c.Accounts(ctx))(t), accounts)
	same(t, "crossings", must(c.Crossings(ctx, store.Query{Tenant: "acme"}))(t), crossings)
	same(t, "window", must(c.LastAction(ctx, "p", "u"))(t), epoch)
	next := own(t, c, 0)
	lane.Epoch++
	same(t, "lane", next, lane)
	if g := must(c.PutGeofence(ctx, fence("new"), 0))(t); g.Revision <= fences[1].Revision {
		t.Errorf("revision %d after %d", g.Revision, fences[1].Revision)
	}
	queue(t, c, delivery("later", "p", "u", epoch))
	newest := must(c.Deliveries(ctx, store.Query{Tenant: "acme", Limit: 1}))(t)
	same(t, "newest", newest[0].Alert.ID, "later")
}
