package simulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"outrider/simulator"
)

// faulty drives ten vehicles for an hour with everything that can go wrong and returns what a broker got, by topic.
func faulty(t *testing.T, f simulator.Faults) (map[string][]string, simulator.Summary) {
	t.Helper()
	b := listen(t)
	s, err := simulator.Drive(t.Context(), simulator.DriveOptions{
		Seed: 5, Fleet: simulator.FleetOptions{Vehicles: 10, Start: start, Interval: 5 * time.Second, Noise: -1},
		Publisher: simulator.PublisherOptions{URL: b.url(), Unpaced: true, Duration: time.Hour, Faults: f},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.got), s
}

// times are the times of a vehicle's fixes in the order in which they came, in seconds since the start.
func times(t *testing.T, payloads []string) []float64 {
	t.Helper()
	var all []float64
	for _, p := range payloads {
		var fix struct{ T float64 }
		if err := json.Unmarshal([]byte(p), &fix); err != nil {
			t.Fatal(err)
		}
		all = append(all, math.Round((fix.T-float64(start.UnixMilli())/1000)*1000)/1000)
	}
	return all
}

func TestWithoutFaultsEverythingComesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	got, _ := faulty(t, simulator.Faults{})
	for topic, payloads := range got {
		if at := times(t, payloads); !slices.IsSorted(at) || len(slices.Compact(at)) != len(payloads) || len(at) < 720 {
			t.Errorf("%s: %d fixes, not each once and in order", topic, len(at))
		}
	}
}

// Fixes of a gap come after it, behind the fix of that moment, newest first, and none is missing.
func TestGapsAreBufferedNewestFirst(t *testing.T) {
	t.Parallel()
	whole, _ := faulty(t, simulator.Faults{})
	got, s := faulty(t, simulator.Faults{Gaps: 1})
	gaps := 0
	for topic, payloads := range got {
		at := times(t, payloads)
		for i := 1; i < len(at); i++ {
			if at[i] < at[i-1] && (i < 2 || at[i-1] > at[i-2]) {
				gaps++
				if at[i-1]-at[i] > 15 {
					t.Errorf("%s: after %g comes %g, not the newest of the gap", topic, at[i-1], at[i])
				}
			}
		}
		if !slices.Equal(slices.Sorted(slices.Values(at)), times(t, whole[topic])) {
			t.Errorf("%s: a gap lost or made fixes", topic)
		}
	}
	if gaps < 50 || gaps > 70 { // ten vehicles, six times ten minutes
		t.Errorf("%d gaps", gaps)
	}
	if !slices.ContainsFunc(s.Truth, func(c simulator.Crossing) bool { return c.During == "gap" }) {
		t.Error("the truth knows of no crossing in a gap")
	}
}

func TestTunnelsDuplicatesJitterAndSkew(t *testing.T) {
	t.Parallel()
	whole, plain := faulty(t, simulator.Faults{})
	tunnels, withTunnels := faulty(t, simulator.Faults{Tunnels: 1})
	doubled, _ := faulty(t, simulator.Faults{Duplicates: 0.2})
	jittered, _ := faulty(t, simulator.Faults{Jitter: 20 * time.Second})
	skewed, _ := faulty(t, simulator.Faults{Skew: 30 * time.Second})
	offsets, repeated, all, unordered := map[float64]bool{}, 0, 0, 0
	for topic, payloads := range whole {
		at := times(t, payloads)
		if missing := len(at) - len(tunnels[topic]); missing < 12 || missing > 72 { // six times 10 to 60 s
			t.Errorf("%s: %d fixes are missing in tunnels", topic, missing)
		}
		all += len(at)
		repeated += len(doubled[topic]) - len(at)
		later := times(t, jittered[topic])
		if !slices.IsSorted(later) {
			unordered++
		}
		if slices.Sort(later); !slices.Equal(later, at) {
			t.Errorf("%s: jitter lost or made fixes", topic)
		}
		wrong := times(t, skewed[topic])
		offset := math.Round(wrong[0] - at[0])
		for i := range wrong {
			if math.Abs(wrong[i]-at[i]-offset) > 0.002 || math.Abs(offset) > 30 {
				t.Fatalf("%s: fix %d is %g and should be %g with the clock wrong by %g", topic, i, wrong[i], at[i], offset)
			}
		}
		offsets[offset] = true
	}
	if share := float64(repeated) / float64(all); math.Abs(share-0.2) > 0.02 {
		t.Errorf("%g of the fixes came twice", share)
	}
	if unordered < 10 || len(offsets) < 5 {
		t.Errorf("%d vehicles out of order, %d errors of clocks", unordered, len(offsets))
	}
	if len(withTunnels.Truth) != len(plain.Truth) {
		t.Errorf("%d true crossings with tunnels, %d without", len(withTunnels.Truth), len(plain.Truth))
	}
}

// The same seed gives the same faults.
func TestFaultsAreOfTheSeed(t *testing.T) {
	t.Parallel()
	f := simulator.Faults{Jitter: time.Second, Gaps: 0.5, Tunnels: 0.5, Duplicates: 0.1, Skew: time.Minute}
	first, _ := faulty(t, f)
	second, _ := faulty(t, f)
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Error("two drives of one seed differ")
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, f := range []simulator.Faults{{Gaps: 1.1}, {Tunnels: -0.1}, {Duplicates: math.NaN()}, {Jitter: -1}, {Skew: -1}} {
		if _, err := simulator.NewPublisher(simulator.NewFleet(simulator.NewCity(1), simulator.FleetOptions{}), simulator.PublisherOptions{URL: "tcp://x", Faults: f}); err == nil {
			t.Errorf("%+v is taken", f)
		}
	}
}
