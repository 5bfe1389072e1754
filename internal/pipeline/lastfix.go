package pipeline

import (
	"cmp"
	"slices"
	"time"

	"outrider/store"
	"outrider/telemetry"
)

// How last fixes reach the store: after a second at most, unless there are many; then as many at once as delay no alert, and
// with pauses.
const (
	fixesEvery = time.Second
	fixesRest  = 100 * time.Millisecond
	fixesMost  = 128
)

// lastFixes are the newest fixes of a lane's vehicles that are not in the store yet.
//
// PERF: they are no part of what must be exact, and the most that a lane writes. With each commit a fix for every vehicle heard
// of was half of SQLite's work, and the 2,500 fixes of a second in one transaction kept alerts waiting for 50 ms. They go in
// the order of their ids, as the store's pages hold them: 128 of 10,000 vehicles in the order of arrival changed 100 pages and
// took 2.3 ms, neighbours change 15 and take 1.2 ms.
type lastFixes struct {
	of    map[vehicleKey]telemetry.Fix
	round []vehicleKey // what waited when the round began and was not taken in it, in order; some may have been taken
	at    time.Time    // of the last take from the round
	rest  time.Duration
}

func newLastFixes() lastFixes { return lastFixes{of: map[vehicleKey]telemetry.Fix{}} }

// put notes a newer fix of a vehicle.
func (l *lastFixes) put(f *telemetry.Fix) { l.of[vehicleKey{f.Tenant, f.Vehicle}] = *f }

func (l *lastFixes) waiting() bool { return len(l.of) > 0 }

// due reports whether some have waited long enough.
func (l *lastFixes) due(now time.Time) bool { return len(l.of) > 0 && now.Sub(l.at) >= l.rest }

// hurry makes the next ones due.
func (l *lastFixes) hurry() { l.at = time.Time{} }

// take moves fixes to dst: those of vehicles that crossed something, since who is told of it may ask where they are, and some
// of the others when they are due.
func (l *lastFixes) take(dst []telemetry.Fix, crossings []store.Crossing, now time.Time) []telemetry.Fix {
	for i := range crossings {
		dst = l.move(dst, vehicleKey{telemetry.TenantID(crossings[i].Tenant), telemetry.VehicleID(crossings[i].Vehicle)})
	}
	if !l.due(now) {
		return dst
	}
	l.at, l.rest = now, fixesRest
	if len(l.round) == 0 {
		l.begin()
	}
	n := 0
	for end := len(dst) + fixesMost; n < len(l.round) && len(dst) < end; n++ {
		dst = l.move(dst, l.round[n])
	}
	if l.round = l.round[:copy(l.round, l.round[n:])]; len(l.round) == 0 {
		l.rest = fixesEvery
	}
	return dst
}

// begin begins a round with all that waits.
func (l *lastFixes) begin() {
	for key := range l.of {
		l.round = append(l.round, key)
	}
	slices.SortFunc(l.round, func(a, b vehicleKey) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.vehicle, b.vehicle))
	})
}

func (l *lastFixes) move(dst []telemetry.Fix, key vehicleKey) []telemetry.Fix {
	f, waits := l.of[key]
	if !waits {
		return dst
	}
	delete(l.of, key)
	return append(dst, f)
}
