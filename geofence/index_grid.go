package geofence

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

// cell returns the box of a cell, with some slack.
func (g *grid) cell(i int) box { return g.square(i%g.n, i/g.n, 1) }

// square returns the box of size by size cells, with some slack.
func (g *grid) square(column, row, size int) box {
	x, y := g.box.x0+float64(column)*g.w, g.box.y0+float64(row)*g.h
	return box{x, y, x + float64(size)*g.w, y + float64(size)*g.h}.grown(cellSlack, cellSlack)
}
