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
// through it, with the edges of polygons there. A page that is not a tile is a part of one large fence.
type page struct {
	box      box
	tile     bool
	covers   []Ref       // the fences that cover the whole box, ascending
	grid     grid        // zero if there are no pieces
	starts   []uint32    // for each cell where it begins in covering and in cells; and the ends
	covering []Ref       // the fences that cover a cell, cell after cell
	cells    []cellPiece // the fences with a boundary in a cell, cell after cell
	spots    []spot      // the edges of cells
	pieces   []piece     // the fences with a boundary in the box, ascending
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
		pg.grid = newGrid(b, gridSize(pg.pieces, tile, b))
		pg.fill()
	}
	return pg
}

// gridSize returns how fine a grid is worth its memory: about three boundaries and 30 edges in a cell.
func gridSize(pieces []piece, tile bool, b box) int {
	if !tile {
		return 1
	}
	edges := 0
	for i := range pieces {
		if p, ok := pieces[i].shape.(*Polygon); ok {
			edges += p.lines.count(b)
		}
	}
	size := 1
	for size < 32 && (size*2 < len(pieces) || size < 16 && size*24*len(pieces) < edges) {
		size *= 2
	}
	return size
}

// mostEdges is how many edges of one polygon a cell lists; where there are more, the polygon's own tree is
// quicker.
const mostEdges = 128

// fill writes the lists of the cells.
func (pg *page) fill() {
	cells := pg.grid.n * pg.grid.n
	all := make([]relation, cells*len(pg.pieces))
	rasters := make([]raster, len(pg.pieces))
	for i := range pg.pieces {
		rasters[i] = raster{grid: &pg.grid, out: all[i*cells : (i+1)*cells]}
		pg.pieces[i].shape.raster(&rasters[i])
	}
	pg.reserve(all, rasters)
	for c := range cells {
		pg.starts = append(pg.starts, uint32(len(pg.covering)), uint32(len(pg.cells)))
		for i := range rasters {
			switch rasters[i].out[c] {
			case covers:
				pg.covering = append(pg.covering, pg.pieces[i].ref)
			case crosses:
				pg.addCell(&rasters[i], i, c)
			}
		}
	}
	pg.starts = append(pg.starts, uint32(len(pg.covering)), uint32(len(pg.cells)))
}

// reserve makes room for what fill appends.
func (pg *page) reserve(all []relation, rasters []raster) {
	var count [3]int
	for _, r := range all {
		count[r]++
	}
	spots := 0
	if pg.tile {
		for i := range rasters {
			if _, ok := pg.pieces[i].shape.(*Polygon); ok {
				spots += len(rasters[i].hits) + count[crosses]/8
			}
		}
	}
	pg.starts = make([]uint32, 0, 2*(pg.grid.n*pg.grid.n+1))
	pg.covering, pg.cells = make([]Ref, 0, count[covers]), make([]cellPiece, 0, count[crosses])
	pg.spots = make([]spot, 0, spots)
}

// addCell appends what there is of a piece in a cell.
func (pg *page) addCell(r *raster, i, cell int) {
	cp := cellPiece{ref: pg.pieces[i].ref, piece: uint32(i), first: uint32(len(pg.spots))}
	cp.last = cp.first
	n := 0
	for n < len(r.hits) && r.hits[n].cell() == cell {
		n++
	}
	hits := r.hits[:n]
	r.hits = r.hits[n:]
	if p, ok := pg.pieces[i].shape.(*Polygon); ok && pg.tile && len(hits) <= mostEdges {
		pg.addSpots(r, hits)
		cp.last = uint32(len(pg.spots))
		if !cp.know(pg.spots, &pg.box, r.cell(cell), p) {
			pg.spots, cp.last = pg.spots[:cp.first], cp.first
		}
	}
	pg.cells = append(pg.cells, cp)
}

// addSpots appends the edges of hits as runs.
func (pg *page) addSpots(r *raster, hits []hit) {
	first := len(pg.spots)
	for _, h := range hits {
		a, b := spotAt(&pg.box, r.edges[2*h.edge()]), spotAt(&pg.box, r.edges[2*h.edge()+1])
		if n := len(pg.spots); n == first {
			pg.spots = append(pg.spots, a)
		} else if pg.spots[n-1] != a {
			pg.spots = append(pg.spots, lift, a)
		}
		pg.spots = append(pg.spots, b)
	}
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
	return pc.shape.Contains(p)
}

// passed decides whether the way from a to b has a point in a circle.
func (pc *piece) passed(a, b orb.Point) decided {
	if !pc.quick {
		return doubtful
	}
	switch d2, _ := pc.scale.toEdge(pc.centre, a, b); {
	case d2 < pc.in:
		return yes
	case d2 > pc.out:
		return no
	}
	return doubtful
}

// cell returns the fences that cover a cell and those with a boundary in it.
func (pg *page) cell(i int) ([]Ref, []cellPiece) {
	s := pg.starts[2*i : 2*i+4 : 2*i+4]
	return pg.covering[s[0]:s[2]], pg.cells[s[1]:s[3]]
}

// containing appends the fences around p.
func (pg *page) containing(dst []Ref, p orb.Point) []Ref {
	dst = append(dst, pg.covers...)
	if len(pg.pieces) == 0 {
		return dst
	}
	covering, pieces := pg.cell(pg.grid.at(p))
	dst = append(dst, covering...)
	s := spotAt(&pg.box, p)
	for i := range pieces {
		if cp := &pieces[i]; pg.holds(cp, p, s) {
			dst = append(dst, cp.ref)
		}
	}
	return dst
}

// holds reports whether p, at spot s, is in the fence.
func (pg *page) holds(cp *cellPiece, p orb.Point, s spot) bool {
	if cp.first < cp.last {
		if d := cp.holds(pg.spots, s); d != doubtful {
			return d == yes
		}
	}
	return pg.pieces[cp.piece].holds(p)
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
	one := i0 == i1 && j0 == j1
	home := -1
	if pg.box.holds(w.a) {
		home = g.at(w.a)
	}
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			k := j*g.n + i
			switch covering, pieces := pg.cell(k); {
			case len(covering)+len(pieces) == 0 || !one && !w.meets(g.cell(k)):
			case w.wide || w.long:
				dst = candidates(dst, covering, pieces)
			default:
				dst = pg.alongCell(dst, w, covering, pieces, k == home)
			}
		}
	}
	return dst
}

// alongCell appends the candidates along a way through a cell. home says that the way begins there.
func (pg *page) alongCell(dst []Ref, w *way, covering []Ref, pieces []cellPiece, home bool) []Ref {
	for _, r := range covering {
		dst = append(dst, r<<1)
	}
	s, t := spotAt(&pg.box, w.a), spotAt(&pg.box, w.b)
	for i := range pieces {
		switch cp := &pieces[i]; pg.passed(cp, w, s, t, home) {
		case yes:
			dst = append(dst, cp.ref<<1)
		case doubtful:
			dst = append(dst, cp.ref<<1|unconfirmed)
		}
	}
	return dst
}

// passed decides whether a way has a point in a fence, as far as a cell shows it: whether it begins inside, if
// it begins in the cell, or meets the boundary in the cell.
func (pg *page) passed(cp *cellPiece, w *way, s, t spot, home bool) decided {
	if cp.first == cp.last {
		return pg.pieces[cp.piece].passed(w.a, w.b)
	}
	if d := cp.crossed(pg.spots, s, t); d != no || !home {
		return d
	}
	return cp.holds(pg.spots, s)
}

func candidates(dst []Ref, covering []Ref, pieces []cellPiece) []Ref {
	for _, r := range covering {
		dst = append(dst, r<<1|unconfirmed)
	}
	for i := range pieces {
		dst = append(dst, pieces[i].ref<<1|unconfirmed)
	}
	return dst
}

// bar keeps f clear of the boundaries in a tile that holds its point, and within the tile. It begins with the
// cell of the point, and goes on over cells without boundaries as long as whole sides of the box can move.
func (pg *page) bar(f *freeBox) {
	reach := f.box.and(pg.box)
	f.box = reach
	if len(pg.pieces) == 0 {
		return
	}
	g := &pg.grid
	i, j := g.column(f.p[0]), g.row(f.p[1])
	cell := g.square(i, j, 1).and(reach)
	if !cell.holds(f.p) {
		f.close() // rounding put it beside the cell it is in
		return
	}
	f.box = cell
	_, pieces := pg.cell(j*g.n + i)
	for k := range pieces {
		pg.barPiece(f, &pieces[k])
	}
	if !f.closed() {
		s := spread{pg: pg, cell: cell, i0: i, i1: i, j0: j, j1: j}
		for s.grow(&f.box, reach) {
			continue
		}
	}
}

// barPiece keeps f clear of a fence's boundary in a cell.
func (pg *page) barPiece(f *freeBox, cp *cellPiece) {
	if cp.first < cp.last {
		cp.bar(f, pg.spots, &pg.box)
	} else {
		pg.pieces[cp.piece].bar(f)
	}
}

// spread is a rectangle of cells of which all but the first are without boundaries.
type spread struct {
	pg             *page
	cell           box // the first cell
	i0, i1, j0, j1 int
}

// grow moves those sides of b out by a cell that reach the side of the rectangle, if the cells there are
// free; false if none can move.
func (s *spread) grow(b *box, reach box) (grown bool) {
	g := &s.pg.grid
	if b.x1 >= s.cell.x1 && s.i1+1 < g.n && b.x1 < reach.x1 && s.free(s.i1+1, s.i1+1, s.j0, s.j1) {
		s.i1++
		b.x1, grown = min(g.edgeX(s.i1+1), reach.x1), true
	}
	if b.x0 <= s.cell.x0 && s.i0 > 0 && b.x0 > reach.x0 && s.free(s.i0-1, s.i0-1, s.j0, s.j1) {
		s.i0--
		b.x0, grown = max(g.edgeX(s.i0), reach.x0), true
	}
	if b.y1 >= s.cell.y1 && s.j1+1 < g.n && b.y1 < reach.y1 && s.free(s.i0, s.i1, s.j1+1, s.j1+1) {
		s.j1++
		b.y1, grown = min(g.edgeY(s.j1+1), reach.y1), true
	}
	if b.y0 <= s.cell.y0 && s.j0 > 0 && b.y0 > reach.y0 && s.free(s.i0, s.i1, s.j0-1, s.j0-1) {
		s.j0--
		b.y0, grown = max(g.edgeY(s.j0), reach.y0), true
	}
	return grown
}

// free reports whether no boundary runs through a range of cells.
func (s *spread) free(i0, i1, j0, j1 int) bool {
	for j := j0; j <= j1; j++ {
		for k := j*s.pg.grid.n + i0; k <= j*s.pg.grid.n+i1; k++ {
			if s.pg.starts[2*k+1] != s.pg.starts[2*k+3] {
				return false
			}
		}
	}
	return true
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
