package geofence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// places are where shapes are compared with the model: the equator, a city, the 180° meridian, the far north.
var places = map[string]orb.Point{
	"equator":      {0.001, -0.001},
	"munich":       {11.5755, 48.1374},
	"fiji":         {179.9995, -17.8},
	"aleutians":    {-179.9999, 51.9},
	"spitsbergen":  {15.6, 78.2},
	"south":        {-68.3, -54.8},
	"on the seam":  {180, 10},
	"far negative": {-179.2, 66},
}

// sizes in metres.
var sizes = []float64{40, 700, 9000}

// eachDrawing runs a test on random drawings at every place.
func eachDrawing(t *testing.T, n int, test func(t *testing.T, r *rand.Rand, at orb.Point, size float64, d fencetest.Drawing, s geofence.Shape)) {
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, uint64(len(name))))
			for i := range n {
				size := sizes[i%len(sizes)]
				d := fencetest.Draw(r, at, size)
				s, err := d.Shape()
				if err != nil {
					continue
				}
				test(t, r, at, size, d, s)
				if t.Failed() {
					t.Fatalf("drawing %+v", d)
				}
			}
		})
	}
}

// The engine and the model agree about every point, exactly for polygons and tripwires, and within the stated
// error of the boundary for circles and corridors.
func TestMembershipIsThatOfTheModel(t *testing.T) {
	t.Parallel()
	eachDrawing(t, 40, func(t *testing.T, r *rand.Rand, at orb.Point, size float64, d fencetest.Drawing, s geofence.Shape) {
		m := d.Model()
		for _, p := range testPoints(r, at, size, d) {
			got, side := s.Contains(p), m.Side(p)
			if got == (side >= fencetest.OnBoundary) {
				continue
			}
			if d.Kind == fencetest.Polygon || d.Kind == fencetest.Tripwire || math.Abs(m.Depth(p)) > 2e-4 {
				t.Errorf("point %v: got %v, the model says %v, depth %g m", p, got, side, m.Depth(p))
			}
		}
	})
}

// testPoints returns random points around a drawing, its corners, and points close to its edges.
func testPoints(r *rand.Rand, at orb.Point, size float64, d fencetest.Drawing) []orb.Point {
	var pts []orb.Point
	for range 30 {
		pts = append(pts, fencetest.Offset(at, 1.3*size*(r.Float64()-0.5), 1.3*size*(r.Float64()-0.5)))
	}
	for _, area := range d.Areas {
		for _, ring := range area {
			for i, p := range ring[1:] {
				q := ring[i]
				pts = append(pts, p)
				if math.Abs(p[0]-q[0]) < 180 {
					pts = append(pts, orb.Point{(p[0] + q[0]) / 2, (p[1] + q[1]) / 2}, orb.Point{p[0], q[1]})
				}
			}
		}
	}
	if len(pts) > 60 {
		pts = pts[:60]
	}
	return pts
}

// Distances are those of the model, within 5 µm at 1 km and 5 mm at 10 km, and ten times that beyond 60°.
func TestDistanceIsThatOfTheModel(t *testing.T) {
	t.Parallel()
	eachDrawing(t, 12, func(t *testing.T, r *rand.Rand, at orb.Point, size float64, d fencetest.Drawing, s geofence.Shape) {
		if d.Kind == fencetest.Polygon && len(d.Areas[0][0]) > 12 {
			return // the model takes its time
		}
		m := d.Model()
		for range 4 {
			p := fencetest.Offset(at, 1.5*size*(r.Float64()-0.5), 1.5*size*(r.Float64()-0.5))
			got, want := s.Distance(p), m.Depth(p)
			if far := math.Abs(want); math.Abs(got-want) > distanceError(p, far+size/2) {
				t.Errorf("point %v: got %.9f m, the model says %.9f m (allowed %g)", p, got, want, distanceError(p, far+size/2))
			}
		}
	})
}

// distanceError is the promised error in metres of a distance of so many metres.
func distanceError(p orb.Point, metres float64) float64 {
	e := 2e-6 + metres*metres*metres*5e-15
	if math.Abs(p[1]) > 60 {
		e *= 10
	}
	return e
}

// What a stretch claims holds: a little inside of its ends the way is inside, a little outside it is not.
func TestStretchesAreWhatContainsSays(t *testing.T) {
	t.Parallel()
	eachDrawing(t, 60, func(t *testing.T, r *rand.Rand, at orb.Point, size float64, d fencetest.Drawing, s geofence.Shape) {
		if d.Kind == fencetest.Tripwire {
			return
		}
		for range 6 {
			a := fencetest.Offset(at, 1.5*size*(r.Float64()-0.5), 1.5*size*(r.Float64()-0.5))
			b := fencetest.Offset(at, 1.5*size*(r.Float64()-0.5), 1.5*size*(r.Float64()-0.5))
			if math.Abs(a[0]-b[0]) > 180 {
				continue // to be cut by the caller
			}
			checkStretches(t, s, a, b)
		}
	})
}

func checkStretches(t *testing.T, s geofence.Shape, a, b orb.Point) {
	t.Helper()
	stretches := s.Stretches(nil, a, b)
	at := func(f float64) orb.Point { return orb.Point{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])} }
	last := -1.0
	for _, st := range stretches {
		if st.From <= last || st.To < st.From || st.From < 0 || st.To > 1 {
			t.Errorf("way %v %v: stretches out of order: %v", a, b, stretches)
		}
		last = st.To
	}
	for i := range 201 {
		f := float64(i) / 200
		in := false
		for _, st := range stretches {
			in = in || f >= st.From && f <= st.To
		}
		if got := s.Contains(at(f)); got != in && math.Abs(s.Distance(at(f))) > 1e-4 {
			t.Errorf("way %v %v at %g: inside %v, stretches %v, distance %g", a, b, f, got, stretches, s.Distance(at(f)))
			return
		}
	}
}

// Published by GeographicLib: JFK to LHR.
func TestGeodesicIsRight(t *testing.T) {
	t.Parallel()
	a, b := orb.Point{-73.8, 40.6}, orb.Point{-0.5, 51.6}
	if got := fencetest.Geodesic(a, b); math.Abs(got-5551759.400) > 0.01 {
		t.Errorf("the model says %.4f m", got)
	}
	c, err := geofence.NewCircle(a, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if got := 1_000_000 - c.Distance(b); math.Abs(got-5551759.400) > 0.001 {
		t.Errorf("got %.4f m, want 5551759.400", got)
	}
}

// A box that no boundary enters: all its points are where p is.
func TestFreeBoxIsFree(t *testing.T) {
	t.Parallel()
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(3, uint64(len(name))))
			ix := geofence.NewIndex(fencetest.Fences(r, 120, at, 8000, 1500))
			var closed int
			for range 300 {
				p := fencetest.Offset(at, 8000*(r.Float64()-0.5), 8000*(r.Float64()-0.5))
				b := ix.FreeBox(p, 2000)
				if b.Min == b.Max {
					closed++
				}
				if !b.Contains(p) || b.Min[0] < -180 || b.Max[0] > 180 {
					t.Fatalf("box %v of %v", b, p)
				}
				checkFree(t, ix, r, p, b)
			}
			if closed > 45 { // a pixel of the picture is up to 38 m high, and all boundaries are inked
				t.Errorf("%d of 300 boxes are closed", closed)
			}
		})
	}
}

func checkFree(t *testing.T, ix *geofence.Index, r *rand.Rand, p orb.Point, b orb.Bound) {
	t.Helper()
	want := fmt.Sprint(ix.Containing(nil, p))
	pick := func(x0, x1 float64) float64 {
		switch r.IntN(4) {
		case 0:
			return x0
		case 1:
			return x1
		}
		return x0 + (x1-x0)*r.Float64()
	}
	for range 20 {
		q := orb.Point{pick(b.Min[0], b.Max[0]), pick(b.Min[1], b.Max[1])}
		if got := fmt.Sprint(ix.Containing(nil, q)); got != want {
			t.Fatalf("box %v of %v: at %v in %s, want %s", b, p, q, got, want)
		}
	}
}
