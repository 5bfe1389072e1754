package fencetest

import (
	"math"
	"math/big"

	"github.com/paulmach/orb"
)

// Model answers the questions of a [geofence.Shape] again: slowly, by other means and without sharing code,
// so that the two can be compared. Membership of polygons is computed with rational numbers; distances by
// following the geodesic step by step.
type Model struct {
	d     Drawing
	lines [][]orb.Point // every line or ring, with longitudes that go on beyond ±180°
}

// Model returns the model of what was drawn.
func (d Drawing) Model() Model { return Model{d, d.unrolled()} }

// Side is where a point lies.
type Side int8

// The sides.
const (
	Outside Side = iota - 1
	OnBoundary
	Inside
)

// Side returns where p lies; exact for polygons and tripwires. For circles and corridors the boundary is
// never met exactly.
func (m Model) Side(p orb.Point) Side {
	switch m.d.Kind {
	case Polygon:
		return m.polygonSide(p)
	case Tripwire:
		if m.onEdge(p) {
			return OnBoundary
		}
		return Outside
	}
	if m.Depth(p) >= 0 {
		return Inside
	}
	return Outside
}

// Depth returns the metres from p to the boundary, negative outside.
func (m Model) Depth(p orb.Point) float64 {
	switch m.d.Kind {
	case Circle:
		return m.d.Radius - Geodesic(m.d.Centre, p)
	case Corridor:
		return m.d.Width/2 - m.toEdges(p)
	case Polygon:
		if m.polygonSide(p) >= OnBoundary {
			return m.toEdges(p)
		}
	}
	return -m.toEdges(p)
}

// edges calls do with every edge, in coordinates that go on beyond ±180°.
func (m Model) edges(do func(a, b orb.Point)) {
	for _, l := range m.lines {
		for i, b := range l[1:] {
			do(l[i], b)
		}
	}
}

// unrolled returns every line or ring with longitudes that go on beyond ±180°.
func (d Drawing) unrolled() (all [][]orb.Point) {
	for _, area := range d.Areas {
		for _, ring := range area {
			all = append(all, unroll(ring))
		}
	}
	for _, line := range d.Lines {
		all = append(all, unroll(line))
	}
	return all
}

func unroll(pts []orb.Point) []orb.Point {
	out := []orb.Point{pts[0]}
	turn := 0.0
	for i, p := range pts[1:] {
		if d := p[0] - pts[i][0]; d > 180 {
			turn -= 360
		} else if d < -180 {
			turn += 360
		}
		out = append(out, orb.Point{p[0] + turn, p[1]})
	}
	return out
}

func (m Model) polygonSide(p orb.Point) Side {
	inside := false
	for turn := -720.0; turn <= 720; turn += 360 {
		q := orb.Point{p[0] + turn, p[1]}
		on := false
		m.edges(func(a, b orb.Point) {
			on = on || between(a, b, q) && orientation(a, b, q) == 0
			// A ray to the east, where the shape looks north.
			if (a[1] > q[1]) != (b[1] > q[1]) && (orientation(a, b, q) > 0) == (b[1] > a[1]) {
				inside = !inside
			}
		})
		if on {
			return OnBoundary
		}
	}
	if inside {
		return Inside
	}
	return Outside
}

func (m Model) onEdge(p orb.Point) (on bool) {
	for turn := -720.0; turn <= 720; turn += 360 {
		q := orb.Point{p[0] + turn, p[1]}
		m.edges(func(a, b orb.Point) { on = on || between(a, b, q) && orientation(a, b, q) == 0 })
	}
	return on
}

func between(a, b, p orb.Point) bool {
	return p[0] >= min(a[0], b[0]) && p[0] <= max(a[0], b[0]) && p[1] >= min(a[1], b[1]) && p[1] <= max(a[1], b[1])
}

// orientation returns the exact sign of the turn a → b → c.
func orientation(a, b, c orb.Point) int {
	r := func(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }
	sub := func(x, y float64) *big.Rat { return new(big.Rat).Sub(r(x), r(y)) }
	l := new(big.Rat).Mul(sub(b[0], a[0]), sub(c[1], a[1]))
	return l.Cmp(new(big.Rat).Mul(sub(b[1], a[1]), sub(c[0], a[0])))
}

// toEdges returns the metres from p to the nearest point of any edge.
func (m Model) toEdges(p orb.Point) float64 {
	best := math.Inf(1)
	for turn := -720.0; turn <= 720; turn += 360 {
		q := orb.Point{p[0] + turn, p[1]}
		m.edges(func(a, b orb.Point) {
			if mayBeNearer(q, a, b, best) {
				best = min(best, toEdge(q, a, b))
			}
		})
	}
	return best
}

// mayBeNearer leaves out edges that are farther away in latitude, or in longitude while that is short.
func mayBeNearer(p, a, b orb.Point, best float64) bool {
	dy := max(min(a[1], b[1])-p[1], p[1]-max(a[1], b[1]), 0) * 110_000
	dx := max(min(a[0], b[0])-p[0], p[0]-max(a[0], b[0]), 0)
	return dy < best && dx < 180
}

// toEdge returns the metres from p to the edge, by golden sections: the distance has one minimum on it.
func toEdge(p, a, b orb.Point) float64 {
	const golden = 0.6180339887498949
	at := func(t float64) float64 {
		return Geodesic(p, orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])})
	}
	lo, hi := 0.0, 1.0
	l, r := hi-golden, lo+golden
	fl, fr := at(l), at(r)
	for range 45 {
		if fl < fr {
			hi, r, fr = r, l, fl
			l = hi - golden*(hi-lo)
			fl = at(l)
		} else {
			lo, l, fl = l, r, fr
			r = lo + golden*(hi-lo)
			fr = at(r)
		}
	}
	return min(fl, fr, at(0), at(1))
}
