package geofence_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

func ExampleNewPolygon() {
	yard := orb.Ring{{11.570, 48.130}, {11.580, 48.130}, {11.580, 48.135}, {11.570, 48.135}}
	p, repairs, err := geofence.NewPolygon(orb.MultiPolygon{{yard}})
	fmt.Println(p.Contains(orb.Point{11.575, 48.132}), err)
	fmt.Println(repairs)

	yard[0], yard[1] = yard[1], yard[0]
	_, _, err = geofence.NewPolygon(orb.MultiPolygon{{yard}})
	fmt.Println(err)
	// Output:
	// true <nil>
	// [polygon 0, ring 0: was not closed; its first corner (11.57 48.13) is now also its last]
	// geofence: invalid shape: at [0][0][1]: the edge from corner 1 (11.57 48.13) to corner 2 (11.58 48.135) crosses the edge from corner 3 (11.57 48.135) to corner 0 (11.58 48.13)
}

func square(x, y, size float64) orb.Ring {
	return orb.Ring{{x, y}, {x + size, y}, {x + size, y + size}, {x, y + size}, {x, y}}
}

func TestPolygonsAreRefused(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	one := func(rings ...orb.Ring) orb.MultiPolygon { return orb.MultiPolygon{rings} }
	tests := map[string]struct {
		given  orb.MultiPolygon
		path   []int
		detail string
	}{
		"nothing":            {nil, nil, "there is no polygon"},
		"no ring":            {one(), []int{0}, "no ring"},
		"empty ring":         {one(orb.Ring{}), []int{0, 0}, "at least 3 different corners, this one has 0"},
		"one corner":         {one(orb.Ring{{1, 1}, {1, 1}, {1, 1}}), []int{0, 0}, "this one has 1"},
		"two corners":        {one(orb.Ring{{1, 1}, {2, 1}, {1, 1}}), []int{0, 0}, "this one has 2"},
		"one line":           {one(orb.Ring{{0, 0}, {1, 1}, {3, 3}, {0, 0}}), []int{0, 0}, ""},
		"NaN":                {one(orb.Ring{{0, 0}, {1, nan}, {1, 1}}), []int{0, 0, 1}, "latitude NaN is outside"},
		"infinite":           {one(orb.Ring{{math.Inf(1), 0}, {1, 2}, {1, 1}}), []int{0, 0, 0}, "longitude +Inf is outside"},
		"latitude":           {one(orb.Ring{{0, 0}, {1, 0}, {1, -90.5}}), []int{0, 0, 2}, "latitude -90.5 is outside -90 to 90"},
		"bow tie":            {one(orb.Ring{{0, 0}, {1, 1}, {1, 0}, {0, 1}}), []int{0, 0, 0}, "crosses the edge from corner 2 (1 0) to corner 3 (0 1)"},
		"runs over itself":   {one(orb.Ring{{0, 0}, {2, 0}, {2, 1}, {3, 0}, {1, 0}, {1, -1}}), []int{0, 0, 0}, "runs over"},
		"hole outside":       {one(square(0, 0, 1), square(2, 2, 1)), []int{0, 1}, "outside of its polygon"},
		"hole crosses":       {one(square(0, 0, 1), square(0.5, 0.5, 1)), []int{0, 0, 1}, "of ring 1"},
		"hole in hole":       {one(square(0, 0, 9), square(1, 1, 5), square(2, 2, 1)), []int{0, 2}, "overlaps the hole in ring 1"},
		"hole twice":         {one(square(0, 0, 9), square(1, 1, 5), square(1, 1, 5)), []int{0, 2}, "overlaps the hole in ring 1"},
		"polygon in polygon": {orb.MultiPolygon{{square(0, 0, 9)}, {square(1, 1, 1)}}, []int{1}, "overlaps polygon 0"},
		"polygon twice":      {orb.MultiPolygon{{square(0, 0, 9)}, {square(0, 0, 9)}}, nil, ""},
		"polygons cross":     {orb.MultiPolygon{{square(0, 0, 2)}, {square(1, 1, 2)}}, []int{0, 0, 1}, "of polygon 1, ring 0"},
		"second polygon":     {orb.MultiPolygon{{square(0, 0, 2)}, {orb.Ring{{5, 5}, {6, 6}}}}, []int{1, 0}, "this one has 2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := geofence.NewPolygon(tt.given)
			f, ok := errors.AsType[*geofence.Fault](err)
			if !ok || !errors.Is(err, geofence.ErrShape) {
				t.Fatalf("got %v, want a *Fault", err)
			}
			if diff := cmp.Diff(tt.path, f.Path); tt.detail != "" && diff != "" {
				t.Errorf("path (-want +got):\n%s%v", diff, err)
			}
			if !strings.Contains(f.Detail, tt.detail) {
				t.Errorf("got %q, want %q", f.Detail, tt.detail)
			}
		})
	}
}

func TestPolygonsAreRepaired(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given   orb.MultiPolygon
		repairs string // all of them, joined
		in, out orb.Point
	}{
		"sound":          {orb.MultiPolygon{{square(0, 0, 1)}}, "", orb.Point{0.5, 0.5}, orb.Point{1.5, 0.5}},
		"clockwise":      {orb.MultiPolygon{{orb.Ring{{0, 0}, {0, 1}, {1, 1}, {1, 0}, {0, 0}}}}, "", orb.Point{0.5, 0.5}, orb.Point{1.5, 0.5}},
		"repeated":       {orb.MultiPolygon{{orb.Ring{{0, 0}, {0, 0}, {1, 0}, {1, 0}, {1, 1}, {0, 0}, {0, 0}}}}, "3 repeated points", orb.Point{0.9, 0.5}, orb.Point{0.1, 0.5}},
		"open":           {orb.MultiPolygon{{square(0, 0, 1)[:4]}}, "was not closed", orb.Point{0.5, 0.5}, orb.Point{1.5, 0.5}},
		"spike":          {orb.MultiPolygon{{orb.Ring{{0, 0}, {1, 0}, {5, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}}}, "2 corners left out", orb.Point{1, 0.5}, orb.Point{3, 0}},
		"spike at end":   {orb.MultiPolygon{{orb.Ring{{-4, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {-4, 0}}}}, "1 corner left out", orb.Point{0, 0.5}, orb.Point{-3, 0}},
		"touches":        {orb.MultiPolygon{{orb.Ring{{0, 0}, {2, 2}, {4, 0}, {4, 4}, {2, 2}, {0, 4}, {0, 0}}}}, "", orb.Point{0.5, 2}, orb.Point{2, 3}},
		"seam, wrapped":  {orb.MultiPolygon{{orb.Ring{{179.9, 0}, {-179.9, 0}, {-179.9, 1}, {179.9, 1}, {179.9, 0}}}}, "crossing the 180° meridian", orb.Point{-179.95, 0.5}, orb.Point{0, 0.5}},
		"seam, cut":      {orb.MultiPolygon{{square(179, 0, 1)}, {square(-180, 0, 1)}}, "", orb.Point{180, 0.5}, orb.Point{178, 0.5}},
		"north cap":      {orb.MultiPolygon{{orb.Ring{{-120, 70}, {0, 75}, {120, 70}, {-120, 70}}}}, "enclosing the north pole", orb.Point{33, 90}, orb.Point{33, 60}},
		"south cap":      {orb.MultiPolygon{{orb.Ring{{-120, -70}, {0, -75}, {120, -70}, {-120, -70}}}}, "enclosing the south pole", orb.Point{33, -90}, orb.Point{33, -60}},
		"belt":           {orb.MultiPolygon{{orb.Ring{{-180, -5}, {180, -5}, {180, 5}, {-180, 5}, {-180, -5}}}}, "", orb.Point{180, 4}, orb.Point{180, 6}},
		"share an edge":  {orb.MultiPolygon{{square(0, 0, 1)}, {square(1, 0, 1)}}, "", orb.Point{1, 0.5}, orb.Point{2.1, 0.5}},
		"island in lake": {orb.MultiPolygon{{square(0, 0, 9), square(1, 1, 7)}, {square(3, 3, 2)}}, "", orb.Point{4, 4}, orb.Point{2, 2}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, repairs, err := geofence.NewPolygon(tt.given)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(withoutLengths(repairs), "; ")
			if !strings.Contains(all, tt.repairs) || tt.repairs == "" && all != "" {
				t.Errorf("repairs %q, want %q", all, tt.repairs)
			}
			if !p.Contains(tt.in) || p.Contains(tt.out) {
				t.Errorf("inside: %v %v, %v %v", tt.in, p.Contains(tt.in), tt.out, p.Contains(tt.out))
			}
			if d := p.Distance(tt.in); d < 0 {
				t.Errorf("distance %g of an inner point", d)
			}
			for _, b := range p.Bounds() {
				if b.Contains(tt.in) {
					return
				}
			}
			t.Errorf("bounds %v do not hold %v", p.Bounds(), tt.in)
		})
	}
}

// withoutLengths leaves out the remarks about long edges.
func withoutLengths(repairs geofence.Repairs) (kept geofence.Repairs) {
	for _, r := range repairs {
		if !strings.Contains(r, "km long") {
			kept = append(kept, r)
		}
	}
	return kept
}

// The cut at the 180° meridian is no boundary: half way across a polygon that was cut there one is deep inside.
func TestSeamIsNoBoundary(t *testing.T) {
	t.Parallel()
	cut, _, err := geofence.NewPolygon(orb.MultiPolygon{{square(179, 0, 1)}, {square(-180, 0, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	wrapped, _, err := geofence.NewPolygon(orb.MultiPolygon{{orb.Ring{{179, 0}, {-179, 0}, {-179, 1}, {179, 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, lon := range []float64{180, -180, 179.999, -179.999, 179.5, -179.2} {
		p := orb.Point{lon, 0.25}
		a, b := cut.Distance(p), wrapped.Distance(p)
		if math.Abs(a-b) > 1e-6 || a < 20_000 {
			t.Errorf("%v: %.3f m when cut, %.3f m when wrapped", p, a, b)
		}
	}
	if n := len(wrapped.Bounds()); n != 2 {
		t.Errorf("%d bounds: %v", n, wrapped.Bounds())
	}
}

func TestLongEdgesAreMentioned(t *testing.T) {
	t.Parallel()
	_, repairs, err := geofence.NewPolygon(orb.MultiPolygon{{orb.Ring{{0, 50}, {5, 50}, {5, 51}}}})
	if all := strings.Join(repairs, "; "); err != nil || !strings.Contains(all, "358 km long") {
		t.Errorf("got %q, %v", all, err)
	}
}

func TestCirclesAndLinesAreRefused(t *testing.T) {
	t.Parallel()
	circle := func(lon, lat, radius float64) error {
		_, err := geofence.NewCircle(orb.Point{lon, lat}, radius)
		return err
	}
	corridor := func(width float64, pts ...orb.Point) error {
		_, err := geofence.NewCorridor(orb.MultiLineString{pts}, width)
		return err
	}
	tests := map[string]struct {
		err    error
		detail string
	}{
		"no radius":       {circle(0, 0, 0), "above 0"},
		"negative radius": {circle(0, 0, -1), "this one is -1"},
		"NaN radius":      {circle(0, 0, math.NaN()), "this one is NaN"},
		"huge radius":     {circle(0, 0, 1e7), "at most 5000000 metres"},
		"latitude":        {circle(0, 91, 5), "latitude 91 is outside -90 to 90"},
		"no width":        {corridor(0, orb.Point{0, 0}, orb.Point{1, 0}), "above 0"},
		"huge width":      {corridor(1e6, orb.Point{0, 0}, orb.Point{1, 0}), "at most 100000 metres"},
		"no line":         {corridor(5), "at least 2 different points"},
		"one point twice": {corridor(5, orb.Point{1, 1}, orb.Point{1, 1}), "at least 2 different points"},
		"bad point":       {corridor(5, orb.Point{1, 1}, orb.Point{1, math.NaN()}), "latitude NaN"},
	}
	for name, tt := range tests {
		if f, ok := errors.AsType[*geofence.Fault](tt.err); !ok || !strings.Contains(f.Detail, tt.detail) {
			t.Errorf("%s: got %v, want %q", name, tt.err, tt.detail)
		}
	}
}

// A coast of 100,000 corners is prepared in well under a second, and a fault in it is found.
func TestManyCorners(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	const n = 100_000
	var ring orb.Ring
	for i := range n {
		angle := 2 * math.Pi * float64(i) / n
		d := 25_000*(1+0.2*math.Sin(9*angle)+0.02*math.Sin(500*angle)) + 3*r.Float64()
		ring = append(ring, fencetest.Offset(orb.Point{10, 50}, d*math.Cos(angle), d*math.Sin(angle)))
	}
	start := time.Now()
	p, _, err := geofence.NewPolygon(orb.MultiPolygon{{ring}})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if !p.Contains(orb.Point{10, 50}) {
		t.Error("the centre is outside")
	}
	ring[70_000], ring[70_900] = ring[70_900], ring[70_000]
	_, _, err = geofence.NewPolygon(orb.MultiPolygon{{ring}})
	if f, ok := errors.AsType[*geofence.Fault](err); !ok || len(f.Path) != 3 || f.Path[2] < 69_990 || f.Path[2] > 70_910 {
		t.Errorf("got %v", err)
	}
}

// Comb teeth are the worst case for searches by one coordinate.
func TestCombs(t *testing.T) {
	t.Parallel()
	for _, flip := range []bool{false, true} {
		var ring orb.Ring
		for i := range 20_000 {
			x := float64(i) / 20_000
			ring = append(ring, orb.Point{x, 0}, orb.Point{x + 0.2e-4, 1})
		}
		ring = append(ring, orb.Point{1, -1}, orb.Point{0, -1})
		if flip {
			for i, p := range ring {
				ring[i] = orb.Point{p[1], p[0]}
			}
		}
		start := time.Now()
		if _, _, err := geofence.NewPolygon(orb.MultiPolygon{{ring}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	}
}
