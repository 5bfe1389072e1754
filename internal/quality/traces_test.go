package quality

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

// recorded is where the recordings of others lie, beside the repository.
const recorded = "../../../shared/data"

// point is a recorded position.
type point struct {
	at time.Time
	p  orb.Point
}

// open opens a recording, or skips the test.
func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(recorded, name))
	if err != nil {
		t.Skipf("the recorded traces are not here: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// munich reads a car's drive at one position a second.
func munich(t *testing.T) []point {
	t.Helper()
	var raw []struct{ Point, Time string }
	if err := json.NewDecoder(open(t, "munich-car-1hz.json")).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	var all []point
	for _, r := range raw {
		var p point
		if _, err := fmt.Sscanf(r.Point, "POINT(%g %g)", &p.p[0], &p.p[1]); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02 15:04:05-0700", r.Time)
		if err != nil {
			t.Fatal(err)
		}
		p.at = at
		all = append(all, p)
	}
	return all
}

// liverpool reads the buses of a route.
func liverpool(t *testing.T) map[string][]point {
	t.Helper()
	rows, err := csv.NewReader(open(t, "liverpool-bus-route14.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]point{}
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02 15:04:05", row[3])
		if err != nil {
			t.Fatal(err)
		}
		lat, _ := strconv.ParseFloat(row[4], 64)
		lon, _ := strconv.ParseFloat(row[5], 64)
		all[row[1]] = append(all[row[1]], point{at, orb.Point{lon, lat}})
	}
	for _, track := range all {
		slices.SortStableFunc(track, func(a, b point) int { return a.at.Compare(b.at) })
	}
	return all
}

// ways counts enters and exits of one circle along a track.
func ways(t *testing.T, track []point, center orb.Point, radius float64) (enters, exits int) {
	t.Helper()
	c, err := geofence.NewCircle(center, radius)
	if err != nil {
		t.Fatal(err)
	}
	tr := geofence.NewTracker(geofence.NewIndex([]geofence.Fence{{ID: "f", Revision: 1, Shape: c}}), geofence.Options{})
	v := tr.Vehicle("v")
	var told []geofence.Crossing
	for _, x := range track {
		told = tr.Observe(told, geofence.Fix{
			Vehicle: v, Time: x.at.UnixMilli(), Received: x.at.UnixMilli() + 500, Point: x.p,
			Accuracy: nan, Speed: nan, Heading: nan, HDOP: nan,
		})
	}
	for _, c := range told {
		switch c.Kind {
		case geofence.Enter:
			enters++
		case geofence.Exit:
			exits++
		}
	}
	return enters, exits
}

// A drive thinned to a position every 30 s shows nearly every visit of the full drive: no more are missed than
// by a straight segment test, give or take the ones that it only grazes, while a test of the positions alone
// misses a third.
func TestMunichThinnedMissesFewVisits(t *testing.T) {
	t.Parallel()
	full := munich(t)
	visits, missed, whole := 0, 0, 0
	for i := 60; i < len(full)-60; i += 15 {
		c, err := geofence.NewCircle(full[i].p, 100)
		if err != nil {
			t.Fatal(err)
		}
		want := truly(full, c)
		everySecond, _ := ways(t, full, full[i].p, 100)
		for offset := range 3 {
			var thin []point
			for j := offset * 10; j < len(full); j += 30 {
				thin = append(thin, full[j])
			}
			got, _ := ways(t, thin, full[i].p, 100)
			visits, whole = visits+want, whole+everySecond
			missed += max(want-got, 0)
		}
	}
	share := 100 * float64(missed) / float64(visits)
	t.Logf("%d visits, %d told at full rate, %.1f %% missed when thinned", visits, whole, share)
	if visits < 100 || share > 4.8 {
		t.Errorf("%d visits, %.1f %% missed, want at most 4.8", visits, share)
	}
	if whole != visits {
		t.Errorf("%d of %d visits told at full rate", whole, visits)
	}
}

// truly counts the visits that the full track shows.
func truly(track []point, c *geofence.Circle) int {
	n := 0
	for i := 1; i < len(track); i++ {
		if c.Contains(track[i].p) && !c.Contains(track[i-1].p) {
			n++
		}
	}
	return n
}

// Buses stop at stops; a fence edge laid through a stop must not flap. A band of 15 m is calmer still, but only
// because it does not see the visits that are short or shallow: these the engine tells.
func TestLiverpoolBusesDoNotFlap(t *testing.T) {
	t.Parallel()
	for _, bus := range []string{"4720", "4841"} {
		track := liverpool(t)[bus]
		fences, engine, banded, plain := 0, 0, 0, 0
		for i := 2; i+2 < len(track); i++ {
			if metresBetween(track[i].p, track[i+1].p) > 15 {
				continue // not a stop
			}
			center := orb.Point{track[i].p[0], track[i].p[1] + 100.0/111_200}
			enters, exits := ways(t, track, center, 100)
			fences++
			engine += enters + exits
			banded += band(t, track, center, 100, 15)
			plain += band(t, track, center, 100, 0)
		}
		mean := func(n int) float64 { return float64(n) / float64(max(fences, 1)) }
		t.Logf("bus %s: %d fences, transitions each: no band %.2f, 15 m band %.2f, engine %.2f",
			bus, fences, mean(plain), mean(banded), mean(engine))
		if fences < 5 || mean(engine) > 0.7*mean(plain) {
			t.Errorf("bus %s: %d transitions on %d fences, without a rule there are %d", bus, engine, fences, plain)
		}
	}
}

// band counts the transitions of a fixed hysteresis around a circle.
func band(t *testing.T, track []point, center orb.Point, radius, width float64) int {
	t.Helper()
	c, err := geofence.NewCircle(center, radius)
	if err != nil {
		t.Fatal(err)
	}
	inside, n := c.Contains(track[0].p), 0
	for _, x := range track[1:] {
		d := c.Distance(x.p)
		if inside && d < -width || !inside && d >= width {
			inside = !inside
			n++
		}
	}
	return n
}

func metresBetween(a, b orb.Point) float64 {
	c, err := geofence.NewCircle(a, 1)
	if err != nil {
		return 0
	}
	return 1 - c.Distance(b)
}
