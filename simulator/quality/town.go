package quality

import (
	"math"
	"math/rand/v2"
)

// town is a grid of streets, none of them quite straight, with places where a vehicle of its own stops again and
// again.
type town struct {
	rng    *rand.Rand
	nodes  [townSide][townSide]Point
	places []place
}

// townSide is how many streets a town has each way.
const townSide = 14

// place is where a vehicle stops: off the street, at a corner of the grid.
type place struct {
	row, col int
	yard     Point
}

// newTown lays out streets 120 to 380 m apart and n places.
func newTown(rng *rand.Rand, n int) *town {
	t := &town{rng: rng}
	var xs, ys [townSide]float64
	for i := 1; i < townSide; i++ {
		xs[i] = xs[i-1] + 120 + rng.Float64()*260
		ys[i] = ys[i-1] + 120 + rng.Float64()*260
	}
	for r := range townSide {
		for c := range townSide {
			t.nodes[r][c] = Point{xs[c] + rng.NormFloat64()*18, ys[r] + rng.NormFloat64()*18}
		}
	}
	for range n {
		r, c := rng.IntN(townSide), rng.IntN(townSide)
		yard := t.nodes[r][c].add(polar(20+rng.Float64()*45, rng.Float64()*360))
		t.places = append(t.places, place{r, c, yard})
	}
	return t
}

// way returns the corners of a way from one place to another: along the grid, with a turn wherever it likes.
func (t *town) way(from, to place) []Point {
	way := []Point{from.yard, t.nodes[from.row][from.col]}
	r, c := from.row, from.col
	for r != to.row || c != to.col {
		if c == to.col || r != to.row && t.rng.Float64() < 0.35 {
			r += sign(to.row - r)
		} else {
			c += sign(to.col - c)
		}
		way = append(way, t.nodes[r][c])
	}
	return append(way, to.yard)
}

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}

// smooth returns way with its corners rounded and its streets slightly bent, a point every few metres.
func (t *town) smooth(way []Point) []Point {
	var line []Point
	for i := 0; i+1 < len(way); i++ {
		a, b := way[i], way[i+1]
		d := b.sub(a)
		normal := Point{-d.Y, d.X}.times(1 / max(d.length(), 1e-9))
		bow := t.rng.NormFloat64() * d.length() * 0.03
		n := max(int(d.length()/4), 1)
		for k := range n {
			f := float64(k) / float64(n)
			line = append(line, mix(a, b, f).add(normal.times(bow*math.Sin(math.Pi*f)*math.Sin(math.Pi*f))))
		}
	}
	line = append(line, way[len(way)-1])
	for range 6 { // corners of about 10 m
		next := append([]Point{}, line...)
		for i := 1; i+1 < len(line); i++ {
			next[i] = line[i-1].add(line[i+1]).times(0.25).add(line[i].times(0.5))
		}
		line = next
	}
	return line
}

// travel drives along line with a driver's speeds and returns once it stands at its end. lights are where the
// vehicle has to wait, as metres along the line.
func (p *path) travel(rng *rand.Rand, line []Point, cruise float64) {
	at, limit := lengths(line), limits(line, cruise)
	for i := range limit {
		if i > 0 && i+1 < len(limit) && rng.Float64() < 0.004 {
			limit[i] = 0 // a light, or somebody who crosses the street
		}
	}
	limit[len(limit)-1] = 0
	for i := len(limit) - 2; i >= 0; i-- { // brake in time
		limit[i] = min(limit[i], math.Sqrt(limit[i+1]*limit[i+1]+2*1.8*(at[i+1]-at[i])))
	}
	end, s, v, k := at[len(at)-1], 0.0, 0.0, 0
	for s < end-0.5 {
		for k+1 < len(at) && at[k+1] <= s {
			k++
		}
		bound := limit[min(k+1, len(limit)-1)]
		if bound == 0 && k+2 < len(limit) && at[k+1]-s < 3 {
			for range 5 + rng.IntN(50) {
				p.put(line, at, k, s, 0)
			}
			limit[k+1], v = cruise, 0
			continue
		}
		v = max(min(v+1.5, bound), 0.8)
		s = min(s+v, end)
		p.put(line, at, k, s, v)
	}
}

// put notes a second at s metres of line.
func (p *path) put(line []Point, at []float64, k int, s, v float64) {
	for k+1 < len(at)-1 && at[k+1] <= s {
		k++
	}
	d := line[k+1].sub(line[k])
	f := (s - at[k]) / max(at[k+1]-at[k], 1e-9)
	p.at = append(p.at, mix(line[k], line[k+1], min(max(f, 0), 1)))
	p.speed = append(p.speed, v)
	p.course = append(p.course, math.Mod(math.Atan2(d.X, d.Y)*180/math.Pi+360, 360))
}

// lengths returns how far along line each of its points lies.
func lengths(line []Point) []float64 {
	at := make([]float64, len(line))
	for i := 1; i < len(line); i++ {
		at[i] = at[i-1] + max(line[i].distance(line[i-1]), 1e-6)
	}
	return at
}

// limits returns how fast a driver goes at each point of line: a fifth of g across in bends.
func limits(line []Point, cruise float64) []float64 {
	v := make([]float64, len(line))
	for i := range v {
		v[i] = cruise
		if i < 2 || i+2 >= len(line) {
			continue
		}
		a, b := line[i].sub(line[i-2]), line[i+2].sub(line[i])
		turn := math.Abs(math.Atan2(a.X*b.Y-a.Y*b.X, a.X*b.X+a.Y*b.Y))
		if turn > 1e-3 {
			v[i] = min(cruise, max(2.5, math.Sqrt(2*(a.length()+b.length())/2/turn)))
		}
	}
	return v
}

// stand stays in place for so many seconds.
func (p *path) stand(seconds int) {
	n := len(p.at) - 1
	if seconds >= 120 {
		p.stops = append(p.stops, stop{len(p.at), len(p.at) + seconds})
	}
	for range seconds {
		p.at = append(p.at, p.at[n])
		p.speed = append(p.speed, 0)
		p.course = append(p.course, p.course[n])
	}
}
