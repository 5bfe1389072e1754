package geofence

import (
	"math"
	"math/bits"
)

// ink is a picture of the boundaries of a tile: a pixel is inked where one may run, and none comes within inkSlack units
// of the others. Most of what is asked about ways and boxes is read off it.
type ink struct {
	rows  []uint64 // row after row from the south, words of 64 pixels from the west
	words int32    // in a row
	shift uint8    // a pixel is 1<<shift units wide and high
}

// inkSlack is more units than rounding moves a boundary.
const inkSlack = cellDoubt + 1

// inkPixels returns how many pixels a row has when a tile has so many cells in a row: between 9 and 38 metres from south
// to north.
func inkPixels(n int) int {
	switch {
	case n < 2:
		return 64
	case n < 16:
		return 128
	}
	return 256
}

// newInk returns a clean picture of a tile with n by n cells.
func newInk(n int) ink {
	size := inkPixels(n)
	return ink{
		rows: make([]uint64, size*size/64), words: int32(size / 64),
		shift: uint8(bits.TrailingZeros(cellUnits / uint(size))),
	}
}

// pixels is a rectangle of pixels, edges included.
type pixels struct{ i0, i1, j0, j1 int32 }

// spots returns the box of the rectangle, in units.
func (p pixels) spots(shift uint8) spotBox {
	return spotBox{p.i0 << shift, p.j0 << shift, (p.i1 + 1) << shift, (p.j1 + 1) << shift}
}

// clear reports whether no pixel of the rectangle is inked.
func (k *ink) clear(p pixels) bool {
	for j := p.j0; j <= p.j1; j++ {
		if !k.rowClear(j, p.i0, p.i1) {
			return false
		}
	}
	return true
}

// rowClear reports whether no pixel of a row from i0 to i1 is inked.
func (k *ink) rowClear(j, i0, i1 int32) bool {
	row := k.rows[j*k.words:]
	w0, w1 := i0>>6, i1>>6
	from, to := ^uint64(0)<<(i0&63), ^uint64(0)>>(63-i1&63)
	if w0 == w1 {
		return row[w0]&from&to == 0
	}
	if row[w0]&from != 0 || row[w1]&to != 0 {
		return false
	}
	for w := w0 + 1; w < w1; w++ {
		if row[w] != 0 {
			return false
		}
	}
	return true
}

// columnClear reports whether no pixel of a column from j0 to j1 is inked.
func (k *ink) columnClear(i, j0, j1 int32) bool {
	at, bit := j0*k.words+i>>6, uint64(1)<<(i&63)
	for ; j0 <= j1; j0++ {
		if k.rows[at]&bit != 0 {
			return false
		}
		at += k.words
	}
	return true
}

// between returns the rectangle of pixels from s to t, both in the tile.
func (k *ink) between(s, t spot) pixels {
	last := k.words*64 - 1
	return pixels{
		min(min(s.x, t.x)>>k.shift, last), min(max(s.x, t.x)>>k.shift, last),
		min(min(s.y, t.y)>>k.shift, last), min(max(s.y, t.y)>>k.shift, last),
	}
}

// pixel returns the pixel of a spot of the tile.
func (k *ink) pixel(s spot) pixels { return k.between(s, s) }

// How far a box on a picture reaches at most, in pixels, and how far to the sides of where the vehicle goes.
const (
	inkReach = 32
	inkSides = 2
)

// roam returns a rectangle of clear pixels around one of them, long in the direction in which a vehicle goes: x to the east
// and y to the north, both zero if that is not known.
func (k *ink) roam(at pixels, x, y float32) pixels {
	g := growth{k: k, pixels: at, last: k.words*64 - 1}
	ax, ay := max(x, -x), max(y, -y)
	east, north := x > 0, y > 0
	if ax == 0 && ay == 0 {
		g.sides(inkReach)
		return g.pixels
	}
	g.sides(1)
	ex, ey := float32(1), float32(1) // pixels ahead
	openX, openY := ax > 0.1*ay, ay > 0.1*ax
	for range 2 * inkReach {
		if openX && (!openY || ex*ay <= ey*ax) {
			if !openY && ex*ay > 2*(ey+1)*ax {
				break
			}
			if openX = g.column(east); openX {
				ex++
			}
		} else if openY {
			if !openX && ey*ax > 2*(ex+1)*ay {
				break
			}
			if openY = g.row(north); openY {
				ey++
			}
		} else {
			break
		}
	}
	g.sides(inkSides - 1)
	return g.pixels
}

// growth is a rectangle of clear pixels that grows.
type growth struct {
	k *ink
	pixels
	last int32 // pixel of a row
}

// sides moves all four sides out, so many times at most.
func (g *growth) sides(times int) {
	for range times {
		e, w := g.column(true), g.column(false)
		n, s := g.row(true), g.row(false)
		if !e && !w && !n && !s {
			return
		}
	}
}

// column moves the eastern or western side out, if what is there is clear.
func (g *growth) column(east bool) bool {
	if east {
		if g.i1 >= g.last || !g.k.columnClear(g.i1+1, g.j0, g.j1) {
			return false
		}
		g.i1++
		return true
	}
	if g.i0 <= 0 || !g.k.columnClear(g.i0-1, g.j0, g.j1) {
		return false
	}
	g.i0--
	return true
}

// row moves the northern or southern side out, if what is there is clear.
func (g *growth) row(north bool) bool {
	if north {
		if g.j1 >= g.last || !g.k.rowClear(g.j1+1, g.i0, g.i1) {
			return false
		}
		g.j1++
		return true
	}
	if g.j0 <= 0 || !g.k.rowClear(g.j0-1, g.i0, g.i1) {
		return false
	}
	g.j0--
	return true
}

// wipe makes the pixels of a cell clear.
func (k *ink) wipe(pg *page, c int) {
	per := k.words * 64 / int32(pg.n)
	i, j := int32(c%pg.n)*per, int32(c/pg.n)*per
	for y := j; y < j+per; y++ {
		for x := i; x < i+per; x++ {
			k.rows[y*k.words+x>>6] &^= 1 << (x & 63)
		}
	}
}

// inkCell is a cell whose boundaries are drawn.
type inkCell struct {
	*ink
	spotBox // of the cell: half open
}

// draw inks the pixels of a cell by its list.
func (k *ink) draw(pg *page, c int) {
	_, _, n, list := readCell(pg.cell(c))
	if n == 0 {
		return
	}
	size := int32(1) << pg.shift
	x, y := int32(c%pg.n)*size, int32(c/pg.n)*size
	cell := inkCell{k, spotBox{x, y, x + size, y + size}}
	var cf cellFence
	for range n {
		list = cf.read(list)
		switch cf.kind {
		case edged:
			cell.edges(cf.body[2:])
		case round:
			cell.disc(cf.disc())
		default:
			cell.ask(pg.pieces[cf.piece].shape, &pg.box, size)
		}
	}
}

// edges inks what edges run through.
func (c *inkCell) edges(pts []spot) {
	for i := 1; i < len(pts); i++ {
		if a, b := pts[i-1], pts[i]; a != lift && b != lift {
			c.edge(a, b)
		}
	}
}

func (c *inkCell) edge(a, b spot) {
	if a.y > b.y {
		a, b = b, a
	}
	y0, y1 := max(a.y-inkSlack, c.y0), min(b.y+inkSlack, c.y1-1)
	ax, ay, dx, dy := float64(a.x), float64(a.y), float64(b.x-a.x), float64(b.y-a.y)
	for j := y0 >> c.shift; j <= y1>>c.shift; j++ {
		from, to := 0.0, 1.0
		if dy > 0 {
			low := float64(j<<c.shift - inkSlack)
			from = max(0, (low-ay)/dy)
			to = min(1, (low+float64(int32(1)<<c.shift)+2*inkSlack-ay)/dy)
		}
		e, f := ax+from*dx, ax+to*dx
		c.mark(j, min(e, f)-inkSlack, max(e, f)+inkSlack)
	}
}

// mark inks the pixels of row j from x0 to x1 that are in the cell.
func (c *inkCell) mark(j int32, x0, x1 float64) {
	if x1 < float64(c.x0) || x0 >= float64(c.x1) {
		return
	}
	i0, i1 := int32(max(x0, float64(c.x0)))>>c.shift, int32(min(x1, float64(c.x1-1)))>>c.shift
	for i := i0; i <= i1; i++ {
		c.rows[j*c.words+i>>6] |= 1 << (i & 63)
	}
}

// disc inks the ring between what is surely inside of a circle and what is surely not.
func (c *inkCell) disc(d disc) {
	in, out := math.Sqrt(d.in), math.Sqrt(d.out)
	x, y := float64(d.centre.x), float64(d.centre.y)
	for j := c.y0 >> c.shift; j < c.y1>>c.shift; j++ {
		low := float64(j<<c.shift) - inkSlack - y
		high := low + float64(int32(1)<<c.shift) + 2*inkSlack
		near, far := max(low, -high, 0), max(-low, high)
		if near > out {
			continue
		}
		wide := math.Sqrt(out*out-near*near)/d.squash + inkSlack
		narrow := 0.0
		if far < in {
			narrow = math.Sqrt(in*in-far*far)/d.squash - inkSlack
		}
		c.mark(j, x-wide, x-narrow)
		c.mark(j, x+narrow, x+wide)
	}
}

// ask inks what the shape itself says its boundary may run through, in squares of so many units.
func (c *inkCell) ask(s Shape, tile *box, size int32) {
	b := c.box(tile).grown(inkSlack*perUnit, inkSlack*perUnit)
	if s.relate(b) != crosses {
		return
	}
	if size == 1<<c.shift {
		c.mark(c.y0>>c.shift, float64(c.x0), float64(c.x0))
		return
	}
	half := size / 2
	for q := range int32(4) {
		part := inkCell{c.ink, spotBox{c.x0 + q%2*half, c.y0 + q/2*half, 0, 0}}
		part.x1, part.y1 = part.x0+half, part.y0+half
		part.ask(s, tile, half)
	}
}
