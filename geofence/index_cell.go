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

// spotBox is the box of two spots, with the slack of their doubt.
type spotBox struct{ x0, y0, x1, y1 int32 }

func spotBoxOf(a, b spot) spotBox {
	return spotBox{min(a.x, b.x) - cellDoubt, min(a.y, b.y) - cellDoubt, max(a.x, b.x) + cellDoubt, max(a.y, b.y) + cellDoubt}
}

// box returns the box in degrees.
func (o spotBox) box(tile *box) box {
	return box{
		tile.x0 + float64(o.x0)*perUnit, tile.y0 + float64(o.y0)*perUnit,
		tile.x0 + float64(o.x1)*perUnit, tile.y0 + float64(o.y1)*perUnit,
	}
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

// The list of a cell holds all that is asked about it in one run of memory, as pairs of numbers:
//
//	how many fences cover the cell; how many have a boundary in it
//	the covering ones, two in a pair
//	for each boundary: its Ref; the number of its piece in the page and its kind, and then
//	    edges: how many spots there are; whether the known spot is inside     a circle: its centre
//	           the known spot                                                           squash; in
//	           the spots                                                                out
//
// Whether a point is inside of a polygon follows from how often the way to the known spot crosses the edges, and the way
// does not leave the cell. A circle is round when differences of x are multiplied by squash: within the square of in,
// in units, a spot is inside, beyond the square of out it is not.
type cellKind uint8

const (
	asked cellKind = iota // the shape itself has to be asked
	edged
	round
)

// cellFence is a fence whose boundary runs through a cell, as its list has it.
type cellFence struct {
	ref   Ref
	piece uint32 // in the page
	kind  cellKind
	body  []spot // what comes after the first pair
}

// readCell returns the number of fences that cover a cell, the pairs with them, how many have a boundary in it and
// where those begin.
func readCell(list []spot) (covering int, pairs []spot, boundaries int, rest []spot) {
	if len(list) == 0 {
		return 0, nil, 0, nil
	}
	covering, boundaries = int(list[0].x), int(list[0].y)
	first := 1 + (covering+1)/2
	return covering, list[1:first], boundaries, list[first:]
}

// read takes the next fence off a list.
func (cf *cellFence) read(list []spot) (rest []spot) {
	head := uint32(list[0].y)
	cf.ref, cf.piece, cf.kind = Ref(list[0].x), head>>2, cellKind(head&3)
	n := 1
	switch cf.kind {
	case edged:
		n = 3 + int(list[1].x)
	case round:
		n = 4
	}
	cf.body = list[1:n]
	return list[n:]
}

// holds decides whether the position is inside.
func (cf *cellFence) holds(s spot) decided {
	switch cf.kind {
	case edged:
		return cf.edgesHold(s)
	case round:
		return cf.disc().decide(cf.disc().away(s))
	}
	return doubtful
}

// meets decides whether the way from s to t meets the boundary in the cell.
func (cf *cellFence) meets(s, t spot) decided {
	switch cf.kind {
	case edged:
		return cf.crossed(s, t)
	case round:
		d := cf.disc()
		if d.away(s) < d.in && d.away(t) < d.in {
			return no
		}
		return d.decide(d.beside(s, t))
	}
	return doubtful
}

// edgesHold decides by the edges in the cell.
func (cf *cellFence) edgesHold(s spot) decided {
	inside, known := cf.body[0].y != 0, cf.body[1]
	pts := cf.body[2:]
	way := spotBoxOf(s, known)
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if !way.meets(a, b) || a == lift || b == lift {
			continue
		}
		side := turn32(a, b, s)
		if close32(side, a, b) && nearBox(a, b, s) {
			return doubtful
		}
		if (side > 0) != (turn32(a, b, known) > 0) && (turn32(s, known, a) >= 0) != (turn32(s, known, b) >= 0) {
			inside = !inside
		}
	}
	return decidedBy(inside)
}

// crossed decides whether the way from s to t, both in the cell, meets an edge.
func (cf *cellFence) crossed(s, t spot) decided {
	pts := cf.body[2:]
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

// disc is a circle in units of a tile.
type disc struct {
	centre          spot
	squash, in, out float64
}

func (cf *cellFence) disc() disc {
	return disc{
		centre: cf.body[0], squash: single(cf.body[1].x), in: single(cf.body[1].y), out: single(cf.body[2].x),
	}
}

// single reads a number that was written by its bits.
func single(bits int32) float64 { return float64(math.Float32frombits(uint32(bits))) }

// offset returns how far a spot lies from the centre.
func (d disc) offset(s spot) (x, y float64) {
	return float64(s.x-d.centre.x) * d.squash, float64(s.y - d.centre.y)
}

// away returns the square of the units between s and the centre.
func (d disc) away(s spot) float64 {
	x, y := d.offset(s)
	return x*x + y*y
}

// beside returns the square of the units between the way from s to t and the centre.
func (d disc) beside(s, t spot) float64 {
	x, y := d.offset(s)
	dx, dy := float64(t.x-s.x)*d.squash, float64(t.y-s.y)
	if long := dx*dx + dy*dy; long > 0 {
		at := min(max(-(x*dx+y*dy)/long, 0), 1)
		x, y = x+at*dx, y+at*dy
	}
	return x*x + y*y
}

func (d disc) decide(away float64) decided {
	switch {
	case away < d.in:
		return yes
	case away > d.out:
		return no
	}
	return doubtful
}

// discOf returns what a circle is in a tile; false when its shape has to be asked.
func discOf(pc *piece, tile *box) (d disc, ok bool) {
	if !pc.quick {
		return d, false
	}
	// Both the centre and a spot are rounded, by less than a unit each, and the numbers by a part in 2²⁴.
	const slack = 3
	unit := pc.scale.y * perUnit
	d.centre, d.squash = spotAt(tile, pc.centre), float64(float32(pc.scale.x/pc.scale.y))
	in := max(math.Sqrt(pc.in)/unit*(1-2e-7)-slack, 0)
	out := math.Sqrt(pc.out)/unit*(1+2e-7) + slack
	d.in, d.out = float64(math.Nextafter32(float32(in*in), 0)), float64(math.Nextafter32(float32(out*out), math.MaxFloat32))
	return d, true
}
