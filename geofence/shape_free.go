package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// freeBox is a box around p that is made smaller until no boundary is in it.
type freeBox struct {
	p   orb.Point
	box box
}

// freeDepth is how often a box with boundary is cut in four before p counts as lying on it: down to less than
// a millimetre.
const freeDepth = 20

// clipSlack in degrees is more than rounding moves the end of a clipped edge.
const clipSlack = 1e-12

// closed reports whether nothing but p is left.
func (f *freeBox) closed() bool { return f.box.x0 == f.box.x1 && f.box.y0 == f.box.y1 }

// close leaves nothing but p: it lies on a boundary.
func (f *freeBox) close() { f.box = boxOf(f.p, f.p) }

// barEdge keeps the box clear of an edge that is known up to so many degrees of slack.
func (f *freeBox) barEdge(a, b orb.Point, slack float64) {
	if !boxOf(a, b).grown(slack, slack).meets(f.box) {
		return
	}
	from, to, ok := f.box.grown(slack, slack).clip(a, b)
	if !ok {
		return
	}
	c, d := lerp(a, b, from), lerp(a, b, to)
	if e := boxOf(c, d).grown(slack, slack); !e.holds(f.p) {
		f.cut(e)
		return
	}
	f.barLine(a, b, slack)
}

// barLine keeps the box on one side of the line through a and b, which passes p to the east or west in u and
// to the north or south in v degrees: half of each puts a corner of the box on the line.
func (f *freeBox) barLine(a, b orb.Point, slack float64) {
	dx, dy := b[0]-a[0], b[1]-a[1]
	area := dx*(f.p[1]-a[1]) - dy*(f.p[0]-a[0])
	u, v := area/dy, -area/dx
	if !(math.Abs(u) > 8*slack && math.Abs(v) > 8*slack) {
		f.close()
		return
	}
	if u > 0 {
		f.box.x1 = min(f.box.x1, f.p[0]+u/2-2*slack)
	} else {
		f.box.x0 = max(f.box.x0, f.p[0]+u/2+2*slack)
	}
	if v > 0 {
		f.box.y1 = min(f.box.y1, f.p[1]+v/2-2*slack)
	} else {
		f.box.y0 = max(f.box.y0, f.p[1]+v/2+2*slack)
	}
}

// barRound keeps the box clear of a boundary that is known only by how boxes lie to it.
func (f *freeBox) barRound(s Shape, b box, depth int) {
	b = b.and(f.box)
	if b.empty() || f.closed() || s.relate(b) != crosses {
		return
	}
	switch held := b.holds(f.p); {
	case !held && depth >= 3:
		f.cut(b)
		return
	case depth == freeDepth:
		f.close()
		return
	}
	c := b.centre()
	f.barRound(s, box{b.x0, b.y0, c[0], c[1]}, depth+1)
	f.barRound(s, box{c[0], b.y0, b.x1, c[1]}, depth+1)
	f.barRound(s, box{b.x0, c[1], c[0], b.y1}, depth+1)
	f.barRound(s, box{c[0], c[1], b.x1, b.y1}, depth+1)
}

// cut takes the side with e in it off the box, so that as much as possible is left. e does not hold p.
func (f *freeBox) cut(e box) {
	b := f.box
	if !b.meets(e) {
		return
	}
	best, area := b, -1.0
	try := func(ok bool, c box) {
		if a := (c.x1 - c.x0) * (c.y1 - c.y0); ok && a > area {
			best, area = c, a
		}
	}
	try(e.x0 > f.p[0], box{b.x0, b.y0, math.Nextafter(e.x0, -180), b.y1})
	try(e.x1 < f.p[0], box{math.Nextafter(e.x1, 180), b.y0, b.x1, b.y1})
	try(e.y0 > f.p[1], box{b.x0, b.y0, b.x1, math.Nextafter(e.y0, -90)})
	try(e.y1 < f.p[1], box{b.x0, math.Nextafter(e.y1, 90), b.x1, b.y1})
	f.box = best
}
