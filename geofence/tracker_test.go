package geofence_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"outrider/geofence"
)

// metre is one metre of latitude in degrees, near enough for tests.
const metre = 1 / 111_200.0

// begin is when every test drive begins, in Unix milliseconds.
const begin = 1_772_000_000_000

// circles returns an index of round fences on the equator, 1 km apart.
func circles(t testing.TB, n int, radius float64) *geofence.Index {
	t.Helper()
	fences := make([]geofence.Fence, n)
	for i := range fences {
		c, err := geofence.NewCircle(orb.Point{float64(i) * 1000 * metre, 0}, radius)
		if err != nil {
			t.Fatal(err)
		}
		fences[i] = geofence.Fence{ID: geofence.FenceID(fmt.Sprintf("f%d", i)), Revision: uint64(i + 1), Shape: c}
	}
	return geofence.NewIndex(fences)
}

// at returns a fix x metres east of the first circle, taken after so many seconds and received a second later.
func at(v geofence.Vehicle, seconds, x, speed float64) geofence.Fix {
	nan := float32(math.NaN())
	ms := begin + int64(seconds*1000)
	return geofence.Fix{
		Vehicle: v, Time: ms, Received: ms + 1000, Point: orb.Point{x * metre, 0},
		Accuracy: 4, Speed: float32(speed), Heading: nan, HDOP: nan,
	}
}

// drive returns a drive of so many fixes with noise, stops and reflections, all a function of the seed.
func drive(seed uint64, v geofence.Vehicle, n int) []geofence.Fix {
	rng := rand.New(rand.NewPCG(seed, 1))
	fixes := make([]geofence.Fix, 0, n)
	x, seconds, speed := -500.0, 0.0, 0.0
	for len(fixes) < n {
		switch rng.IntN(12) {
		case 0:
			speed = 0
		case 1, 2:
			speed = 5 + rng.Float64()*15
		case 3:
			seconds += 200
			x += speed * 200
		}
		dt := 1 + rng.Float64()*20
		seconds, x = seconds+dt, x+speed*dt
		f := at(v, seconds, x+rng.NormFloat64()*3, speed)
		if rng.IntN(40) == 0 {
			f.Point[1] += 300 * metre
		}
		fixes = append(fixes, f)
	}
	return fixes
}

// play observes fixes and returns everything told.
func play(tr *geofence.Tracker, fixes []geofence.Fix) []geofence.Crossing {
	var told []geofence.Crossing
	for _, f := range fixes {
		told = tr.Observe(told, f)
	}
	return tr.Advance(told, fixes[len(fixes)-1].Received+3_600_000)
}

func TestSnapshotAnywhereChangesNothing(t *testing.T) {
	t.Parallel()
	ix := circles(t, 60, 120)
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		cut := rapid.IntRange(1, 119).Draw(rt, "cut")
		preset := rapid.SampledFrom(geofence.Presets()).Draw(rt, "preset")
		whole := geofence.NewTracker(ix, geofence.Options{Preset: preset})
		fixes := late(rapid.Uint64().Draw(rt, "order"), drive(seed, whole.Vehicle("a"), 120))
		want := play(whole, fixes)

		first := geofence.NewTracker(ix, geofence.Options{Preset: preset})
		first.Vehicle("a")
		var got []geofence.Crossing
		for _, f := range fixes[:cut] {
			got = first.Observe(got, f)
		}
		var b bytes.Buffer
		if err := first.Snapshot(&b); err != nil {
			rt.Fatal(err)
		}
		second := geofence.NewTracker(ix, geofence.Options{Preset: preset})
		if err := second.Restore(bytes.NewReader(b.Bytes())); err != nil {
			rt.Fatal(err)
		}
		got = append(got, play(second, fixes[cut:])...)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("after a restart at %d: %s", cut, diff)
		}
		if diff := cmp.Diff(whole.Members(nil), second.Members(nil)); diff != "" {
			rt.Fatalf("members: %s", diff)
		}
	})
}

// late lets some fixes arrive a few places later.
func late(seed uint64, fixes []geofence.Fix) []geofence.Fix {
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := range fixes {
		if rng.IntN(6) == 0 {
			fixes[i].Received += int64(rng.IntN(40_000))
		}
	}
	slices.SortStableFunc(fixes, func(a, b geofence.Fix) int { return int(a.Received - b.Received) })
	return fixes
}

func TestVehiclesDoNotInfluenceEachOther(t *testing.T) {
	t.Parallel()
	ix := circles(t, 60, 120)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.Uint64().Draw(rt, "a"), rapid.Uint64().Draw(rt, "b")
		alone := geofence.NewTracker(ix, geofence.Options{})
		want := play(alone, drive(a, alone.Vehicle("a"), 80))

		both := geofence.NewTracker(ix, geofence.Options{})
		mixed := append(drive(a, both.Vehicle("a"), 80), drive(b, both.Vehicle("b"), 80)...)
		slices.SortStableFunc(mixed, func(x, y geofence.Fix) int { return int(x.Received - y.Received) })
		got := play(both, mixed)
		got = slices.DeleteFunc(got, func(c geofence.Crossing) bool { return c.Vehicle != 0 })
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestFarFenceChangesNothing(t *testing.T) {
	t.Parallel()
	ix := circles(t, 60, 120)
	far, err := geofence.NewCircle(orb.Point{20, 60}, 5000)
	if err != nil {
		t.Fatal(err)
	}
	more := ix.With([]geofence.Fence{{ID: "far", Revision: 1000, Shape: far}}, nil)
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		cut := rapid.IntRange(1, 79).Draw(rt, "cut")
		plain := geofence.NewTracker(ix, geofence.Options{})
		want := play(plain, drive(seed, plain.Vehicle("a"), 80))

		changed := geofence.NewTracker(ix, geofence.Options{})
		fixes := drive(seed, changed.Vehicle("a"), 80)
		var got []geofence.Crossing
		for _, f := range fixes[:cut] {
			got = changed.Observe(got, f)
		}
		got = changed.SetIndex(got, more, fixes[cut-1].Received)
		got = append(got, play(changed, fixes[cut:])...)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestCrossingsAlternate(t *testing.T) {
	t.Parallel()
	ix := circles(t, 60, 120)
	rapid.Check(t, func(rt *rapid.T) {
		tr := geofence.NewTracker(ix, geofence.Options{})
		inside := map[geofence.FenceID]geofence.Kind{}
		for _, c := range play(tr, drive(rapid.Uint64().Draw(rt, "seed"), tr.Vehicle("a"), 120)) {
			if c.Kind != geofence.Enter && c.Kind != geofence.Exit {
				continue
			}
			if inside[c.Fence] == c.Kind {
				rt.Fatalf("%v of %s twice", c.Kind, c.Fence)
			}
			inside[c.Fence] = c.Kind
		}
		for _, m := range tr.Members(nil) {
			if inside[m.Fence] == geofence.Exit {
				rt.Fatalf("still a member of %s after its exit", m.Fence)
			}
		}
	})
}

// Fixes a few seconds apart that come in any order tell the same crossings as in order.
func TestPermutationTellsTheSame(t *testing.T) {
	t.Parallel()
	ix := circles(t, 30, 120)
	rapid.Check(t, func(rt *rapid.T) {
		ordered := geofence.NewTracker(ix, geofence.Options{})
		v := ordered.Vehicle("a")
		speed := rapid.Float64Range(8, 25).Draw(rt, "speed")
		var fixes []geofence.Fix
		for i := range 120 {
			fixes = append(fixes, at(v, float64(i*2), -500+speed*float64(i*2), speed))
		}
		want := kinds(play(ordered, fixes))
		mixed := geofence.NewTracker(ix, geofence.Options{})
		mixed.Vehicle("a")
		for i := 1; i+4 < len(fixes); i += 4 {
			block := rapid.Permutation(fixes[i:i+4]).Draw(rt, "block")
			now := fixes[i+3].Received
			for j := range block {
				block[j].Received = now
			}
			copy(fixes[i:], block)
		}
		if diff := cmp.Diff(want, kinds(play(mixed, fixes))); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// kinds returns what was told per fence, without times.
func kinds(cs []geofence.Crossing) map[geofence.FenceID]string {
	all := map[geofence.FenceID]string{}
	for _, c := range cs {
		all[c.Fence] += c.Kind.String() + " "
	}
	return all
}

func TestChangedFollowsMembers(t *testing.T) {
	t.Parallel()
	ix := circles(t, 60, 120)
	rapid.Check(t, func(rt *rapid.T) {
		tr := geofence.NewTracker(ix, geofence.Options{})
		fixes := late(rapid.Uint64().Draw(rt, "order"), drive(rapid.Uint64().Draw(rt, "seed"), tr.Vehicle("a"), 120))
		stored := map[geofence.FenceID]geofence.Member{}
		for _, f := range fixes {
			tr.Observe(nil, f)
			for _, m := range tr.Changed(nil) {
				if stored[m.Fence] = m; m.Membership == geofence.Outside {
					delete(stored, m.Fence)
				}
			}
		}
		members := map[geofence.FenceID]geofence.Member{}
		for _, m := range tr.Members(nil) {
			members[m.Fence] = m
		}
		if diff := cmp.Diff(members, stored); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestSetMember(t *testing.T) {
	t.Parallel()
	ix := circles(t, 3, 100)
	for name, tt := range map[string]struct {
		x    float64
		want map[geofence.FenceID]string
	}{
		"still inside":   {x: 10, want: map[geofence.FenceID]string{}},
		"left meanwhile": {x: 500, want: map[geofence.FenceID]string{"f0": "exit "}},
		"left for f1":    {x: 1000, want: map[geofence.FenceID]string{"f0": "exit "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := geofence.NewTracker(ix, geofence.Options{})
			v := tr.Vehicle("a")
			tr.SetMember(v, "f0", geofence.Inside, begin-1000)
			tr.SetMember(v, "gone", geofence.Inside, begin-1000)
			got := tr.Observe(nil, at(v, 0, tt.x, 0))
			if diff := cmp.Diff(tt.want, kinds(got)); diff != "" {
				t.Error(diff)
			}
			for _, c := range got {
				if c.Why != geofence.WhyRestored || c.Confidence != 1 {
					t.Errorf("why %v, confidence %d", c.Why, c.Confidence)
				}
			}
		})
	}
}

func TestRestoreRefusesDamage(t *testing.T) {
	t.Parallel()
	ix := circles(t, 10, 120)
	tr := geofence.NewTracker(ix, geofence.Options{})
	play(tr, drive(3, tr.Vehicle("a"), 60))
	var b bytes.Buffer
	if err := tr.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	for i := range whole {
		damaged := slices.Clone(whole)
		damaged[i] ^= 0x40
		if err := geofence.NewTracker(ix, geofence.Options{}).Restore(bytes.NewReader(damaged)); !errors.Is(err, geofence.ErrSnapshot) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if err := tr.Restore(bytes.NewReader(whole[:i])); !errors.Is(err, geofence.ErrSnapshot) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestRestoreDropsUnknownFences(t *testing.T) {
	t.Parallel()
	tr := geofence.NewTracker(circles(t, 2, 100), geofence.Options{})
	tr.Observe(nil, at(tr.Vehicle("a"), 0, 0, 0))
	tr.Observe(nil, at(tr.Vehicle("b"), 0, 1000, 0))
	var b bytes.Buffer
	if err := tr.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	one := geofence.NewTracker(circles(t, 1, 100), geofence.Options{})
	if err := one.Restore(&b); err != nil {
		t.Fatal(err)
	}
	got := one.Members(nil)
	if len(got) != 1 || got[0].Fence != "f0" || one.ID(got[0].Vehicle) != "a" {
		t.Errorf("members %v", got)
	}
}

func FuzzRestore(f *testing.F) {
	ix := circles(f, 4, 120)
	tr := geofence.NewTracker(ix, geofence.Options{})
	play(tr, late(1, drive(1, tr.Vehicle("a"), 40)))
	var b bytes.Buffer
	if err := tr.Snapshot(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("outrider tracker \x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fresh := geofence.NewTracker(ix, geofence.Options{})
		if fresh.Restore(bytes.NewReader(geofence.Sealed(data))) != nil {
			return
		}
		var again bytes.Buffer
		if err := fresh.Snapshot(&again); err != nil {
			t.Fatal(err)
		}
	})
}

func TestObserveAllocatesNothing(t *testing.T) {
	ix := circles(t, 60, 120)
	tr := geofence.NewTracker(ix, geofence.Options{})
	v := tr.Vehicle("a")
	dst := make([]geofence.Crossing, 0, 64)
	members := make([]geofence.Member, 0, 64)
	seconds, x := 0.0, -500.0
	step := func() {
		seconds, x = seconds+5, x+60
		if x > 50_000 {
			x = -500
			seconds += 7200
		}
		dst = tr.Observe(dst[:0], at(v, seconds, x, 12))
		members = tr.Changed(members[:0])
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("%v allocations a fix", n)
	}
}

func TestStateIsSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(geofence.VehicleState{}); size > 256 {
		t.Errorf("%d bytes per vehicle", size)
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	for _, p := range geofence.Presets() {
		if got, err := geofence.ParsePreset(p.String()); err != nil || got != p {
			t.Errorf("%v: %v %v", p, got, err)
		}
	}
	if _, err := geofence.ParsePreset("wild"); !errors.Is(err, geofence.ErrPreset) {
		t.Errorf("got %v", err)
	}
}

func ExampleTracker() {
	depot, err := geofence.NewCircle(orb.Point{11.575, 48.137}, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	ix := geofence.NewIndex([]geofence.Fence{{ID: "depot", Revision: 1, Shape: depot}})
	tracker := geofence.NewTracker(ix, geofence.Options{})
	van := tracker.Vehicle("van-7")

	nan := float32(math.NaN())
	var crossings []geofence.Crossing
	for i, lon := range []float64{11.5700, 11.5719, 11.5738, 11.5757} { // 14 m/s eastwards, every 10 s
		at := int64(1_772_438_400_000 + i*10_000)
		crossings = tracker.Observe(crossings, geofence.Fix{
			Vehicle: van, Time: at, Received: at + 500, Point: orb.Point{lon, 48.137},
			Accuracy: 4, Speed: 14, Heading: 90, HDOP: nan,
		})
	}
	for _, c := range crossings {
		fmt.Println(tracker.ID(c.Vehicle), c.Kind, c.Fence, c.Confidence, c.Why)
	}
	// Output: van-7 enter depot 3 clear
}

func BenchmarkObserve(b *testing.B) {
	ix := circles(b, 200, 120)
	for name, speed := range map[string]float64{"moving": 12, "parked": 0} {
		b.Run(name, func(b *testing.B) {
			tr := geofence.NewTracker(ix, geofence.Options{})
			v := tr.Vehicle("a")
			dst := make([]geofence.Crossing, 0, 64)
			members := make([]geofence.Member, 0, 64)
			seconds, x := 0.0, -500.0
			b.ReportAllocs()
			for b.Loop() {
				seconds, x = seconds+10, x+10*speed
				if x > 190_000 {
					x = -500
					seconds += 36_000
				}
				dst = tr.Observe(dst[:0], at(v, seconds, x, speed))
				members = tr.Changed(members[:0])
			}
		})
	}
}
