package geofence

import "github.com/paulmach/orb"

// grid cuts a box into n by n cells, row after row from the south-west. n is a power of two.
type grid struct {
	box        box
	n          int
	perX, perY float64 // cells per degree
	w, h       float64 // of a cell, degrees
}

// cellSlack in degrees is more than rounding moves a point of a cell into its neighbour.
const cellSlack = 1e-12

func newGrid(b box, n int) grid {
	w, h := (b.x1-b.x0)/float64(n), (b.y1-b.y0)/float64(n)
	return grid{box: b, n: n, perX: 1 / w, perY: 1 / h, w: w, h: h}
}

// column returns the column of a longitude, the nearest one if it is outside.
func (g *grid) column(x float64) int { return clamp((x-g.box.x0)*g.perX, g.n) }

// row returns the row of a latitude, the nearest one if it is outside.
func (g *grid) row(y float64) int { return clamp((y-g.box.y0)*g.perY, g.n) }

func clamp(f float64, n int) int { return int(min(max(f, 0), float64(n-1))) }

// at returns the cell of a point of the box.
func (g *grid) at(p orb.Point) int { return g.row(p[1])*g.n + g.column(p[0]) }

// cell returns the box of a cell, with some slack.
func (g *grid) cell(i int) box { return g.square(i%g.n, i/g.n, 1) }

// square returns the box of size by size cells, with some slack.
func (g *grid) square(column, row, size int) box {
	x, y := g.box.x0+float64(column)*g.w, g.box.y0+float64(row)*g.h
	return box{x, y, x + float64(size)*g.w, y + float64(size)*g.h}.grown(cellSlack, cellSlack)
}

// divide fills out for a square of cells by asking about it and, where the boundary may run, its quarters.
func (g *grid) divide(s Shape, out []relation, column, row, size int) {
	switch r := s.relate(g.square(column, row, size)); {
	case r == apart:
	case r == crosses && size > 1:
		half := size / 2
		g.divide(s, out, column, row, half)
		g.divide(s, out, column+half, row, half)
		g.divide(s, out, column, row+half, half)
		g.divide(s, out, column+half, row+half, half)
	default:
		for j := row; j < row+size; j++ {
			for i := column; i < column+size; i++ {
				out[j*g.n+i] = r
			}
		}
	}
}

// raster marks the cells that edges meet.
func (l *lines) raster(g *grid, out []relation) {
	l.visit(g.box.grown(cellSlack, cellSlack), func(a, b orb.Point) bool {
		e := boxOf(a, b).grown(cellSlack, cellSlack)
		i0, i1, j0, j1 := g.column(e.x0), g.column(e.x1), g.row(e.y0), g.row(e.y1)
		for j := j0; j <= j1; j++ {
			for i := i0; i <= i1; i++ {
				if k := j*g.n + i; out[k] == apart && ((i0 == i1 && j0 == j1) || g.cell(k).meetsSegment(a, b)) {
					out[k] = crosses
				}
			}
		}
		return true
	})
}
