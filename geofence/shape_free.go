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

// freeDepth is how often a piece of boundary is cut in half before p counts as lying on it: down to 2⁻⁴⁰ of
// its length, some nanometres.
const freeDepth = 40

// clipSlack in degrees is more than rounding moves the end of a clipped edge.
const clipSlack = 1e-12

// closed reports whether nothing but p is left.
func (f *freeBox) closed() bool { return f.box.x0 == f.box.x1 && f.box.y0 == f.box.y1 }

// close leaves nothing but p: it lies on a boundary.
func (f *freeBox) close() { f.box = boxOf(f.p, f.p) }

// barEdge keeps the box clear of an edge that is known up to so many degrees of slack.
func (f *freeBox) barEdge(a, b orb.Point, slack float64, depth int) {
	if !boxOf(a, b).grown(slack, slack).meets(f.box) {
		return
	}
	from, to, ok := f.box.grown(slack, slack).clip(a, b)
	if !ok || f.closed() {
		return
	}
	a, b = lerp(a, b, from), lerp(a, b, to)
	e := boxOf(a, b).grown(slack, slack)
	switch {
	case !e.holds(f.p):
		f.cut(e)
	case depth == freeDepth || e.x1-e.x0 < 4*slack && e.y1-e.y0 < 4*slack:
		f.close()
	default:
		middle := lerp(a, b, 0.5)
		f.barEdge(a, middle, slack, depth+1)
		f.barEdge(middle, b, slack, depth+1)
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
	case depth == freeDepth/2:
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
