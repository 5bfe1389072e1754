package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// Inside a tile, positions are whole numbers of 2⁻²² of its size: half a millimetre and less. Whatever these
// numbers leave in doubt is asked again of the shape itself.
const (
	cellUnits = 1 << 22
	perUnit   = tileSize / cellUnits // degrees
	unitsPer  = cellUnits / tileSize
	// cellDoubt is how many units from an edge the numbers stop deciding: rounding both moves less.
	cellDoubt = 3
)

// spot is a position in a tile, in units from its south-west corner.
type spot struct{ x, y int32 }

// lift stands between runs of spots.
var lift = spot{math.MinInt32, math.MinInt32}

// spotAt returns the position of p in a tile; p may lie outside, by less than 500 tiles.
func spotAt(tile *box, p orb.Point) spot {
	return spot{int32(math.Floor((p[0] - tile.x0) * unitsPer)), int32(math.Floor((p[1] - tile.y0) * unitsPer))}
}

func (s spot) point(tile *box) orb.Point {
	return orb.Point{tile.x0 + (float64(s.x)+0.5)*perUnit, tile.y0 + (float64(s.y)+0.5)*perUnit}
}

// turn returns twice the area of the triangle a, b, c: positive when c is left of the way from a to b.
func turn32(a, b, c spot) int64 {
	return int64(b.x-a.x)*int64(c.y-a.y) - int64(b.y-a.y)*int64(c.x-a.x)
}

// close32 reports whether an area from [turn32] is so small that c may be on the other side in truth.
func close32(area int64, a, b spot) bool {
	limit := cellDoubt * (abs64(int64(b.x-a.x)) + abs64(int64(b.y-a.y)))
	return area <= limit && area >= -limit
}

func abs64(i int64) int64 { return max(i, -i) }

// cellPiece is a fence whose boundary runs through a cell. Of a polygon in a tile it has the edges there, and
// a spot known to be inside or outside: whether a point is inside follows from how often the way to that spot
// crosses the edges, and the way does not leave the cell.
type cellPiece struct {
	ref         Ref
	piece       uint32 // in the page
	first, last uint32 // in the page's spots; nothing if the shape itself has to be asked
	known       spot
	inside      bool // the known spot is
}

// decided is an answer that may be open.
type decided uint8

const (
	no decided = iota
	yes
	doubtful
)

func decidedBy(b bool) decided {
	if b {
		return yes
	}
	return no
}

// holds decides whether the position is inside.
func (cp *cellPiece) holds(spots []spot, s spot) decided {
	inside := cp.inside
	pts := spots[cp.first:cp.last]
	way := spotBoxOf(s, cp.known)
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if !way.meets(a, b) || a == lift || b == lift {
			continue
		}
		side := turn32(a, b, s)
		if close32(side, a, b) && nearBox(a, b, s) {
			return doubtful
		}
		if (side > 0) != (turn32(a, b, cp.known) > 0) && (turn32(s, cp.known, a) >= 0) != (turn32(s, cp.known, b) >= 0) {
			inside = !inside
		}
	}
	return decidedBy(inside)
}

// spotBox is the box of two spots, with the slack of their doubt.
type spotBox struct{ x0, y0, x1, y1 int32 }

func spotBoxOf(a, b spot) spotBox {
	return spotBox{min(a.x, b.x) - cellDoubt, min(a.y, b.y) - cellDoubt, max(a.x, b.x) + cellDoubt, max(a.y, b.y) + cellDoubt}
}

// meets reports whether the box of a and b has a point in common with it.
func (o *spotBox) meets(a, b spot) bool {
	return !(a.x < o.x0 && b.x < o.x0 || a.x > o.x1 && b.x > o.x1 || a.y < o.y0 && b.y < o.y0 || a.y > o.y1 && b.y > o.y1)
}

// nearBox reports whether s is in the box of a and b, or almost.
func nearBox(a, b, s spot) bool {
	o := spotBoxOf(a, b)
	return o.meets(s, s)
}

// crossed decides whether the way from s to t, both in the cell, meets an edge.
func (cp *cellPiece) crossed(spots []spot, s, t spot) decided {
	pts := spots[cp.first:cp.last]
	way, answer := spotBoxOf(s, t), no
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if !way.meets(a, b) || a == lift || b == lift {
			continue
		}
		sa, sb, sc, sd := turn32(a, b, s), turn32(a, b, t), turn32(s, t, a), turn32(s, t, b)
		switch {
		case close32(sa, a, b) || close32(sb, a, b) || close32(sc, s, t) || close32(sd, s, t):
			answer = doubtful
		case (sa > 0) != (sb > 0) && (sc > 0) != (sd > 0):
			return yes
		}
	}
	return answer
}

// bar keeps f clear of the edges: first of one at the spot nearest to its point, so that most others are out
// of reach by then.
func (cp *cellPiece) bar(f *freeBox, spots []spot, tile *box) {
	pts := spots[cp.first:cp.last]
	first := nearestSpot(pts, spotAt(tile, f.p))
	if first > 0 && pts[first-1] != lift {
		f.barEdge(pts[first-1].point(tile), pts[first].point(tile), 2*perUnit)
	}
	reach := f.spots(tile)
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if !reach.meets(a, b) || a == lift || b == lift {
			continue
		}
		f.barEdge(a.point(tile), b.point(tile), 2*perUnit)
		reach = f.spots(tile)
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

// spots returns the box in units of a tile.
func (f *freeBox) spots(tile *box) spotBox {
	return spotBoxOf(spotAt(tile, orb.Point{f.box.x0, f.box.y0}), spotAt(tile, orb.Point{f.box.x1, f.box.y1}))
}

// know finds a spot in the cell that is clear of all its edges.
func (cp *cellPiece) know(spots []spot, tile *box, cell box, s Shape) bool {
	const tries = 12
	for i := range tries {
		// Points of a low-discrepancy sequence, the centre first.
		u := math.Mod(0.5+float64(i)*0.7548776662466927, 1)
		v := math.Mod(0.5+float64(i)*0.5698402909980532, 1)
		p := orb.Point{cell.x0 + (0.05+0.9*u)*(cell.x1-cell.x0), cell.y0 + (0.05+0.9*v)*(cell.y1-cell.y0)}
		cp.known = spotAt(tile, p)
		if p = cp.known.point(tile); cp.clear(spots) {
			cp.inside = s.Contains(p)
			return true
		}
	}
	return false
}

// clear reports whether the known spot is clear of all lines through edges.
func (cp *cellPiece) clear(spots []spot) bool {
	pts := spots[cp.first:cp.last]
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if a != lift && b != lift && close32(turn32(a, b, cp.known), a, b) {
			return false
		}
	}
	return true
}
