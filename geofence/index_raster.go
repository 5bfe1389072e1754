package geofence

import (
	"slices"

	"github.com/paulmach/orb"
)

// raster is how one shape lies to the cells of a grid.
type raster struct {
	*grid
	out   []relation  // for each cell
	edges []orb.Point // of a polygon in the grid's box: pairs of ends
	hits  []hit       // which edge meets which cell
}

// hit is an edge that meets a cell, in one number that sorts by cell and then by edge.
type hit uint64

func newHit(cell, edge int) hit { return hit(cell)<<32 | hit(edge) }

func (h hit) cell() int { return int(h >> 32) }

func (h hit) edge() int { return int(h & 0xffff_ffff) }

// divide fills out for a square of cells by asking about it and, where the boundary may run, its quarters.
func (r *raster) divide(s Shape, column, row, size int) {
	switch rel := s.relate(r.square(column, row, size)); {
	case rel == apart:
	case rel == crosses && size > 1:
		half := size / 2
		r.divide(s, column, row, half)
		r.divide(s, column+half, row, half)
		r.divide(s, column, row+half, half)
		r.divide(s, column+half, row+half, half)
	default:
		for j := row; j < row+size; j++ {
			for i := column; i < column+size; i++ {
				r.out[j*r.n+i] = rel
			}
		}
	}
}

// draw marks the cells that edges meet, and notes the edges.
func (r *raster) draw(l *lines) {
	n := l.count(r.box)
	r.edges, r.hits = make([]orb.Point, 0, 2*n), make([]hit, 0, 2*n)
	l.visit(r.box.grown(cellSlack, cellSlack), func(a, b orb.Point) bool {
		r.drawEdge(a, b)
		return true
	})
	slices.Sort(r.hits)
}

func (r *raster) drawEdge(a, b orb.Point) {
	e := boxOf(a, b).grown(cellSlack, cellSlack)
	i0, i1, j0, j1 := r.column(e.x0), r.column(e.x1), r.row(e.y0), r.row(e.y1)
	edge, one, met := len(r.edges)/2, i0 == i1 && j0 == j1, false
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			k := j*r.n + i
			if !one && !r.cell(k).meetsSegment(a, b) {
				continue
			}
			r.out[k], met = crosses, true
			r.hits = append(r.hits, newHit(k, edge))
		}
	}
	if met {
		r.edges = append(r.edges, a, b)
	}
}

// flood completes a polygon's cells without edges by asking about one cell of each run of them: cells that
// share a side with no edge on it are on the same side of the boundary.
func (r *raster) flood(holds func(orb.Point) bool) {
	for i := range r.out {
		switch left, below := i-1, i-r.n; {
		case r.out[i] == crosses:
		case i%r.n > 0 && r.out[left] != crosses:
			r.out[i] = r.out[left]
		case below >= 0 && r.out[below] != crosses:
			r.out[i] = r.out[below]
		case holds(r.cell(i).centre()):
			r.out[i] = covers
		}
	}
}
