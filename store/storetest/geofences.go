package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/store"
)

var geofenceTests = map[string]func(*testing.T, *bench){
	"geofence comes back as it was put":         geofenceRoundTrip,
	"geofence put has conditions":               geofenceConditions,
	"geofence delete has conditions":            geofenceDeletes,
	"geofences are listed by tenant in pages":   geofencePages,
	"geofences of an earlier revision are kept": geofenceHistory,
	"geofence changes tell deletions too":       geofenceChanges,
	"forgotten geofences are what nobody needs": geofenceForgets,
	"many fences are put at once, or none":      geofencesTogether,
}

func fence(id string) store.Geofence {
	return store.Geofence{
		Tenant: "acme", ID: geofence.FenceID(id), Name: "Name of " + id,
		Feature: []byte(`{"type":"Feature","id":"` + id + `"}`),
		Bound:   orb.Bound{Min: orb.Point{11.25, 48.125}, Max: orb.Point{11.5, 48.25}},
	}
}

func fenceNames(all []store.Geofence) []string {
	return names(all, func(g store.Geofence) string { return fmt.Sprintf("%s@%d", g.ID, g.Revision) })
}

func geofenceRoundTrip(t *testing.T, b *bench) {
	put := must(b.PutGeofence(t.Context(), fence("depot"), 0))(t)
	want := fence("depot")
	want.Revision, want.Updated = put.Revision, epoch
	if put.Revision == 0 {
		t.Fatal("no revision")
	}
	same(t, "put", put, want)
	same(t, "got", must(b.Geofence(t.Context(), "acme", "depot"))(t), want)
	_, err := b.Geofence(t.Context(), "other", "depot")
	wantError(t, err, store.ErrNotFound)
}

func geofenceConditions(t *testing.T, b *bench) {
	ctx := t.Context()
	_, err := b.PutGeofence(ctx, fence("depot"), 7)
	wantError(t, err, store.ErrConflict)
	first := must(b.PutGeofence(ctx, fence("depot"), store.ExpectAbsent))(t)
	_, err = b.PutGeofence(ctx, fence("depot"), store.ExpectAbsent)
	wantError(t, err, store.ErrConflict)
	second := must(b.PutGeofence(ctx, fence("depot"), first.Revision))(t)
	if second.Revision <= first.Revision {
		t.Fatalf("revision %d after %d", second.Revision, first.Revision)
	}
	_, err = b.PutGeofence(ctx, fence("depot"), first.Revision)
	wantError(t, err, store.ErrConflict)
	third := must(b.PutGeofence(ctx, fence("depot"), 0))(t)
	same(t, "current", must(b.Geofence(ctx, "acme", "depot"))(t).Revision, third.Revision)
}

func geofenceDeletes(t *testing.T, b *bench) {
	ctx := t.Context()
	_, err := b.DeleteGeofence(ctx, "acme", "depot", 0)
	wantError(t, err, store.ErrNotFound)
	g := must(b.PutGeofence(ctx, fence("depot"), 0))(t)
	_, err = b.DeleteGeofence(ctx, "acme", "depot", g.Revision+1)
	wantError(t, err, store.ErrConflict)
	_, err = b.DeleteGeofence(ctx, "other", "depot", 0)
	wantError(t, err, store.ErrNotFound)
	gone := must(b.DeleteGeofence(ctx, "acme", "depot", g.Revision))(t)
	if !gone.Deleted || gone.Revision <= g.Revision || gone.ID != "depot" {
		t.Fatalf("deleted version is %+v", gone)
	}
	_, err = b.Geofence(ctx, "acme", "depot")
	wantError(t, err, store.ErrNotFound)
	_, err = b.DeleteGeofence(ctx, "acme", "depot", 0)
	wantError(t, err, store.ErrNotFound)
	again := must(b.PutGeofence(ctx, fence("depot"), store.ExpectAbsent))(t)
	if again.Revision <= gone.Revision {
		t.Fatalf("revision %d after %d", again.Revision, gone.Revision)
	}
}

func geofencePages(t *testing.T, b *bench) {
	ctx := t.Context()
	for _, id := range []string{"d", "a", "c", "b"} {
		must(b.PutGeofence(ctx, fence(id), 0))(t)
	}
	other := fence("b2")
	other.Tenant = "other"
	must(b.PutGeofence(ctx, other, 0))(t)
	must(b.DeleteGeofence(ctx, "acme", "c", 0))(t)
	ids := func(after geofence.FenceID, limit int) []string {
		return names(must(b.Geofences(ctx, "acme", after, limit))(t), func(g store.Geofence) string { return string(g.ID) })
	}
	same(t, "first page", ids("", 2), []string{"a", "b"})
	same(t, "second page", ids("b", 2), []string{"d"})
	same(t, "after the last", ids("d", 2), nil)
}

func geofenceHistory(t *testing.T, b *bench) {
	ctx := t.Context()
	_, at, err := b.GeofencesAt(ctx, store.Latest)
	ok(t, err)
	same(t, "revision of an empty store", at, uint64(0))
	a1 := must(b.PutGeofence(ctx, fence("a"), 0))(t).Revision
	b1 := must(b.PutGeofence(ctx, fence("b"), 0))(t).Revision
	a2 := must(b.PutGeofence(ctx, fence("a"), 0))(t).Revision
	gone := must(b.DeleteGeofence(ctx, "acme", "b", 0))(t).Revision
	name := func(id string, revision uint64) string { return fmt.Sprintf("%s@%d", id, revision) }
	for _, c := range []struct {
		at, is uint64
		want   []string
	}{
		{a1, a1, []string{name("a", a1)}},
		{b1, b1, []string{name("a", a1), name("b", b1)}},
		{a2, a2, []string{name("b", b1), name("a", a2)}},
		{gone, gone, []string{name("a", a2)}},
		{store.Latest, gone, []string{name("a", a2)}},
	} {
		all, is, err := b.GeofencesAt(ctx, c.at)
		ok(t, err)
		same(t, "revision", is, c.is)
		sorted := fenceNames(all)
		same(t, fmt.Sprintf("fences at %d", c.at), asSet(sorted), asSet(c.want))
	}
}

func asSet(all []string) map[string]int {
	set := map[string]int{}
	for _, s := range all {
		set[s]++
	}
	return set
}

func geofenceChanges(t *testing.T, b *bench) {
	ctx := t.Context()
	first := must(b.PutGeofence(ctx, fence("a"), 0))(t).Revision
	second := must(b.PutGeofence(ctx, fence("b"), 0))(t).Revision
	third := must(b.DeleteGeofence(ctx, "acme", "a", 0))(t).Revision
	changes := must(b.GeofenceChanges(ctx, first))(t)
	same(t, "changes", fenceNames(changes), []string{fmt.Sprintf("b@%d", second), fmt.Sprintf("a@%d", third)})
	if changes[0].Deleted || !changes[1].Deleted {
		t.Fatal("the second change is the deletion")
	}
	same(t, "changes since the last", fenceNames(must(b.GeofenceChanges(ctx, third))(t)), nil)
}

func geofenceForgets(t *testing.T, b *bench) {
	ctx := t.Context()
	must(b.PutGeofence(ctx, fence("a"), 0))(t)
	must(b.PutGeofence(ctx, fence("b"), 0))(t)
	a2 := must(b.PutGeofence(ctx, fence("a"), 0))(t).Revision
	keep := must(b.DeleteGeofence(ctx, "acme", "b", 0))(t).Revision
	a3 := must(b.PutGeofence(ctx, fence("a"), 0))(t).Revision
	ok(t, b.ForgetGeofences(ctx, keep))
	for at, want := range map[uint64]string{keep: fmt.Sprintf("a@%d", a2), a3: fmt.Sprintf("a@%d", a3)} {
		all, _, err := b.GeofencesAt(ctx, at)
		ok(t, err)
		same(t, fmt.Sprintf("fences at %d", at), fenceNames(all), []string{want})
	}
	same(t, "changes", fenceNames(must(b.GeofenceChanges(ctx, keep))(t)), []string{fmt.Sprintf("a@%d", a3)})
	left := fenceNames(must(b.GeofenceChanges(ctx, 0))(t))
	same(t, "versions left", left, []string{fmt.Sprintf("a@%d", a2), fmt.Sprintf("a@%d", a3)})
	b.clock.advance(time.Second)
	again := must(b.PutGeofence(ctx, fence("b"), store.ExpectAbsent))(t)
	if again.Revision <= a3 {
		t.Fatalf("revision %d after %d: forgetting must not set the counter back", again.Revision, a3)
	}
}

func geofencesTogether(t *testing.T, b *bench) {
	ctx := t.Context()
	old := must(b.PutGeofence(ctx, fence("b"), 0))(t)
	many := []store.Geofence{fence("a"), fence("b"), fence("c")}
	many[1].Name = "new"
	same(t, "stored", must(b.PutGeofences(ctx, many))(t), 3)
	got := must(b.Geofences(ctx, "acme", "", 10))(t)
	if len(got) != 3 || got[1].Name != "new" || got[0].Revision <= old.Revision || got[2].Revision <= got[0].Revision {
		t.Errorf("after putting three there are %+v", got)
	}
	same(t, "changes", len(must(b.GeofenceChanges(ctx, old.Revision))(t)), 3)
	next := must(b.PutGeofence(ctx, fence("d"), 0))(t)
	if next.Revision != got[2].Revision+1 {
		t.Errorf("revision %d after %d", next.Revision, got[2].Revision)
	}
	same(t, "of none", must(b.PutGeofences(ctx, nil))(t), 0)
	all, _, err := b.GeofencesAt(ctx, store.Latest)
	ok(t, err)
	same(t, "fences", len(all), 4)
}
