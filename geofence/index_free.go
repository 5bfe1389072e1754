package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// freeReach is how far a box reaches at most where there are no fences, in metres.
const freeReach = 1500

// FreeBox returns a box around p that no boundary enters or touches, as large as is convenient and reaching
// at most so many metres from p to each side. All points of it, and so all ways within it, are inside of the
// same fences as p. When p lies so close to a boundary that a box is not worth it, within some ten metres, the box is p
// alone. It does not reach across the 180° meridian, nor beyond the tile around p of about two kilometres.
func (ix *Index) FreeBox(p orb.Point, metres float64) orb.Bound {
	return ix.freeAhead(ix.tiles.tileAt(p), p, p).and(boxOf(p, p).around(metres)).bound()
}

// freeAhead returns the box for a vehicle that came straight from a to b, or stands at b. tile is the one around b, or nil.
func (ix *Index) freeAhead(tile *page, a, b orb.Point) box {
	var free box
	if tile != nil {
		free = tile.free(a, b)
	} else {
		free = boxOf(b, b).around(freeReach).and(tileAround(b))
	}
	if ix.large != nil {
		f := freeBox{p: b, box: free}
		ix.large.bar(&f)
		free = f.box
	}
	return free
}

// free returns a box around b that no boundary of the tile enters.
func (pg *page) free(a, b orb.Point) box {
	if pg.n == 0 {
		return pg.box
	}
	k := &pg.ink
	at := k.pixel(spotAt(&pg.box, b))
	if !k.clear(at) {
		return boxOf(b, b)
	}
	// Degrees, not metres: a pixel has as many from west to east as from south to north.
	return k.roam(at, float32(b[0]-a[0]), float32(b[1]-a[1])).spots(k.shift).box(&pg.box)
}

// boundaries appends the fences whose boundary the way from a to b meets, in no order and perhaps twice, and perhaps others
// that have a point on it. tile is the one around b, or nil. It is false, and appends nothing, when the tile does not know.
func (ix *Index) boundaries(tile *page, dst []Ref, a, b orb.Point) (met []Ref, known bool) {
	if tile == nil || !tile.box.inner(a) || !tile.box.inner(b) {
		return dst, false
	}
	if ix.large != nil && ix.large.bounded(roundOut(boxOf(a, b))) {
		return dst, false
	}
	if tile.n == 0 {
		return dst, true
	}
	s, t := spotAt(&tile.box, a), spotAt(&tile.box, b)
	if tile.ink.clear(tile.ink.between(s, t)) {
		return dst, true
	}
	i0, i1, j0, j1 := tile.cellsBetween(tile.cellOf(s), tile.cellOf(t))
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			dst = tile.boundariesIn(j*tile.n+i, dst, s, t, a, b)
		}
	}
	return dst, true
}

// boundariesIn appends those of one cell.
func (pg *page) boundariesIn(k int, dst []Ref, s, t spot, a, b orb.Point) []Ref {
	_, _, n, list := readCell(pg.cell(k))
	var cf cellFence
	for range n {
		list = cf.read(list)
		if d := cf.meets(s, t); d == yes || d == doubtful && pg.pieces[cf.piece].shape.touches(a, b, 0) {
			dst = append(dst, cf.ref)
		}
	}
	return dst
}

// exit returns where the way from a, in the box, to b leaves it; b if it does not, and a if that is not known to be in it.
func (o *box) exit(a, b orb.Point) orb.Point {
	if !o.holds(a) {
		return a
	}
	f := 1.0
	if b[0] > o.x1 {
		f = (o.x1 - a[0]) / (b[0] - a[0])
	} else if b[0] < o.x0 {
		f = (o.x0 - a[0]) / (b[0] - a[0])
	}
	if b[1] > o.y1 {
		f = min(f, (o.y1-a[1])/(b[1]-a[1]))
	} else if b[1] < o.y0 {
		f = min(f, (o.y0-a[1])/(b[1]-a[1]))
	}
	return orb.Point{math.FMA(f, b[0]-a[0], a[0]), math.FMA(f, b[1]-a[1], a[1])}
}
