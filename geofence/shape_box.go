package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// box is an axis-parallel rectangle in degrees with its edges.
type box struct{ x0, y0, x1, y1 float64 }

// nowhere is the box that holds nothing and that add makes grow.
func nowhere() box { return box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)} }

// boxOf returns the box with corners a and b.
func boxOf(a, b orb.Point) box {
	return box{min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])}
}

// boxBound returns b as a box.
func boxBound(b orb.Bound) box { return box{b.Min[0], b.Min[1], b.Max[0], b.Max[1]} }

func (b box) bound() orb.Bound {
	return orb.Bound{Min: orb.Point{b.x0, b.y0}, Max: orb.Point{b.x1, b.y1}}
}

func (b box) empty() bool { return b.x0 > b.x1 || b.y0 > b.y1 }

func (b box) holds(p orb.Point) bool {
	return p[0] >= b.x0 && p[0] <= b.x1 && p[1] >= b.y0 && p[1] <= b.y1
}

// inner reports whether p is in the box and not on its edge.
func (b *box) inner(p orb.Point) bool {
	return p[0] > b.x0 && p[0] < b.x1 && p[1] > b.y0 && p[1] < b.y1
}

func (b box) meets(o box) bool {
	return b.x0 <= o.x1 && o.x0 <= b.x1 && b.y0 <= o.y1 && o.y0 <= b.y1
}

func (b box) and(o box) box {
	return box{max(b.x0, o.x0), max(b.y0, o.y0), min(b.x1, o.x1), min(b.y1, o.y1)}
}

func (b box) or(o box) box {
	return box{min(b.x0, o.x0), min(b.y0, o.y0), max(b.x1, o.x1), max(b.y1, o.y1)}
}

func (b box) add(p orb.Point) box {
	return box{min(b.x0, p[0]), min(b.y0, p[1]), max(b.x1, p[0]), max(b.y1, p[1])}
}

// grown returns b with its edges moved out by so many degrees.
func (b box) grown(dx, dy float64) box { return box{b.x0 - dx, b.y0 - dy, b.x1 + dx, b.y1 + dy} }

func (b box) shifted(dx float64) box { return box{b.x0 + dx, b.y0, b.x1 + dx, b.y1} }

func (b box) centre() orb.Point { return orb.Point{(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2} }

// highest returns the largest absolute latitude in b.
func (b box) highest() float64 { return max(math.Abs(b.y0), math.Abs(b.y1)) }

// meetsSegment reports whether the closed segment from a to b has a point in the closed box, exactly.
func (b box) meetsSegment(p, q orb.Point) bool {
	if !b.meets(boxOf(p, q)) {
		return false
	}
	if b.holds(p) || b.holds(q) {
		return true
	}
	// The boxes meet, so the segment misses only if all four corners are on one side of it.
	s := side(p, q, orb.Point{b.x0, b.y0})
	return s == 0 || s != side(p, q, orb.Point{b.x1, b.y0}) ||
		s != side(p, q, orb.Point{b.x0, b.y1}) || s != side(p, q, orb.Point{b.x1, b.y1})
}

// clip returns the part of the segment from p to q, as fractions, that lies in b; false if none does.
// Rounding may move the ends by a part in 10¹⁵.
func (b box) clip(p, q orb.Point) (from, to float64, ok bool) {
	from, to = 0, 1
	for axis, edge := range [2][2]float64{{b.x0, b.x1}, {b.y0, b.y1}} {
		d := q[axis] - p[axis]
		if d == 0 {
			if p[axis] < edge[0] || p[axis] > edge[1] {
				return 0, 0, false
			}
			continue
		}
		t0, t1 := (edge[0]-p[axis])/d, (edge[1]-p[axis])/d
		from, to = max(from, min(t0, t1)), min(to, max(t0, t1))
	}
	return from, to, from <= to
}

// foldBoxes cuts a box that reaches beyond ±180° or ±90° into boxes that do not.
func foldBoxes(b box) []orb.Bound {
	b.y0, b.y1 = max(b.y0, -90), min(b.y1, 90)
	switch {
	case b.x1-b.x0 >= 360:
		b.x0, b.x1 = -180, 180
	case b.x0 < -180:
		return []orb.Bound{box{-180, b.y0, b.x1, b.y1}.bound(), box{b.x0 + 360, b.y0, 180, b.y1}.bound()}
	case b.x1 > 180:
		return []orb.Bound{box{b.x0, b.y0, 180, b.y1}.bound(), box{-180, b.y0, b.x1 - 360, b.y1}.bound()}
	}
	return []orb.Bound{b.bound()}
}

// around returns b widened by at least so many metres to every side; it may reach beyond ±180°.
func (b box) around(metres float64) box {
	dy := metres / 110_570
	top := b.highest() + dy
	if top >= 89.9 {
		return box{-180, b.y0 - dy, 180, b.y1 + dy}
	}
	return b.grown(metres/(111_300*math.Cos(top*degree)), dy)
}
