package storetest

import (
	"testing"
	"time"

	"outrider/notify"
)

var reopenTests = map[string]func(*testing.T, *bench){
	"everything is there after a new start": reopenKeeps,
	"counters go on after a new start":      reopenCounters,
}

func reopenKeeps(t *testing.T, b *bench) {
	ctx := t.Context()
	putAll(t, b, registryRecords())
	must(b.PutGeofence(ctx, fence("depot"), 0))(t)
	ok(t, b.Commit(ctx, everything(own(t, b, 0))))
	b.receive(t, action(0))
	before, d := traces(t, b), b.delivery(t, "d1")
	b.reopen(t)
	same(t, "records", traces(t, b), before)
	same(t, "delivery", b.delivery(t, "d1"), d)
	same(t, "identities", must(b.Identities(ctx))(t), stamped(registryRecords(), epoch))
	same(t, "window", must(b.LastAction(ctx, "p", "u"))(t), epoch)
	same(t, "position", must(b.OwnLane(ctx, 0, ""))(t).Next, 10)
	e := action(0)
	e.Key = "ThreadAction again"
	same(t, "a fresh event", must(b.Receive(ctx, []notify.ThreadEvent{e}))(t).Fresh, 1)
}

func reopenCounters(t *testing.T, b *bench) {
	ctx := t.Context()
	queue(t, b, delivery("d", "p", "u", epoch))
	first := b.one(t, "p", 0)
	revision := must(b.PutGeofence(ctx, fence("depot"), 0))(t).Revision
	epochOfLane := own(t, b, 0).Epoch
	b.settle(t, first, notify.Pending, notify.ReasonNetwork, time.Second)
	b.reopen(t)
	if second := b.one(t, "p", time.Second); second.Lease == first.Lease {
		t.Errorf("lease %d was given twice", second.Lease)
	}
	if next := must(b.PutGeofence(ctx, fence("depot"), 0))(t).Revision; next <= revision {
		t.Errorf("revision %d after %d", next, revision)
	}
	if next := own(t, b, 0).Epoch; next <= epochOfLane {
		t.Errorf("epoch %d after %d", next, epochOfLane)
	}
}
