package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// mostEdges is how many edges of one polygon a cell lists; where there are more, the polygon's own tree is
// quicker.
const mostEdges = 300

// fill writes the lists of the cells.
func (pg *page) fill() {
	g := newGrid(pg.box, pg.n)
	cells := pg.n * pg.n
	all := make([]relation, cells*len(pg.pieces))
	rasters := make([]raster, len(pg.pieces))
	for i := range pg.pieces {
		rasters[i] = raster{grid: &g, out: all[i*cells : (i+1)*cells]}
		pg.pieces[i].shape.raster(&rasters[i])
	}
	pg.starts = make([]uint32, 0, cells+1)
	pg.lists = make([]spot, 0, room(all, rasters))
	for c := range cells {
		pg.starts = append(pg.starts, uint32(len(pg.lists)))
		w := pg.beginCell(c)
		for i := range rasters {
			if rasters[i].out[c] == covers {
				w.cover(pg.pieces[i].ref)
			}
		}
		for i := range rasters {
			if rasters[i].out[c] == crosses {
				w.bound(&rasters[i], i)
			}
		}
		w.end()
	}
	pg.starts = append(pg.starts, uint32(len(pg.lists)))
	pg.ink = newInk(pg.n)
	for c := range cells {
		pg.ink.draw(pg, c)
	}
}

// cellWriter appends the list of a cell: first the fences that cover it, then those with a boundary in it.
type cellWriter struct {
	pg                   *page
	cell, head           int
	covering, boundaries int
	changed              bool // its boundaries are not those of the list it was copied from
}

func (pg *page) beginCell(c int) cellWriter {
	w := cellWriter{pg: pg, cell: c, head: len(pg.lists)}
	pg.lists = append(pg.lists, spot{})
	return w
}

// cover adds a fence that covers the cell.
func (w *cellWriter) cover(r Ref) {
	if w.covering++; w.covering%2 == 1 {
		w.pg.lists = append(w.pg.lists, spot{x: int32(r)})
	} else {
		w.pg.lists[len(w.pg.lists)-1].y = int32(r)
	}
}

// end completes the list: it is empty if no fence has to do with the cell.
func (w *cellWriter) end() {
	pg := w.pg
	if w.covering+w.boundaries == 0 {
		pg.lists = pg.lists[:w.head]
		return
	}
	pg.lists[w.head] = spot{int32(w.covering), int32(w.boundaries)}
}

// room returns about how much the lists of a page take.
func room(all []relation, rasters []raster) int {
	var count [3]int
	for _, r := range all {
		count[r]++
	}
	n := count[covers]*5/8 + count[crosses]*4
	for i := range rasters {
		n += len(rasters[i].hits) * 9 / 8
	}
	return n
}

// bound adds what there is of a piece's boundary in the cell.
func (w *cellWriter) bound(r *raster, i int) {
	w.boundaries++
	pg, cell := w.pg, w.cell
	pc := &pg.pieces[i]
	n := 0
	for n < len(r.hits) && r.hits[n].cell() == cell {
		n++
	}
	hits := r.hits[:n]
	r.hits = r.hits[n:]
	head := len(pg.lists)
	kind := asked
	pg.lists = append(pg.lists, spot{})
	if d, ok := discOf(pc, &pg.box); ok {
		kind = round
		pg.lists = append(pg.lists, d.centre, spot{bitsOf(d.squash), bitsOf(d.in)}, spot{x: bitsOf(d.out)})
	} else if p, ok := pc.shape.(*Polygon); ok && n <= mostEdges && pg.listEdges(r, hits, cell, p) {
		kind = edged
	}
	pg.lists[head] = spot{int32(pc.ref), int32(uint32(i)<<2 | uint32(kind))}
}

func bitsOf(f float64) int32 { return int32(math.Float32bits(float32(f))) }

// listEdges appends the edges of a polygon in a cell; false and nothing if no spot of the cell is clear of them.
func (pg *page) listEdges(r *raster, hits []hit, cell int, p *Polygon) bool {
	head := len(pg.lists)
	pg.lists = append(pg.lists, spot{}, spot{})
	for i, h := range hits {
		a, b := spotAt(&pg.box, r.edges[2*h.edge()]), spotAt(&pg.box, r.edges[2*h.edge()+1])
		if i == 0 {
			pg.lists = append(pg.lists, a)
		} else if pg.lists[len(pg.lists)-1] != a {
			pg.lists = append(pg.lists, lift, a)
		}
		pg.lists = append(pg.lists, b)
	}
	pts := pg.lists[head+2:]
	known, ok := clearSpot(pts, &pg.box, r.cell(cell))
	if !ok {
		pg.lists = pg.lists[:head]
		return false
	}
	inside := int32(0)
	if p.Contains(known.point(&pg.box)) {
		inside = 1
	}
	pg.lists[head], pg.lists[head+1] = spot{int32(len(pts)), inside}, known
	return true
}

// clearSpot finds a spot in the cell that is clear of all its edges.
func clearSpot(pts []spot, tile *box, cell box) (known spot, ok bool) {
	const tries = 12
	for i := range tries {
		// Points of a low-discrepancy sequence, the centre first.
		u := math.Mod(0.5+float64(i)*0.7548776662466927, 1)
		v := math.Mod(0.5+float64(i)*0.5698402909980532, 1)
		p := orb.Point{cell.x0 + (0.05+0.9*u)*(cell.x1-cell.x0), cell.y0 + (0.05+0.9*v)*(cell.y1-cell.y0)}
		if known = spotAt(tile, p); isClear(pts, known) {
			return known, true
		}
	}
	return known, false
}

// isClear reports whether a spot is clear of all lines through edges.
func isClear(pts []spot, s spot) bool {
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		if a != lift && b != lift && close32(turn32(a, b, s), a, b) {
			return false
		}
	}
	return true
}
