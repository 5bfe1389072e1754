package geofence

import (
	"slices"

	"github.com/paulmach/orb"
)

// region is what rings enclose, by parity: a point is inside when an odd number of edges lies north of it.
// Rings around a pole need no edge there: north says how the count begins.
type region struct {
	*lines
	north bool // the north pole is inside
	seam  bool // there are points at ±180°
}

// newRegion refuses rings that cross, and prepares the others.
func newRegion(rings []*ring, notes *Repairs) (*region, error) {
	r, origins, err := drawRegion(rings, notes)
	if err != nil {
		return nil, err
	}
	check := crossCheck{lines: r.lines, rings: rings, origins: origins}
	return r, check.check()
}

// drawRegion prepares rings that do not cross.
func drawRegion(rings []*ring, notes *Repairs) (*region, []origin, error) {
	r := &region{}
	var d drawing
	wrapped := false
	for i, x := range rings {
		before := len(d.chains)
		turns := d.line(x.pts, int32(i), x.vertices)
		wrapped = wrapped || len(d.chains) > before+1
		if turns%2 != 0 {
			r.takePole(x, notes)
		}
	}
	if wrapped {
		notes.add("edges more than 180° of longitude long are read as crossing the 180° meridian, the short way")
	}
	d.takeSeam()
	d.putSeam()
	if len(d.chains) == 0 {
		return nil, nil, fault(nil, "the areas cancel each other out")
	}
	r.lines = newLines(d.chains)
	b := r.bounds()
	r.seam = b.x0 == -180 || b.x1 == 180
	return r, d.origins, nil
}

// takePole adds a ring that goes round the globe: it encloses the pole it is nearer to.
func (r *region) takePole(x *ring, notes *Repairs) {
	sum := 0.0
	for _, p := range x.pts[1:] {
		sum += p[1]
	}
	pole := "south"
	if sum >= 0 {
		pole = "north"
		r.north = !r.north
	}
	notes.add("%s: goes round the globe and is read as enclosing the %s pole", x.name(), pole)
}

// holds reports whether p is inside or on the boundary.
func (r *region) holds(p orb.Point) bool {
	if r.seam && (p[0] == 180 || p[0] == -180) {
		return r.holdsAt(orb.Point{-180, p[1]}, false) || r.holdsAt(orb.Point{180, p[1]}, true)
	}
	return r.holdsAt(p, false)
}

func (r *region) holdsAt(p orb.Point, west bool) bool {
	odd, on := r.above(p, west)
	return on || odd != r.north
}

// inner returns a point well inside the region, away from corners.
func (r *region) inner() orb.Point {
	widest := r.boxes[0]
	for _, b := range r.boxes[:r.levels[1]] {
		if b.x1-b.x0 > widest.x1-widest.x0 {
			widest = b
		}
	}
	x := widest.centre()[0]
	heights := r.heights(x)
	if len(heights)%2 != 0 {
		pole := -90.0
		if r.north {
			pole = 90
		}
		heights = append(heights, pole)
	}
	slices.Sort(heights)
	best, at := -1.0, 0.0
	for i := 0; i+1 < len(heights); i += 2 {
		if d := heights[i+1] - heights[i]; d > best {
			best, at = d, (heights[i]+heights[i+1])/2
		}
	}
	return orb.Point{x, at}
}

// heights returns the latitudes at which edges cross the meridian x.
func (r *region) heights(x float64) []float64 {
	var ys []float64
	up := ray{p: orb.Point{x, 0}}
	r.visit(box{x, -90, x, 90}, func(a, b orb.Point) bool {
		if up.splits(a, b) {
			ys = append(ys, a[1]+(x-a[0])/(b[0]-a[0])*(b[1]-a[1]))
		}
		return true
	})
	return ys
}

// cover returns boxes that cover the region, two when it lies on both sides of the 180° meridian.
func (r *region) cover() []orb.Bound {
	all := r.bounds()
	if r.poles(&all) {
		return []orb.Bound{all.bound()}
	}
	return r.split(all)
}

// split returns a box for each side of the 180° meridian when there are edges at both.
func (r *region) split(all box) []orb.Bound {
	if !r.seam || all.x0 > -180 || all.x1 < 180 {
		return []orb.Bound{all.bound()}
	}
	// The widest gap in longitude, seen through the lowest boxes, parts the two sides.
	low := slices.Clone(r.boxes[:r.levels[1]])
	slices.SortFunc(low, func(a, b box) int { return sign(a.x0 - b.x0) })
	reach, gap, west := low[0].x1, 0.0, 180.0
	for _, b := range low[1:] {
		if b.x0-reach > gap {
			gap, west = b.x0-reach, reach
		}
		reach = max(reach, b.x1)
	}
	if gap == 0 {
		return []orb.Bound{all.bound()}
	}
	left, right := nowhere(), nowhere()
	for _, b := range low {
		if b.x1 <= west {
			left = left.or(b)
		} else {
			right = right.or(b)
		}
	}
	return []orb.Bound{right.bound(), left.bound()}
}

// poles widens the box of a region around a pole and reports whether there is one.
func (r *region) poles(all *box) bool {
	north := r.north
	south, _ := r.above(orb.Point{0, -90}, false)
	south = south != r.north
	if all.y0 <= -90 {
		south = false
	}
	if north {
		all.y1 = 90
	}
	if south {
		all.y0 = -90
	}
	if north || south {
		all.x0, all.x1 = -180, 180
	}
	return north || south
}
