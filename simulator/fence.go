package simulator

import (
	"math"

	"github.com/paulmach/orb"
)

// Fence is a circle, or a polygon when it has rings.
type Fence struct {
	ID     string
	Name   string
	Center orb.Point
	Radius float64     // metres along the ground
	Rings  orb.Polygon // the first is the outside, the others are holes; each closed
}

// Contains reports whether p is inside. Which side a point exactly on the boundary is on does not matter to
// a path that crosses it.
func (f Fence) Contains(p orb.Point) bool {
	if len(f.Rings) == 0 {
		return metresBetween(f.Center, p) <= f.Radius
	}
	inside := false
	for _, ring := range f.Rings {
		inside = inside != oddCrossings(ring, p)
	}
	return inside
}

// oddCrossings reports whether a ray from p to the east crosses the ring an odd number of times.
func oddCrossings(ring orb.Ring, p orb.Point) bool {
	odd := false
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if (a[1] > p[1]) == (b[1] > p[1]) {
			continue
		}
		if x := a[0] + (p[1]-a[1])/(b[1]-a[1])*(b[0]-a[0]); x > p[0] {
			odd = !odd
		}
	}
	return odd
}

// Depth is how far p is from the boundary, in metres: positive inside, negative outside.
func (f Fence) Depth(p orb.Point) float64 {
	if len(f.Rings) == 0 {
		return f.Radius - metresBetween(f.Center, p)
	}
	nearest := math.Inf(1)
	here := newPlane(p)
	for _, ring := range f.Rings {
		for i := 1; i < len(ring); i++ {
			nearest = min(nearest, distanceToOrigin(here.vec(ring[i-1]), here.vec(ring[i])))
		}
	}
	if f.Contains(p) {
		return nearest
	}
	return -nearest
}

// distanceToOrigin is how far the segment from a to b is from the origin.
func distanceToOrigin(a, b vec) float64 {
	d := b.sub(a)
	along := -(a.x*d.x + a.y*d.y) / (d.x*d.x + d.y*d.y)
	return a.add(d.times(max(0, min(1, along)))).length()
}

// bound is a box around the fence.
func (f Fence) bound() orb.Bound {
	if len(f.Rings) > 0 {
		return f.Rings.Bound()
	}
	p := newPlane(f.Center)
	reach := vec{f.Radius * 1.001, f.Radius * 1.001}
	return orb.Bound{Min: p.point(reach.times(-1)), Max: p.point(reach)}
}
