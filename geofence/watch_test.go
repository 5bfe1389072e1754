package geofence_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"outrider/geofence"
)

// watched returns an index like circles whose every fence has watches.
func watched(t testing.TB, n int, radius float64) *geofence.Index {
	t.Helper()
	plain := circles(t, n, radius)
	var put []geofence.Fence
	for i := range n {
		ref, _ := plain.Lookup(geofence.FenceID(fmt.Sprintf("f%d", i)))
		f, _ := plain.Fence(ref)
		f.Dwell = 3 * time.Minute
		f.Watch = &geofence.Watch{
			Limit: 9, LimitFor: 5 * time.Second, Stopped: 30 * time.Second, Silent: 2 * time.Minute,
			Absent: &geofence.Absence{By: 7 * time.Hour},
		}
		put = append(put, f)
	}
	return plain.With(put, nil)
}

// halting is drive with the stops long enough to be stops.
func halting(seed uint64, v geofence.Vehicle, n int) []geofence.Fix {
	fixes := drive(seed, v, n)
	for i := 1; i < len(fixes); i++ {
		if fixes[i].Speed == 0 && fixes[i-1].Speed == 0 {
			fixes[i].Point = fixes[i-1].Point
		}
	}
	return fixes
}

func TestWatchesSurviveASnapshotAnywhere(t *testing.T) {
	t.Parallel()
	ix := watched(t, 60, 400)
	found := map[geofence.Kind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		seed, cut := rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 119).Draw(rt, "cut")
		whole := geofence.NewTracker(ix, geofence.Options{})
		fixes := late(rapid.Uint64().Draw(rt, "order"), halting(seed, whole.Vehicle("a"), 120))
		want := play(whole, fixes)
		for _, c := range want {
			found[c.Kind]++
		}

		first := geofence.NewTracker(ix, geofence.Options{})
		first.Vehicle("a")
		var got []geofence.Crossing
		for _, f := range fixes[:cut] {
			got = first.Observe(got, f)
		}
		var b bytes.Buffer
		if err := first.Snapshot(&b); err != nil {
			rt.Fatal(err)
		}
		second := geofence.NewTracker(ix, geofence.Options{})
		if err := second.Restore(&b); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, append(got, play(second, fixes[cut:])...)); diff != "" {
			rt.Fatalf("after a restart at %d: %s", cut, diff)
		}
	})
	for _, k := range []geofence.Kind{geofence.Overspeed, geofence.OverspeedEnd, geofence.Stopped, geofence.Silent} {
		if found[k] == 0 {
			t.Errorf("no drive showed %v", k)
		}
	}
}

// Watches add to what is told and change nothing of the rest.
func TestWatchesChangeNoCrossing(t *testing.T) {
	t.Parallel()
	plain, with := circles(t, 60, 400), watched(t, 60, 400)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := geofence.NewTracker(plain, geofence.Options{}), geofence.NewTracker(with, geofence.Options{})
		fixes := late(rapid.Uint64().Draw(rt, "order"), halting(rapid.Uint64().Draw(rt, "seed"), a.Vehicle("a"), 120))
		b.Vehicle("a")
		boundary := func(cs []geofence.Crossing) (kept []geofence.Crossing) {
			for _, c := range cs {
				if c.Kind <= geofence.Pass {
					kept = append(kept, c)
				}
			}
			return kept
		}
		if diff := cmp.Diff(boundary(play(a, fixes)), boundary(play(b, fixes))); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// An excess begins before it ends, and an end has a beginning.
func TestOverspeedAlternates(t *testing.T) {
	t.Parallel()
	ix := watched(t, 60, 400)
	rapid.Check(t, func(rt *rapid.T) {
		tr := geofence.NewTracker(ix, geofence.Options{})
		over := map[geofence.FenceID]bool{}
		for _, c := range play(tr, halting(rapid.Uint64().Draw(rt, "seed"), tr.Vehicle("a"), 120)) {
			if c.Kind != geofence.Overspeed && c.Kind != geofence.OverspeedEnd {
				continue
			}
			if over[c.Fence] == (c.Kind == geofence.Overspeed) {
				rt.Fatalf("%v of %s twice", c.Kind, c.Fence)
			}
			over[c.Fence] = c.Kind == geofence.Overspeed
		}
	})
}

// The timers of a vehicle that comes and goes for days do not pile up.
func TestAlarmsDoNotPileUp(t *testing.T) {
	t.Parallel()
	tr := geofence.NewTracker(watched(t, 60, 400), geofence.Options{})
	v, most := tr.Vehicle("a"), 0
	for i := range 20_000 {
		x := math.Abs(float64(i%400)-200) * 100
		tr.Observe(nil, at(v, float64(i*10), x, 10))
		most = max(most, geofence.Timers(tr))
	}
	if most > 100 {
		t.Errorf("%d timers", most)
	}
}

func TestWatchedObserveAllocatesNothing(t *testing.T) {
	ix := watched(t, 60, 400)
	tr := geofence.NewTracker(ix, geofence.Options{})
	v := tr.Vehicle("a")
	dst, members := make([]geofence.Crossing, 0, 64), make([]geofence.Member, 0, 64)
	seconds, x := 0.0, -500.0
	step := func() {
		if seconds, x = seconds+5, x+60; x > 50_000 {
			x, seconds = -500, seconds+7200
		}
		dst = tr.Observe(dst[:0], at(v, seconds, x, 12))
		members = tr.Changed(members[:0])
	}
	for range 2000 {
		step()
	}
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("%v allocations a fix", n)
	}
}

func TestKindsAndReasonsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"unknown": true}
	for _, k := range geofence.Kinds() {
		if seen[k.String()] {
			t.Errorf("kind %d is called %q", k, k)
		}
		seen[k.String()] = true
	}
	for _, w := range geofence.Whys() {
		if seen[w.String()] {
			t.Errorf("reason %d is called %q", w, w)
		}
		seen[w.String()] = true
	}
}

func ExampleWatch() {
	school, err := geofence.NewCircle(orb.Point{11.575, 48.137}, 300)
	if err != nil {
		fmt.Println(err)
		return
	}
	ix := geofence.NewIndex([]geofence.Fence{{
		ID: "school", Revision: 1, Shape: school,
		Watch: &geofence.Watch{Limit: 30 / 3.6, Silent: 10 * time.Minute},
	}})
	tracker := geofence.NewTracker(ix, geofence.Options{})
	van := tracker.Vehicle("van-7")

	nan, at := float32(math.NaN()), int64(1_772_438_400_000)
	var told []geofence.Crossing
	for i, lon := range []float64{11.5730, 11.5749, 11.5768} { // 14 m/s
		told = tracker.Observe(told, geofence.Fix{
			Vehicle: van, Time: at + int64(i)*10_000, Received: at + int64(i)*10_000 + 500, Point: orb.Point{lon, 48.137},
			Accuracy: 4, Speed: 14, Heading: 90, HDOP: nan,
		})
	}
	told = tracker.Advance(told, at+3_600_000) // an hour later: no fix is needed
	for _, c := range told {
		fmt.Println(c.Kind, c.Fence, (c.Time-at)/1000)
	}
	// Output:
	// overspeed school 0
	// silent school 620
}

// The moments at which a vehicle has to be inside follow the clock on the wall.
func TestAbsenceFollowsTheWall(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	apia, err := time.LoadLocation("Pacific/Apia") // had no 30 December 2011
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		a     geofence.Absence
		after string
		want  string
	}{
		"today":        {geofence.Absence{By: 18 * time.Hour}, "2026-03-02T17:59:59Z", "2026-03-02T18:00:00Z"},
		"that moment":  {geofence.Absence{By: 18 * time.Hour}, "2026-03-02T18:00:00Z", "2026-03-03T18:00:00Z"},
		"midnight":     {geofence.Absence{}, "2026-03-02T18:00:00Z", "2026-03-03T00:00:00Z"},
		"weekday":      {geofence.Absence{By: time.Hour, Days: []time.Weekday{time.Sunday}}, "2026-03-02T00:00:00Z", "2026-03-08T01:00:00Z"},
		"summer":       {geofence.Absence{By: 18 * time.Hour, Zone: berlin}, "2026-07-01T00:00:00Z", "2026-07-01T16:00:00Z"},
		"skipped hour": {geofence.Absence{By: 150 * time.Minute, Zone: berlin}, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},
		"skipped day":  {geofence.Absence{By: 6 * time.Hour, Zone: apia}, "2011-12-29T20:00:00Z", "2011-12-30T16:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, err := time.Parse(time.RFC3339, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			got := time.UnixMilli(geofence.NextAbsence(&tt.a, after.UnixMilli())).UTC().Format(time.RFC3339)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// However late fixes come, and how often, nothing is told twice of one moment, boundaries included.
func TestWatchesTellNothingTwice(t *testing.T) {
	t.Parallel()
	ix := watched(t, 60, 400)
	rapid.Check(t, func(rt *rapid.T) {
		tr := geofence.NewTracker(ix, geofence.Options{})
		fixes := halting(rapid.Uint64().Draw(rt, "seed"), tr.Vehicle("a"), 120)
		again := append([]geofence.Fix(nil), fixes...)
		for i := range again {
			again[i].Received += 90_000
		}
		fixes = late(rapid.Uint64().Draw(rt, "order"), append(fixes, again...))
		type moment struct {
			fence geofence.FenceID
			kind  geofence.Kind
			at    int64
		}
		told := map[moment]bool{}
		for _, c := range play(tr, fixes) {
			m := moment{c.Fence, c.Kind, c.Time}
			if told[m] {
				rt.Fatalf("%v of %s at %d twice", c.Kind, c.Fence, c.Time)
			}
			told[m] = true
		}
	})
}
