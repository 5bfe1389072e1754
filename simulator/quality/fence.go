package quality

import (
	"math"

	"github.com/paulmach/orb"
)

// Fence is a fence of a world: a circle, or rings of which the first is the outer one.
type Fence struct {
	ID     string
	Center orb.Point
	Radius float64 // metres; 0 for rings
	Rings  []orb.Ring

	center Point
	rings  [][]Point
}

// depth returns how far p is from the boundary in metres, positive inside.
func (f *Fence) depth(p Point) float64 {
	if f.Radius > 0 {
		return f.Radius - p.distance(f.center)
	}
	best, in := math.Inf(1), false
	for _, ring := range f.rings {
		for i := range ring {
			a, b := ring[i], ring[(i+1)%len(ring)]
			best = min(best, fromEdge(p, a, b))
			if (a.Y > p.Y) != (b.Y > p.Y) && p.X < (b.X-a.X)*(p.Y-a.Y)/(b.Y-a.Y)+a.X {
				in = !in
			}
		}
	}
	if in {
		return best
	}
	return -best
}

// fromEdge returns the distance of p from the edge a-b.
func fromEdge(p, a, b Point) float64 {
	d := b.sub(a)
	l := d.X*d.X + d.Y*d.Y
	if l == 0 {
		return p.distance(a)
	}
	v := p.sub(a)
	t := min(max((v.X*d.X+v.Y*d.Y)/l, 0), 1)
	return p.distance(a.add(d.times(t)))
}

// circle returns a round fence.
func (w *builder) circle(c Point, radius float64) {
	w.fences = append(w.fences, &Fence{ID: w.fenceID(), Center: w.frame.place(c), Radius: radius, center: c})
}

// polygon returns a fence of rings.
func (w *builder) polygon(rings ...[]Point) {
	f := &Fence{ID: w.fenceID(), rings: rings}
	for _, ring := range rings {
		var r orb.Ring
		for _, p := range ring {
			r = append(r, w.frame.place(p))
		}
		f.Rings = append(f.Rings, append(r, r[0]))
	}
	w.fences = append(w.fences, f)
}

// box returns a rectangle with one edge at p, its outward normal towards degrees.
func box(p Point, degrees, width, depth float64) []Point {
	side, in := polar(width/2, degrees+90), polar(depth, degrees+180)
	a, b := p.add(side), p.sub(side)
	return []Point{a, b, b.add(in), a.add(in)}
}
