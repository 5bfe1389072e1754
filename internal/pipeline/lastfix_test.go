package pipeline_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/identity"
	"outrider/journal/local"
)

// Last fixes are put into the store once a second, and at once where a vehicle crossed something; a crash in between costs
// none of them.
func TestLastFixes(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64 // seconds after begin
	r := &rig{dir: t.TempDir(), files: local.Options{Partitions: 1}, snapshots: time.Hour, woken: map[identity.PageID]bool{}}
	r.now = func() time.Time { return begin.Add(time.Duration(clock.Load()) * time.Second) }
	r.open(t)
	yard := orb.Point{11.5, 48.1}
	r.fence(t, "yard", yard)
	r.drive(t, "fleet/default/bus/fix", orb.Point{12, 48.1}, begin, 1)
	eventually(t, "the first fix is there", func() bool { return r.lastFix(t, "bus").Equal(begin) })

	r.drive(t, "fleet/default/bus/fix", orb.Point{12, 48.1}, begin.Add(5*time.Second), 1)
	r.drive(t, topic, south(yard, 300), begin, 30)
	r.crossings(t, 1)
	if at := r.lastFix(t, "van"); at.Before(begin.Add(15 * time.Second)) {
		t.Errorf("the van crossed something, and its last fix is of %s", at)
	}
	if at := r.lastFix(t, "bus"); !at.Equal(begin) {
		t.Errorf("within the same second the last fix of the bus is of %s", at)
	}
	r.crash(t)
	eventually(t, "after a crash it is there", func() bool { return r.lastFix(t, "bus").Equal(begin.Add(5 * time.Second)) })

	r.drive(t, "fleet/default/bus/fix", orb.Point{12, 48.1}, begin.Add(9*time.Second), 1)
	clock.Add(1)
	eventually(t, "a second later it is there", func() bool { return r.lastFix(t, "bus").Equal(begin.Add(9 * time.Second)) })

	r.drive(t, "fleet/default/bus/fix", orb.Point{12, 48.1}, begin.Add(10*time.Second), 1)
	r.close(t)
	r.open(t)
	// The lane may have ended before it came to the fix: then it is read after the start.
	eventually(t, "after an orderly end it is there", func() bool { return r.lastFix(t, "bus").Equal(begin.Add(10 * time.Second)) })
}

// lastFix is the time of a vehicle's last fix in the store; zero without any.
func (r *rig) lastFix(t *testing.T, vehicle string) time.Time {
	t.Helper()
	list, err := r.store.LastFixes(t.Context(), "default", "", 10)
	must(t, err)
	for _, f := range list {
		if string(f.Vehicle) == vehicle {
			return f.Time
		}
	}
	return time.Time{}
}
