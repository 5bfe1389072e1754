package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// freeSpots is a box around a spot in a tile that is made smaller until no boundary is in it.
type freeSpots struct {
	spotBox
	at     spot
	closed bool    // the spot lies on a boundary, or almost
	squash float64 // how many units from south to north are as long as one from west to east
	ahead  ahead
}

// ahead is where a vehicle goes: a unit vector to the east and north, zero if that is not known. A box is worth as much
// as it lasts.
type ahead struct{ x, y float64 }

// aheadOf returns where the way from a to b leads.
func aheadOf(a, b orb.Point, squash float64) ahead {
	x, y := (b[0]-a[0])*squash, b[1]-a[1]
	if l := math.Sqrt(x*x + y*y); l > 0 {
		return ahead{x / l, y / l}
	}
	return ahead{}
}

// worth returns how good a box is: how far a vehicle gets in it that goes on straight, or 17° to either side of that; the
// area when it is not known where it goes.
func (f *freeSpots) worth(b spotBox) float64 {
	e, w := float64(b.x1-f.at.x)*f.squash, float64(f.at.x-b.x0)*f.squash
	n, s := float64(b.y1-f.at.y), float64(f.at.y-b.y0)
	if f.ahead == (ahead{}) {
		return (e + w) * (n + s)
	}
	const sin, cos = 0.29552020666133955, 0.955336489125606 // of 0.3 radians
	x, y := f.ahead.x, f.ahead.y
	straight := min(until(e, w, x), until(n, s, y))
	left := min(until(e, w, x*cos-y*sin), until(n, s, x*sin+y*cos))
	right := min(until(e, w, x*cos+y*sin), until(n, s, y*cos-x*sin))
	return straight + left + right + 0.01*min(e, w, n, s)
}

// until returns how far it is to one of two sides with a component of a unit vector.
func until(front, back, d float64) float64 {
	if d < 0 {
		front, d = back, -d
	}
	return front / max(d, 1e-3)
}

// freeSlack is how many units an edge may lie beside its spots.
const freeSlack = 4

// barEdges keeps the box clear of edges: first of those at the spot nearest to its own, so that most others are out of
// reach by then.
func (f *freeSpots) barEdges(pts []spot) {
	if first := nearestSpot(pts, f.at); first > 0 && pts[first-1] != lift && pts[first] != lift {
		f.barEdge(pts[first-1], pts[first])
	}
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if !f.meets(a, b) || a == lift || b == lift {
			continue
		}
		f.barEdge(a, b)
	}
}

// nearestSpot returns the place of the spot nearest to s along the axes.
func nearestSpot(pts []spot, s spot) int {
	best, at := int64(math.MaxInt64), 0
	for i, p := range pts {
		if d := abs64(int64(p.x)-int64(s.x)) + abs64(int64(p.y)-int64(s.y)); d < best {
			best, at = d, i
		}
	}
	return at
}

// barEdge keeps the box clear of an edge.
func (f *freeSpots) barEdge(a, b spot) {
	ax, ay := float64(a.x-f.at.x), float64(a.y-f.at.y)
	dx, dy := float64(b.x-a.x), float64(b.y-a.y)
	from, to := 0.0, 1.0
	if dx != 0 {
		t0, t1 := (float64(f.x0-f.at.x)-freeSlack-ax)/dx, (float64(f.x1-f.at.x)+freeSlack-ax)/dx
		from, to = max(from, min(t0, t1)), min(to, max(t0, t1))
	}
	if dy != 0 {
		t0, t1 := (float64(f.y0-f.at.y)-freeSlack-ay)/dy, (float64(f.y1-f.at.y)+freeSlack-ay)/dy
		from, to = max(from, min(t0, t1)), min(to, max(t0, t1))
	}
	if from > to {
		return
	}
	cx, cy, ex, ey := ax+from*dx, ay+from*dy, ax+to*dx, ay+to*dy
	e := spotBox{
		f.at.x + int32(math.Floor(min(cx, ex))) - freeSlack, f.at.y + int32(math.Floor(min(cy, ey))) - freeSlack,
		f.at.x + int32(math.Ceil(max(cx, ex))) + freeSlack, f.at.y + int32(math.Ceil(max(cy, ey))) + freeSlack,
	}
	if !e.meets(f.at, f.at) {
		f.cut(e)
		return
	}
	f.barLine(ax, ay, dx, dy)
}

// barLine keeps the box on one side of a line, which passes the spot to the east or west in u and to the north or south
// in v units, with a corner of the box on it.
func (f *freeSpots) barLine(ax, ay, dx, dy float64) {
	area := dy*ax - dx*ay
	u, v := area/dy, -area/dx
	if !(math.Abs(u) > 4*freeSlack && math.Abs(v) > 4*freeSlack) {
		f.closed = true
		return
	}
	best, worth := f.spotBox, -1.0
	for _, share := range [3]float64{0.5, 0.25, 0.75} {
		b := f.spotBox
		b.side(&b.x0, &b.x1, f.at.x, share*u)
		b.side(&b.y0, &b.y1, f.at.y, (1-share)*v)
		if w := f.worth(b); w > worth {
			best, worth = b, w
		}
	}
	f.spotBox = best
}

// side moves the upper or lower side of a box to within so many units of a place.
func (*spotBox) side(low, high *int32, at int32, d float64) {
	if d > 0 {
		*high = min(*high, at+int32(min(d, 1e9))-freeSlack)
	} else {
		*low = max(*low, at+int32(max(d, -1e9))+freeSlack)
	}
}

// cut takes the side with e in it off the box, so that the best is left. e does not hold the spot.
func (f *freeSpots) cut(e spotBox) {
	b := f.spotBox
	if e.x0 > b.x1 || e.x1 < b.x0 || e.y0 > b.y1 || e.y1 < b.y0 {
		return
	}
	best, worth := b, -1.0
	try := func(ok bool, c spotBox) {
		if !ok {
			return
		}
		if w := f.worth(c); w > worth {
			best, worth = c, w
		}
	}
	try(e.x0 > f.at.x+1, spotBox{b.x0, b.y0, e.x0 - 1, b.y1})
	try(e.x1 < f.at.x, spotBox{e.x1 + 1, b.y0, b.x1, b.y1})
	try(e.y0 > f.at.y+1, spotBox{b.x0, b.y0, b.x1, e.y0 - 1})
	try(e.y1 < f.at.y, spotBox{b.x0, e.y1 + 1, b.x1, b.y1})
	f.spotBox = best
	f.closed = f.closed || worth < 0
}

// barDisc keeps the box clear of a circle. It gives up when the spot is too close to the boundary to say on which side
// it is.
func (f *freeSpots) barDisc(d disc) {
	switch x, y := d.offset(f.at); d.decide(x*x + y*y) {
	case yes:
		f.barInside(d, math.Abs(x), math.Abs(y))
	case no:
		f.barOutside(d, x, y)
	default:
		f.closed = true
	}
}

// barInside keeps the box within the rectangle inside the circle that holds the spot, x and y units from the centre, and
// is as square as that allows.
func (f *freeSpots) barInside(d disc, x, y float64) {
	a := math.Sqrt(d.in / 2)
	if x > a {
		a = (x + math.Sqrt(d.in-y*y)) / 2
	} else if y > a {
		b := (y + math.Sqrt(d.in-x*x)) / 2
		a = math.Sqrt(max(d.in-b*b, 0))
	}
	w, h := int32(a/d.squash)-1, int32(math.Sqrt(max(d.in-a*a, 0)))-1
	f.x0, f.x1 = max(f.x0, d.centre.x-w), min(f.x1, d.centre.x+w)
	f.y0, f.y1 = max(f.y0, d.centre.y-h), min(f.y1, d.centre.y+h)
}

// barOutside keeps the box clear of the circle's box, or of as much of the circle as the spot is beside.
func (f *freeSpots) barOutside(d disc, x, y float64) {
	r := math.Sqrt(d.out)
	if math.Abs(x) > r || math.Abs(y) > r {
		w, h := int32(r/d.squash)+2, int32(r)+2
		f.cut(spotBox{d.centre.x - w, d.centre.y - h, d.centre.x + w, d.centre.y + h})
		return
	}
	// Beside a round corner: what lies beyond both the meridian and the parallel through a point of the circle is outside.
	away := math.Sqrt(x*x + y*y)
	px, py := d.centre.x+int32(x/away*r/d.squash), d.centre.y+int32(y/away*r)
	if x >= 0 {
		f.x0 = max(f.x0, px+2)
	} else {
		f.x1 = min(f.x1, px-2)
	}
	if y >= 0 {
		f.y0 = max(f.y0, py+2)
	} else {
		f.y1 = min(f.y1, py-2)
	}
}

// free returns the box around p, within reach, that no boundary of the tile enters.
func (pg *page) free(p orb.Point, reach box, to ahead) box {
	reach = reach.and(pg.box)
	if len(pg.pieces) == 0 {
		return reach
	}
	f := freeSpots{at: spotAt(&pg.box, p), squash: pg.squash, ahead: to}
	shift := pg.shift
	s := spread{pg: pg}
	s.i0, s.j0 = int(f.at.x>>shift), int(f.at.y>>shift)
	if s.i0 >= pg.n || s.j0 >= pg.n { // on the last edge
		return boxOf(p, p)
	}
	s.i1, s.j1 = s.i0, s.j0
	s.limit = pg.limit(reach)
	f.spotBox = s.cells().and(s.limit)
	pg.barCell(&f, s.j0*pg.n+s.i0, p)
	if f.closed || f.x0 > f.at.x || f.x1 <= f.at.x || f.y0 > f.at.y || f.y1 <= f.at.y {
		return boxOf(p, p)
	}
	s.spread(&f)
	b := box{
		pg.box.x0 + float64(f.x0)*perUnit, pg.box.y0 + float64(f.y0)*perUnit,
		pg.box.x0 + float64(f.x1)*perUnit, pg.box.y0 + float64(f.y1)*perUnit,
	}.and(reach)
	if !b.holds(p) {
		return boxOf(p, p)
	}
	return b
}

// limit returns a box in units.
func (pg *page) limit(b box) spotBox {
	s, t := spotAt(&pg.box, orb.Point{b.x0, b.y0}), spotAt(&pg.box, orb.Point{b.x1, b.y1})
	return spotBox{s.x, s.y, t.x + 1, t.y + 1}
}

// barCell keeps f clear of the boundaries in a cell.
func (pg *page) barCell(f *freeSpots, k int, p orb.Point) {
	_, _, n, list := readCell(pg.cell(k))
	var cf cellFence
	for range n {
		list = cf.read(list)
		switch cf.kind {
		case edged:
			f.barEdges(cf.body[2:])
		case round:
			f.barDisc(cf.disc())
		default:
			pg.barAsked(f, &pg.pieces[cf.piece], p)
		}
	}
}

// barAsked keeps f clear of a fence's boundary that only the shape knows.
func (pg *page) barAsked(f *freeSpots, pc *piece, p orb.Point) {
	g := freeBox{p: p, box: box{
		pg.box.x0 + float64(f.x0)*perUnit, pg.box.y0 + float64(f.y0)*perUnit,
		pg.box.x0 + float64(f.x1)*perUnit, pg.box.y0 + float64(f.y1)*perUnit,
	}}
	pc.bar(&g)
	if g.closed() {
		f.closed = true
		return
	}
	b := pg.limit(g.box)
	f.spotBox = f.and(spotBox{b.x0 + 1, b.y0 + 1, b.x1 - 1, b.y1 - 1})
}

func (o spotBox) and(p spotBox) spotBox {
	return spotBox{max(o.x0, p.x0), max(o.y0, p.y0), min(o.x1, p.x1), min(o.y1, p.y1)}
}

// spread is a rectangle of cells of which all but the first are without boundaries.
type spread struct {
	pg             *page
	limit          spotBox
	i0, i1, j0, j1 int
}

// cells returns the rectangle.
func (s *spread) cells() spotBox {
	return spotBox{int32(s.i0) << s.pg.shift, int32(s.j0) << s.pg.shift, int32(s.i1+1) << s.pg.shift, int32(s.j1+1) << s.pg.shift}
}

// spread moves those sides of the box out that reach a side of the rectangle, cell after cell, as long as the cells there
// are without boundaries.
func (s *spread) spread(f *freeSpots) {
	for grown := true; grown; {
		c := s.cells()
		grown = false
		if f.x1 >= c.x1 && s.i1+1 < s.pg.n && f.x1 < s.limit.x1 && s.columnFree(s.i1+1) {
			s.i1++
			f.x1, grown = min(s.cells().x1, s.limit.x1), true
		}
		if f.x0 <= c.x0 && s.i0 > 0 && f.x0 > s.limit.x0 && s.columnFree(s.i0-1) {
			s.i0--
			f.x0, grown = max(s.cells().x0, s.limit.x0), true
		}
		if f.y1 >= c.y1 && s.j1+1 < s.pg.n && f.y1 < s.limit.y1 && s.rowFree(s.j1+1) {
			s.j1++
			f.y1, grown = min(s.cells().y1, s.limit.y1), true
		}
		if f.y0 <= c.y0 && s.j0 > 0 && f.y0 > s.limit.y0 && s.rowFree(s.j0-1) {
			s.j0--
			f.y0, grown = max(s.cells().y0, s.limit.y0), true
		}
	}
}

// rowFree reports whether no boundary runs through a row of the rectangle.
func (s *spread) rowFree(j int) bool {
	return s.pg.bounded[j]>>s.i0&(1<<(s.i1-s.i0+1)-1) == 0
}

// columnFree reports whether no boundary runs through a column of the rectangle.
func (s *spread) columnFree(i int) bool {
	for _, row := range s.pg.bounded[s.j0 : s.j1+1] {
		if row>>i&1 != 0 {
			return false
		}
	}
	return true
}
