package app

import (
	"context"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"outrider/journal"
	"outrider/telemetry"
)

// What of a vehicle's way is shown on a picture.
const (
	trackSpan      = 15 * time.Minute
	trackPositions = 20_000 // of the journal, from its end, that are looked at
	trackPoints    = 60
)

// track returns the places of a vehicle up to a time, oldest first, as far as the newest part of the journal holds
// them: a way is shown if it can be had quickly, else the picture goes without.
func track(ctx context.Context, j journal.Journal, tenant telemetry.TenantID, vehicle telemetry.VehicleID, until time.Time) []orb.Point {
	p := journal.PartitionOf(tenant, vehicle, j.Partitions())
	from, next, err := journal.Rewind(ctx, j, p, trackPositions)
	if err != nil {
		return nil
	}
	var fixes []telemetry.Fix
	entries := make([]journal.Entry, 0, 1024)
	for from < next {
		entries, err = j.Read(ctx, p, from, entries[:0])
		if err != nil || len(entries) == 0 {
			break // the rest of the positions are other partitions', or ctx ended
		}
		for i := range entries {
			f := &entries[i].Fix
			age := until.Sub(f.Time)
			if f.Tenant == tenant && f.Vehicle == vehicle && age >= 0 && age <= trackSpan && f.Point != (orb.Point{}) {
				fixes = append(fixes, *f)
			}
		}
		from = entries[len(entries)-1].Position + 1
	}
	slices.SortStableFunc(fixes, func(a, b telemetry.Fix) int { return a.Time.Compare(b.Time) })
	return thinned(fixes)
}

// thinned returns at most trackPoints places of the fixes, the newest always among them.
func thinned(fixes []telemetry.Fix) []orb.Point {
	step := max(1, (len(fixes)+trackPoints-1)/trackPoints)
	var places []orb.Point
	for i := (len(fixes) - 1) % step; i >= 0 && i < len(fixes); i += step {
		places = append(places, fixes[i].Point)
	}
	return places
}
