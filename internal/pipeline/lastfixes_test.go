package pipeline

import (
	"fmt"
	"testing"
	"time"

	"outrider/store"
	"outrider/telemetry"
)

// Many last fixes go to the store in parts with rests between them, each vehicle's newest once, in the order of ids. What comes
// behind the place where a round is waits for the next.
func TestManyLastFixes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	l := newLastFixes()
	put := func(vehicle int) {
		f := telemetry.NewFix("default", telemetry.VehicleID(fmt.Sprintf("%03d", vehicle)), now, [2]float64{})
		l.put(&f)
	}
	want := func(after time.Duration, first, n int) {
		t.Helper()
		now = now.Add(after)
		got := l.take(nil, nil, now)
		if len(got) != n || n > 0 && string(got[0].Vehicle) != fmt.Sprintf("%03d", first) {
			t.Fatalf("%d fixes %v, want %d from vehicle %d on", len(got), got, n, first)
		}
	}
	for i := range 300 {
		put(i * 7 % 300) // in no order
	}
	put(7) // again
	want(0, 0, fixesMost)
	want(fixesRest/2, 0, 0)
	put(0)
	want(fixesRest/2, fixesMost, fixesMost)
	crossed := l.take(nil, []store.Crossing{{Tenant: "default", Vehicle: "299"}, {Tenant: "default", Vehicle: "nobody"}}, now)
	if len(crossed) != 1 || crossed[0].Vehicle != "299" {
		t.Errorf("of the vehicle that crossed something: %v", crossed)
	}
	want(fixesRest, 2*fixesMost, 300-2*fixesMost-1) // without 299
	want(fixesRest, 0, 0)
	want(fixesEvery-fixesRest, 0, 1) // which came behind
	if l.waiting() || l.due(now.Add(time.Hour)) {
		t.Error("something is left")
	}
	put(5)
	want(fixesRest, 0, 0)
	l.hurry()
	want(0, 5, 1)
}
