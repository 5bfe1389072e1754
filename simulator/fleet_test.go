package simulator_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"outrider/simulator"
)

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func drive(seed uint64, vehicles int) *simulator.Fleet {
	return simulator.NewFleet(simulator.NewCity(seed), simulator.FleetOptions{
		Vehicles: vehicles, Seed: seed, Start: start, Noise: -1,
	})
}

// TestTruthEqualsTheSides compares the crossings, found by halving, with the side of the boundary that each
// vehicle is on ten times a second.
func TestTruthEqualsTheSides(t *testing.T) {
	t.Parallel()
	fleet := drive(1, 6)
	end := start.Add(40 * time.Minute)
	got := fleet.Truth(end)
	if len(got) < 50 {
		t.Fatalf("only %d crossings: nothing to judge", len(got))
	}
	next := 0
	inside := map[string]bool{}
	for at := start; !at.After(end); at = at.Add(100 * time.Millisecond) {
		for ; next < len(got) && !got[next].Time.After(at); next++ {
			c := got[next]
			key := string(c.Vehicle) + c.Fence
			if inside[key] == (c.Kind == simulator.Enter) {
				t.Fatalf("%+v although already there", c)
			}
			inside[key] = c.Kind == simulator.Enter
		}
		for v := range fleet.Len() {
			p := fleet.At(v, at).Point
			for _, f := range fleet.City().Fences {
				if f.Contains(p) != inside[string(fleet.Vehicle(v))+f.ID] {
					t.Fatalf("%s at %s: inside %s is %t, the crossings say otherwise", fleet.Vehicle(v), at, f.ID, f.Contains(p))
				}
			}
		}
	}
}

// TestCrossingsAreSolid checks the city's promise for many seeds: at least 40 m deep and 20 s long, inside and
// between two visits, and never near a boundary that is not crossed.
func TestCrossingsAreSolid(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		fleet := drive(seed, 10)
		visits := map[string]simulator.Crossing{}
		for _, c := range fleet.Truth(start.Add(time.Hour)) {
			key := string(c.Vehicle) + c.Fence
			before, seen := visits[key]
			visits[key] = c
			if !seen {
				continue
			}
			if d := c.Time.Sub(before.Time); d < 20*time.Second {
				t.Errorf("seed %d: %s was %s %s for %s only", seed, c.Vehicle, before.Kind, c.Fence, d)
			}
			if deepest := depth(fleet, before, c); deepest < 40 {
				t.Errorf("seed %d: %s was at most %.0f m from the boundary of %s", seed, c.Vehicle, deepest, c.Fence)
			}
		}
	}
}

// depth is the largest distance from the boundary between two crossings of a fence.
func depth(fleet *simulator.Fleet, from, to simulator.Crossing) float64 {
	fence, _ := fleet.City().Fence(from.Fence)
	number := slices.Index(fleet.Vehicles(), from.Vehicle)
	deepest := 0.0
	for at := from.Time; at.Before(to.Time); at = at.Add(time.Second) {
		deepest = max(deepest, math.Abs(fence.Depth(fleet.At(number, at).Point)))
	}
	return deepest
}

// TestNobodyGrazes checks that whoever comes within 20 m of a boundary crosses it.
func TestNobodyGrazes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		fleet := drive(seed, 8)
		truth := fleet.Truth(start.Add(32 * time.Minute))
		for v := range fleet.Len() {
			for at := start; at.Before(start.Add(30 * time.Minute)); at = at.Add(time.Second) {
				for _, f := range fleet.City().Fences {
					d := f.Depth(fleet.At(v, at).Point)
					if math.Abs(d) < 20 && !near(truth, fleet, v, f.ID, at) {
						t.Fatalf("seed %d: %s is %.0f m from %s at %s and does not cross", seed, fleet.Vehicle(v), d, f.ID, at)
					}
				}
			}
		}
	}
}

func near(truth []simulator.Crossing, fleet *simulator.Fleet, v int, fence string, at time.Time) bool {
	return slices.ContainsFunc(truth, func(c simulator.Crossing) bool {
		return c.Vehicle == fleet.Vehicle(v) && c.Fence == fence && c.Time.Sub(at).Abs() < 15*time.Second
	})
}

func TestStartIsOutside(t *testing.T) {
	t.Parallel()
	fleet := drive(3, 50)
	for v := range fleet.Len() {
		for _, f := range fleet.City().Fences {
			if d := f.Depth(fleet.Fix(v, 0).Point); d > -40 {
				t.Errorf("%s begins %.0f m deep in %s", fleet.Vehicle(v), d, f.ID)
			}
		}
	}
}

func TestSameSeedSameFleet(t *testing.T) {
	t.Parallel()
	options := simulator.FleetOptions{Vehicles: 5, Seed: 9, Start: start}
	one := simulator.NewFleet(simulator.NewCity(9), options)
	two := simulator.NewFleet(simulator.NewCity(9), options)
	two.Truth(start.Add(time.Hour)) // asked in another order
	for v := range 5 {
		for _, n := range []int{900, 3, 0} {
			if a, b := one.Fix(v, n), two.Fix(v, n); a.Point != b.Point || !a.Time.Equal(b.Time) || a.Speed != b.Speed {
				t.Fatalf("fix %d of vehicle %d differs: %+v, %+v", n, v, a, b)
			}
		}
	}
	options.Seed = 10
	if simulator.NewFleet(simulator.NewCity(9), options).Fix(0, 900).Point == one.Fix(0, 900).Point {
		t.Error("another seed drove the same way")
	}
}

// TestMotionIsPossible checks that place, speed and heading of fixes agree.
func TestMotionIsPossible(t *testing.T) {
	t.Parallel()
	fleet := drive(4, 10)
	moving := 0
	for v := range fleet.Len() {
		before := fleet.Fix(v, 0)
		for n := 1; n < 1800; n++ {
			fix := fleet.Fix(v, n)
			way := geo.DistanceHaversine(before.Point, fix.Point)
			if way > 14.5 {
				t.Fatalf("%.1f m in a second", way)
			}
			if math.Abs(fix.Speed-before.Speed) > 2.01 {
				t.Fatalf("from %.1f to %.1f m/s in a second", before.Speed, fix.Speed)
			}
			if fix.Speed > 8 && fix.Heading == before.Heading {
				moving++
				if b := math.Mod(geo.Bearing(before.Point, fix.Point)+360, 360); math.Abs(b-fix.Heading) > 1 {
					t.Fatalf("heading %.1f, moved towards %.1f", fix.Heading, b)
				}
			}
			before = fix
		}
	}
	if moving < 5000 {
		t.Errorf("only %d of 18000 fixes on the move", moving)
	}
}

func TestNoiseIsAsClaimed(t *testing.T) {
	t.Parallel()
	options := simulator.FleetOptions{Vehicles: 30, Seed: 5, Start: start, Noise: 4}
	fleet := simulator.NewFleet(simulator.NewCity(5), options)
	within, all, jump := 0, 0, 0.0
	for v := range fleet.Len() {
		var before float64
		for n := range 600 {
			fix := fleet.Fix(v, n)
			off := geo.DistanceHaversine(fix.Point, fleet.At(v, fix.Time).Point)
			if all++; off <= fix.Accuracy {
				within++
			}
			if n > 0 {
				jump = max(jump, math.Abs(off-before))
			}
			before = off
		}
	}
	if share := float64(within) / float64(all); share < 0.58 || share > 0.78 {
		t.Errorf("%.0f %% of fixes are within the accuracy they claim, want about 68 %%", 100*share)
	}
	if jump > 8 {
		t.Errorf("the error jumped by %.1f m in a second: noise must wander", jump)
	}
}

func TestSettled(t *testing.T) {
	t.Parallel()
	fleet := drive(6, 20)
	for v := range fleet.Len() {
		for minute := range 20 {
			asked := start.Add(time.Duration(minute) * time.Minute)
			at := fleet.Settled(v, asked, 10*time.Second)
			if at.Before(asked) {
				t.Fatal("settled in the past")
			}
			for _, c := range fleet.Truth(at.Add(time.Minute)) {
				if c.Vehicle == fleet.Vehicle(v) && c.Time.Sub(at).Abs() < 10*time.Second {
					t.Fatalf("%+v is too near to %s", c, at)
				}
			}
		}
	}
}

func TestGeoJSON(t *testing.T) {
	t.Parallel()
	city := simulator.NewCity(1)
	var all struct {
		Type     string
		Features []struct {
			ID         string
			Properties map[string]any
			Geometry   struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(city.GeoJSON(), &all); err != nil || all.Type != "FeatureCollection" {
		t.Fatalf("%v: %s", err, city.GeoJSON())
	}
	holes := 0
	for i, f := range all.Features {
		if f.ID != city.Fences[i].ID || f.Properties["name"] == "" {
			t.Errorf("feature %d: %+v", i, f)
		}
		if f.Geometry.Type == "Point" {
			if f.Properties["shape"] != "circle" || f.Properties["radius_m"].(float64) < 100 {
				t.Errorf("circle %s: %v", f.ID, f.Properties)
			}
			continue
		}
		var rings orb.Polygon
		if err := json.Unmarshal(f.Geometry.Coordinates, &rings); err != nil {
			t.Fatal(err)
		}
		for n, ring := range rings {
			if !ring.Closed() || (ring.Orientation() == orb.CCW) != (n == 0) {
				t.Errorf("%s: ring %d is open or turns the wrong way", f.ID, n)
			}
		}
		holes += len(rings) - 1
	}
	if holes == 0 {
		t.Error("no fence has a hole")
	}
}

func BenchmarkFix(b *testing.B) {
	fleet := simulator.NewFleet(simulator.NewCity(1), simulator.FleetOptions{Vehicles: 100, Start: start})
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		fleet.Fix(n%100, n/100)
		n++
	}
}
