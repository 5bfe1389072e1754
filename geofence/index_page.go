package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// page is what hangs in the leaves of the R-tree: a box and everything about the fences in it. It is
// immutable.
//
// Most pages are tiles, with a grid: a cell lists the fences that cover it, and those whose boundary runs
// through it, as numbers of the page's pieces. A page that is not a tile is a part of one large fence.
type page struct {
	box    box
	tile   bool
	covers []Ref    // the fences that cover the whole box, ascending
	pieces []piece  // the fences with a boundary in the box, ascending
	grid   grid     // zero if there are no pieces
	starts []uint32 // for each cell where its covers and where its pieces begin in list, and the end
	list   []uint32 // refs, or numbers of pieces
}

// piece is a fence with a boundary in a page, with what answers most questions about it.
type piece struct {
	ref   Ref
	quick bool // a circle with the numbers below
	shape Shape
	// A circle's centre and its scale there in metres per degree: within the square of in metres a point is
	// inside, beyond the square of out it is not.
	centre  orb.Point
	scale   metric
	in, out float64
}

// entry is a fence on its way into a page.
type entry struct {
	ref    Ref
	shape  Shape
	covers bool
}

// newPage prepares a page. members are ascending.
func newPage(b box, tile bool, members []entry) *page {
	pg := &page{box: b, tile: tile}
	n := 0
	for _, m := range members {
		if !m.covers {
			n++
		}
	}
	pg.covers, pg.pieces = make([]Ref, 0, len(members)-n), make([]piece, 0, n)
	for _, m := range members {
		if m.covers {
			pg.covers = append(pg.covers, m.ref)
		} else {
			pg.pieces = append(pg.pieces, newPiece(m))
		}
	}
	if n > 0 {
		pg.grid = newGrid(b, gridSize(n, tile))
		pg.fill()
	}
	return pg
}

// gridSize returns how fine a grid is worth its memory for so many boundaries: about four in a cell.
func gridSize(n int, tile bool) int {
	size := 1
	for tile && size < 32 && size*4 < n {
		size *= 2
	}
	return size
}

// fill writes the lists of the cells.
func (pg *page) fill() {
	cells := pg.grid.n * pg.grid.n
	all := make([]relation, cells*len(pg.pieces))
	total := 0
	for i := range pg.pieces {
		out := all[i*cells : (i+1)*cells]
		pg.pieces[i].shape.raster(&pg.grid, out)
		for _, r := range out {
			if r != apart {
				total++
			}
		}
	}
	pg.starts, pg.list = make([]uint32, 0, 2*cells+1), make([]uint32, 0, total)
	for c := range cells {
		pg.starts = append(pg.starts, uint32(len(pg.list)))
		for i := range pg.pieces {
			if all[i*cells+c] == covers {
				pg.list = append(pg.list, uint32(pg.pieces[i].ref))
			}
		}
		pg.starts = append(pg.starts, uint32(len(pg.list)))
		for i := range pg.pieces {
			if all[i*cells+c] == crosses {
				pg.list = append(pg.list, uint32(i))
			}
		}
	}
	pg.starts = append(pg.starts, uint32(len(pg.list)))
}

func newPiece(m entry) piece {
	pc := piece{ref: m.ref, shape: m.shape}
	c, ok := m.shape.(*Circle)
	if !ok || c.wide || c.box.x0 < -180 || c.box.x1 > 180 {
		return pc
	}
	pc.quick, pc.centre, pc.scale = true, c.centre, metric{c.x[0], c.y[0]}
	// The scale is right at the centre. Elsewhere in the circle a distance is between these multiples of it.
	most := max(c.most.x/c.x[0], c.most.y/c.y[0])
	least := min(c.least.x/c.x[0], c.least.y/c.y[0])
	in, out := max(c.radius-c.doubt, 0)/most, (c.radius+c.doubt)/least
	pc.in, pc.out = in*in, out*out
	return pc
}

// holds reports whether p is in the fence.
func (pc *piece) holds(p orb.Point) bool {
	if pc.quick {
		dx, dy := (p[0]-pc.centre[0])*pc.scale.x, (p[1]-pc.centre[1])*pc.scale.y
		if d := dx*dx + dy*dy; d < pc.in {
			return true
		} else if d > pc.out {
			return false
		}
	}
	switch s := pc.shape.(type) {
	case *Polygon:
		return s.holds(p)
	default:
		return s.Contains(p)
	}
}

// cell returns the fences that cover a cell and the numbers of the pieces in it.
func (pg *page) cell(i int) (covering, pieces []uint32) {
	s := pg.starts[2*i : 2*i+3 : 2*i+3]
	return pg.list[s[0]:s[1]], pg.list[s[1]:s[2]]
}

// containing appends the fences around p.
func (pg *page) containing(dst []Ref, p orb.Point) []Ref {
	dst = append(dst, pg.covers...)
	if len(pg.pieces) == 0 {
		return dst
	}
	covering, pieces := pg.cell(pg.grid.at(p))
	for _, r := range covering {
		dst = append(dst, Ref(r))
	}
	for _, i := range pieces {
		if pc := &pg.pieces[i]; pc.holds(p) {
			dst = append(dst, pc.ref)
		}
	}
	return dst
}

// along appends the candidates along a way that meets the page.
func (pg *page) along(dst []Ref, w *way) []Ref {
	sure := Ref(0)
	if w.wide {
		sure = unconfirmed // the page is near, its fences may not be
	}
	for _, r := range pg.covers {
		dst = append(dst, r<<1|sure)
	}
	if len(pg.pieces) == 0 {
		return dst
	}
	g := &pg.grid
	b := w.box.grown(cellSlack, cellSlack)
	i0, i1, j0, j1 := g.column(b.x0), g.column(b.x1), g.row(b.y0), g.row(b.y1)
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			k := j*g.n + i
			if covering, pieces := pg.cell(k); len(covering)+len(pieces) > 0 && (i0 == i1 && j0 == j1 || w.meets(g.cell(k))) {
				dst = pg.candidates(dst, covering, pieces)
			}
		}
	}
	return dst
}

func (pg *page) candidates(dst []Ref, covering, pieces []uint32) []Ref {
	for _, r := range covering {
		dst = append(dst, Ref(r)<<1|unconfirmed) // a cell's slack is not the cell
	}
	for _, i := range pieces {
		dst = append(dst, pg.pieces[i].ref<<1|unconfirmed)
	}
	return dst
}

// bar keeps f clear of the boundaries in the page, from the point of f outwards.
func (pg *page) bar(f *freeBox) {
	if len(pg.pieces) == 0 {
		return
	}
	g := &pg.grid
	var done barred
	ci, cj := g.column(f.p[0]), g.row(f.p[1])
	for ring := 0; ring < g.n && !f.closed(); ring++ {
		b := f.box.grown(cellSlack, cellSlack)
		i0, i1, j0, j1 := g.column(b.x0), g.column(b.x1), g.row(b.y0), g.row(b.y1)
		if max(ci-i0, i1-ci, cj-j0, j1-cj) < ring {
			return
		}
		for j := max(cj-ring, j0); j <= min(cj+ring, j1); j++ {
			step := 1
			if ring > 0 && j != cj-ring && j != cj+ring {
				step = 2 * ring // only the two ends of the row are on the ring
			}
			for i := ci - ring; i <= ci+ring; i += step {
				if i >= i0 && i <= i1 {
					pg.barCell(f, j*g.n+i, &done)
				}
			}
		}
	}
}

// barred remembers which of the first pieces of a page were dealt with.
type barred [4]uint64

// once reports whether i comes for the first time; always true for those it cannot remember.
func (b *barred) once(i uint32) bool {
	if i >= uint32(64*len(b)) {
		return true
	}
	word, bit := &b[i/64], uint64(1)<<(i%64)
	first := *word&bit == 0
	*word |= bit
	return first
}

func (pg *page) barCell(f *freeBox, cell int, done *barred) {
	_, pieces := pg.cell(cell)
	for _, i := range pieces {
		if done.once(i) {
			pg.pieces[i].bar(f)
		}
	}
}

// bar keeps f clear of the boundary. The types are named so that f stays on the stack.
func (pc *piece) bar(f *freeBox) {
	switch s := pc.shape.(type) {
	case *Polygon:
		s.lines.bar(f)
	case *Tripwire:
		s.lines.bar(f)
	case *Circle:
		if !pc.quick || !pc.barQuick(f) {
			f.barRound(s, f.box, 0)
		}
	case *Corridor:
		f.barRound(s, f.box, 0)
	}
}

// barQuick keeps f clear of a circle. It gives up when the point is too close to the boundary to say on
// which side it is.
func (pc *piece) barQuick(f *freeBox) bool {
	x, y := (f.p[0]-pc.centre[0])*pc.scale.x, (f.p[1]-pc.centre[1])*pc.scale.y
	d := x*x + y*y
	switch {
	case d < pc.in:
		pc.barInside(f, x, y)
	case d > pc.out:
		pc.barOutside(f, x, y)
	default:
		return false
	}
	return true
}

// barInside keeps f within the rectangle inside the circle that holds the point x, y (metres from the centre)
// and is as square as that allows.
func (pc *piece) barInside(f *freeBox, x, y float64) {
	x, y = math.Abs(x), math.Abs(y)
	a := math.Sqrt(pc.in / 2)
	if x > a {
		a = (x + math.Sqrt(pc.in-y*y)) / 2
	} else if y > a {
		b := (y + math.Sqrt(pc.in-x*x)) / 2
		a = math.Sqrt(max(pc.in-b*b, 0))
	}
	b := math.Sqrt(max(pc.in-a*a, 0)) * (1 - 1e-9)
	a *= 1 - 1e-9
	in := box{pc.centre[0] - a/pc.scale.x, pc.centre[1] - b/pc.scale.y, pc.centre[0] + a/pc.scale.x, pc.centre[1] + b/pc.scale.y}
	if in.holds(f.p) {
		f.box = f.box.and(in)
		return
	}
	f.close()
}

// barOutside keeps f clear of the circle's box, or of as much of the circle as the point x, y is beside.
func (pc *piece) barOutside(f *freeBox, x, y float64) {
	r := math.Sqrt(pc.out) * (1 + 1e-9)
	rx, ry := r, r
	if math.Abs(x) <= r && math.Abs(y) <= r { // beside a round corner: cut off at the tangent's corner
		d := math.Sqrt(x*x + y*y)
		rx, ry = math.Abs(x)/d*r, math.Abs(y)/d*r
		pc.barCorner(f, math.Copysign(rx, x), math.Copysign(ry, y))
		return
	}
	f.cut(box{pc.centre[0] - rx/pc.scale.x, pc.centre[1] - ry/pc.scale.y, pc.centre[0] + rx/pc.scale.x, pc.centre[1] + ry/pc.scale.y})
}

// barCorner keeps f beyond both the meridian and the parallel through a point of the circle, given in metres
// from the centre: what is on that side of both is outside.
func (pc *piece) barCorner(f *freeBox, x, y float64) {
	px, py := pc.centre[0]+x/pc.scale.x, pc.centre[1]+y/pc.scale.y
	if x >= 0 {
		f.box.x0 = max(f.box.x0, math.Nextafter(px, 180))
	} else {
		f.box.x1 = min(f.box.x1, math.Nextafter(px, -180))
	}
	if y >= 0 {
		f.box.y0 = max(f.box.y0, math.Nextafter(py, 90))
	} else {
		f.box.y1 = min(f.box.y1, math.Nextafter(py, -90))
	}
}

// members returns the fences of the page without those in leave, both ascending.
func (pg *page) members(leave []Ref) []entry {
	all := make([]entry, 0, len(pg.covers)+len(pg.pieces)+1)
	for _, r := range pg.covers {
		all = append(all, entry{ref: r, covers: true})
	}
	for i := range pg.pieces {
		all = append(all, entry{ref: pg.pieces[i].ref, shape: pg.pieces[i].shape})
	}
	return slices.DeleteFunc(all, func(m entry) bool { return slices.Contains(leave, m.ref) })
}
