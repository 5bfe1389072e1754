package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Tripwire is a line with a direction, or several. It has no inside but its own points: what matters is on
// which side a way leaves it.
type Tripwire struct {
	lines *lines
	boxes []orb.Bound
}

var _ Shape = (*Tripwire)(nil)

// NewTripwire checks and prepares a directed line. Repeated points are left out; faults are returned as a
// *[Fault]. A line may cross itself.
func NewTripwire(given orb.MultiLineString) (*Tripwire, error) {
	l, err := drawLines(given)
	if err != nil {
		return nil, err
	}
	return &Tripwire{lines: l, boxes: coverLines(l)}, nil
}

// Passage is a point where a way crosses a tripwire.
type Passage struct {
	At float64 // fraction of the way
	// Rightward is true when the way leaves on the right of the line, as seen along its direction.
	Rightward bool
}

// Passages appends the crossings of the segment from a to b, in order. A segment that only touches the line,
// or begins or ends on it, crosses on the side where it ends: the point of the line itself counts as left.
func (t *Tripwire) Passages(dst []Passage, a, b orb.Point) []Passage {
	start := len(dst)
	t.lines.visit(boxOf(a, b), func(c, d orb.Point) bool {
		from, to := side(c, d, a) >= 0, side(c, d, b) >= 0
		if from == to || (side(a, b, c) >= 0) == (side(a, b, d) >= 0) {
			return true
		}
		if s, ok := meet(a, b, c, d); ok {
			dst = append(dst, Passage{s.From, from})
		}
		return true
	})
	slices.SortStableFunc(dst[start:], func(x, y Passage) int { return sign(x.At - y.At) })
	return dst
}

// Bounds returns the boxes that cover t.
func (t *Tripwire) Bounds() []orb.Bound { return slices.Clone(t.boxes) }

// Contains reports whether p is exactly on the line.
func (t *Tripwire) Contains(p orb.Point) bool {
	if !(p[0] == 180 || p[0] == -180) {
		_, on := t.lines.above(p, false)
		return on
	}
	_, east := t.lines.above(orb.Point{-180, p[1]}, false)
	_, west := t.lines.above(orb.Point{180, p[1]}, false)
	return east || west
}

// Distance returns the metres from p to the line, as a negative number: every other point is outside.
func (t *Tripwire) Distance(p orb.Point) float64 { return -t.lines.distance(p, math.Inf(1)) }

func (t *Tripwire) depth(p orb.Point, most float64) float64 { return t.lines.distance(p, most) }

// Stretches appends the points where the segment meets the line, as stretches without length, and the parts
// of it that run along the line.
func (t *Tripwire) Stretches(dst []Stretch, a, b orb.Point) []Stretch {
	start := len(dst)
	t.lines.visit(boxOf(a, b), func(c, d orb.Point) bool {
		if s, ok := meet(a, b, c, d); ok {
			dst = append(dst, s)
		}
		return true
	})
	return mergeStretches(dst, start)
}

func (t *Tripwire) touches(a, b orb.Point, metres float64) bool {
	return t.Contains(a) || t.Contains(b) || t.lines.reaches(a, b, metres)
}

func (t *Tripwire) relate(b box) relation {
	if t.lines.meets(b) {
		return crosses
	}
	return apart
}

func (t *Tripwire) raster(r *raster) { r.draw(t.lines) }
