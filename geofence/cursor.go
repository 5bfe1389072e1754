package geofence

import "github.com/paulmach/orb"

// Cursor follows one point through an Index. It remembers a box around the point that no boundary enters, so that most
// moves are answered by four comparisons, and the tile it is in. The zero Cursor is ready; it is owned by one goroutine.
type Cursor struct {
	p    orb.Point
	free box
	ix   *Index
	tile *page
}

// Move moves to p. It reports false when that crossed no boundary: the fences around the point are those from before, and
// it touched no others. Otherwise it appends to touched the fences that have a point on the straight way to p, or that
// hold p if this is the first move or the way leads across the 180° meridian, and to inside those that hold p; both in
// ascending order. Of another index than last time nothing is taken for known.
func (c *Cursor) Move(ix *Index, touched, inside []Ref, p orb.Point) (t, i []Ref, moved bool) {
	if c.ix == ix && c.free.holds(p) {
		c.p = p
		return touched, inside, false
	}
	from := c.p
	if c.ix != ix {
		*c = Cursor{ix: ix}
		from = p
	}
	if d := p[0] - from[0]; d > 180 || d < -180 {
		from = p
	}
	if c.tile == nil || !c.tile.box.inner(p) {
		c.tile = ix.tiles.tileAt(p)
	}
	start := len(touched)
	if from == p {
		inside = ix.containingIn(c.tile, inside, p)
		touched, moved = append(touched, inside...), true
	} else if met, known := ix.boundaries(c.tile, touched, c.free.exit(from, p), p); !known {
		touched = ix.Along(touched, from, p, 0)
		inside, moved = ix.containingIn(c.tile, inside, p), true
	} else if len(met) > start {
		had := len(inside)
		inside = ix.containingIn(c.tile, inside, p)
		touched, moved = tidy(append(met, inside[had:]...), start), true
	}
	c.free = ix.freeAhead(c.tile, from, p)
	c.p = p
	return touched, inside, moved
}
