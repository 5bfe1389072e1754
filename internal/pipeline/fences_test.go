package pipeline_test

import (
	"log/slog"
	"slices"
	"testing"

	"outrider/geofence"
	"outrider/internal/pipeline"
	"outrider/store"
)

// A process that slept while others deleted a fence, and forgot that they had, has the fences of now when it wakes.
func TestASleeperHearsOfForgottenDeletions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	r.fence(t, "yard", place)
	sleeper, err := pipeline.NewFences(ctx, r.store, slog.New(slog.DiscardHandler))
	must(t, err)
	_, err = r.store.DeleteGeofence(ctx, "default", "yard", 0)
	must(t, err)
	r.fence(t, "gate", place)
	eventually(t, "the deletion is forgotten", func() bool {
		changes, err := r.store.GeofenceChanges(ctx, sleeper.Current().Revision)
		must(t, err)
		return !slices.ContainsFunc(changes, func(g store.Geofence) bool { return g.ID == "yard" })
	})
	must(t, sleeper.Refresh(ctx))
	var ids []geofence.FenceID
	for f := range sleeper.Current().Index("default").All() {
		ids = append(ids, f.ID)
	}
	if !slices.Equal(ids, []geofence.FenceID{"gate"}) {
		t.Errorf("the fences are %v", ids)
	}
}
