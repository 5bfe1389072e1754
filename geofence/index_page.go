package geofence

import (
	"math"
	"math/bits"
	"slices"

	"github.com/paulmach/orb"
)

// page is what hangs in the leaves of the R-tree: a box and everything about the fences in it. It is
// immutable.
//
// Most pages are tiles, cut into n by n cells, row after row from the south-west: the list of a cell has the
// fences that cover it, and those whose boundary runs through it, with the edges of polygons there. A page
// that is not a tile is a part of one large fence.
type page struct {
	// A vehicle that leaves its box asks for these first: they are one line of the processor's memory.
	box box
	ink ink // the boundaries, unless n is 0

	n      int      // cells in a row; 0 for none, if there are no pieces or it is no tile
	starts []uint32 // for each cell where its list begins; and the end of the last
	lists  []spot   // see [cellKind]
	shift  uint8    // a cell of a tile is 1<<shift units wide and high
	tile   bool

	covers []Ref   // the fences that cover the whole box, ascending
	pieces []piece // the fences with a boundary in the box; those without a shape are gaps
	edges  int     // of polygons in a tile, about
	gaps   int     // in pieces
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
	if n > 0 && tile {
		for i := range pg.pieces {
			pg.edges += edgesIn(pg.pieces[i].shape, b)
		}
		pg.n = gridSize(len(pg.pieces), pg.edges)
		pg.shift = uint8(bits.TrailingZeros(cellUnits / uint(pg.n)))
		pg.fill()
	}
	return pg
}

// edgesIn returns about how many edges a polygon has in a box.
func edgesIn(s Shape, b box) int {
	if p, ok := s.(*Polygon); ok {
		return p.lines.count(b)
	}
	return 0
}

// gridSize returns how fine a grid is worth its memory: about three boundaries and 30 edges in a cell.
func gridSize(pieces, edges int) int {
	size := 1
	for size < mostCells && (size*2 < pieces || size*24*pieces < edges) {
		size *= 2
	}
	return size
}

// mostCells is the most cells in a row of a tile.
const mostCells = 32

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

// cell returns the list of a cell.
func (pg *page) cell(k int) []spot { return pg.lists[pg.starts[k]:pg.starts[k+1]] }

// cellOf returns the cell of a spot of the tile.
func (pg *page) cellOf(s spot) int {
	last := pg.n - 1
	return min(int(s.y>>pg.shift), last)*pg.n + min(int(s.x>>pg.shift), last)
}

// cellsBetween returns the columns and rows of the rectangle of cells with two of them in its corners.
func (pg *page) cellsBetween(k, l int) (i0, i1, j0, j1 int) {
	i0, i1, j0, j1 = k%pg.n, l%pg.n, k/pg.n, l/pg.n
	return min(i0, i1), max(i0, i1), min(j0, j1), max(j0, j1)
}

// containing appends the fences around p.
func (pg *page) containing(dst []Ref, p orb.Point) []Ref {
	dst = append(dst, pg.covers...)
	if pg.n == 0 {
		for i := range pg.pieces {
			if pg.pieces[i].holds(p) {
				dst = append(dst, pg.pieces[i].ref)
			}
		}
		return dst
	}
	s := spotAt(&pg.box, p)
	covering, pairs, n, list := readCell(pg.cell(pg.cellOf(s)))
	dst = appendPairs(dst, covering, pairs, 0, 0)
	var cf cellFence
	for range n {
		list = cf.read(list)
		if d := cf.holds(s); d == yes || d == doubtful && pg.pieces[cf.piece].holds(p) {
			dst = append(dst, cf.ref)
		}
	}
	return dst
}

// appendPairs appends the n refs in pairs, each shifted left and with a mark.
func appendPairs(dst []Ref, n int, pairs []spot, shift int, mark Ref) []Ref {
	for i := range n / 2 {
		dst = append(dst, Ref(pairs[i].x)<<shift|mark, Ref(pairs[i].y)<<shift|mark)
	}
	if n%2 != 0 {
		dst = append(dst, Ref(pairs[n/2].x)<<shift|mark)
	}
	return dst
}

// along appends the candidates along a way that meets the page.
func (pg *page) along(dst []Ref, w *way) []Ref {
	sure := Ref(0)
	if w.wide {
		sure = unconfirmed | met // the page is near, its fences may not be
	}
	for _, r := range pg.covers {
		dst = append(dst, r<<marks|sure)
	}
	if pg.n == 0 {
		return pg.alongPieces(dst, w)
	}
	perDegree, last := float64(pg.n)/tileSize, pg.n
	b := w.box.grown(cellSlack, cellSlack)
	i0, i1 := clamp((b.x0-pg.box.x0)*perDegree, last), clamp((b.x1-pg.box.x0)*perDegree, last)
	j0, j1 := clamp((b.y0-pg.box.y0)*perDegree, last), clamp((b.y1-pg.box.y0)*perDegree, last)
	one := i0 == i1 && j0 == j1
	if w.wide || w.long {
		for j := j0; j <= j1; j++ {
			for i := i0; i <= i1; i++ {
				if one || w.meets(pg.cellBox(i, j)) {
					dst = candidates(dst, pg.cell(j*pg.n+i))
				}
			}
		}
		return dst
	}
	home := -1
	if pg.box.holds(w.a) {
		home = pg.cellOf(spotAt(&pg.box, w.a))
	}
	s, t := spotAt(&pg.box, w.a), spotAt(&pg.box, w.b)
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			if one || w.meets(pg.cellBox(i, j)) {
				dst = pg.alongCell(dst, s, t, j*pg.n+i, home)
			}
		}
	}
	return dst
}

// alongWithin appends the candidates along a way whose ends are both in the tile, and that is neither wide nor long.
func (pg *page) alongWithin(dst []Ref, w *way) []Ref {
	for _, r := range pg.covers {
		dst = append(dst, r<<marks)
	}
	if pg.n == 0 {
		return dst
	}
	s, t := spotAt(&pg.box, w.a), spotAt(&pg.box, w.b)
	home := pg.cellOf(s)
	i0, i1, j0, j1 := pg.cellsBetween(home, pg.cellOf(t))
	one := i0 == i1 || j0 == j1
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			if one || w.meets(pg.cellBox(i, j)) {
				dst = pg.alongCell(dst, s, t, j*pg.n+i, home)
			}
		}
	}
	return dst
}

// cellBox returns the box of a cell, with some slack.
func (pg *page) cellBox(i, j int) box {
	size := float64(int32(1)<<pg.shift) * perUnit
	x, y := pg.box.x0+float64(i)*size, pg.box.y0+float64(j)*size
	return box{x, y, x + size, y + size}.grown(cellSlack, cellSlack)
}

// alongPieces appends the candidates of a part of a large fence.
func (pg *page) alongPieces(dst []Ref, w *way) []Ref {
	for i := range pg.pieces {
		pc := &pg.pieces[i]
		d := doubtful
		if !w.wide && !w.long {
			d = pc.passed(w.a, w.b)
		}
		dst = appendDecided(dst, pc.ref, d, met)
	}
	return dst
}

// alongCell appends the candidates along a way from s to t through cell k. The way begins in the cell home.
func (pg *page) alongCell(dst []Ref, s, t spot, k, home int) []Ref {
	covering, pairs, n, list := readCell(pg.cell(k))
	dst = appendPairs(dst, covering, pairs, marks, 0)
	var cf cellFence
	for range n {
		list = cf.read(list)
		d, at := cf.passed(s, t, k == home)
		dst = appendDecided(dst, cf.ref, d, at)
	}
	return dst
}

// appendDecided appends a candidate unless it is none.
func appendDecided(dst []Ref, r Ref, d decided, mark candidate) []Ref {
	switch d {
	case yes:
		return append(dst, r<<marks|mark)
	case doubtful:
		return append(dst, r<<marks|unconfirmed|met)
	}
	return dst
}

// passed decides whether a way has a point in a fence, as far as a cell shows it: whether it meets the boundary in the
// cell, and then it says so, or begins inside, if that shows.
func (cf *cellFence) passed(s, t spot, home bool) (decided, candidate) {
	if d := cf.meets(s, t); d != no {
		return d, met
	}
	if cf.kind == edged && !home {
		return no, 0
	}
	return cf.holds(s), 0
}

// candidates appends all fences of a cell, to be confirmed.
func candidates(dst []Ref, list []spot) []Ref {
	covering, pairs, n, list := readCell(list)
	dst = appendPairs(dst, covering, pairs, marks, unconfirmed|met)
	var cf cellFence
	for range n {
		list = cf.read(list)
		dst = append(dst, cf.ref<<marks|unconfirmed|met)
	}
	return dst
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
		if pg.pieces[i].shape != nil {
			all = append(all, entry{ref: pg.pieces[i].ref, shape: pg.pieces[i].shape})
		}
	}
	return slices.DeleteFunc(all, func(m entry) bool { return slices.Contains(leave, m.ref) })
}
