package geofence

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// drawing collects the edges of a shape as chains within ±180°, and remembers where each came from.
type drawing struct {
	chains  [][]orb.Point
	origins []origin // of the edge that begins at each point of the chains
	seam    []seamEdge
	lifted  bool // the next edge begins a chain of its own
}

// origin says which vertex of which ring an edge began with.
type origin struct{ ring, vertex int32 }

// seamEdge is an edge along the 180° meridian, seen from the east (-180) or the west (180).
type seamEdge struct{ x, y0, y1 float64 }

// edge adds an edge that stays within ±180°.
func (d *drawing) edge(a, b orb.Point, from origin) {
	if a == b {
		return
	}
	n := len(d.chains)
	if n == 0 || d.lifted || d.chains[n-1][len(d.chains[n-1])-1] != a {
		d.lifted = false
		d.chains = append(d.chains, []orb.Point{a})
		d.origins = append(d.origins, from)
		n++
	}
	d.origins[len(d.origins)-1] = from
	d.chains[n-1] = append(d.chains[n-1], b)
	d.origins = append(d.origins, from)
}

// line adds the edges of a line, cut where they go across the 180° meridian. It returns how often the line
// goes round the globe: 1 eastward, -1 westward.
func (d *drawing) line(pts []orb.Point, ring int32, vertices []int32) (turns int) {
	d.lifted = true // rings that touch stay apart
	for i, b := range pts[1:] {
		a, from := pts[i], origin{ring, vertices[i]}
		switch wraps(a, b) {
		case 0:
			d.edge(a, b, from)
		case 1:
			turns++
			c := seamCut(a, b)
			d.edge(a, orb.Point{180, c}, from)
			d.edge(orb.Point{-180, c}, b, from)
		case -1:
			turns--
			c := seamCut(b, a)
			d.edge(a, orb.Point{-180, c}, from)
			d.edge(orb.Point{180, c}, b, from)
		}
	}
	return turns
}

// wraps returns 1 when the short way from a to b goes east across the 180° meridian, -1 west, 0 neither.
// From one side of the meridian to the other at ±180° itself is the long way round: a belt.
func wraps(a, b orb.Point) int {
	switch d := b[0] - a[0]; {
	case d > 180 && d < 360:
		return -1
	case d < -180 && d > -360:
		return 1
	}
	return 0
}

// seamCut returns the latitude at which the edge from a eastward to b meets the 180° meridian.
func seamCut(a, b orb.Point) float64 {
	before, after := 180-a[0], b[0]+180
	return a[1] + before/(before+after)*(b[1]-a[1])
}

// takeSeam removes the edges along the 180° meridian from the chains into d.seam.
func (d *drawing) takeSeam() {
	old, from := d.chains, d.origins
	d.chains, d.origins = nil, nil
	k := 0
	for _, c := range old {
		for i, b := range c[1:] {
			a := c[i]
			if a[0] == b[0] && (a[0] == 180 || a[0] == -180) {
				d.seam = append(d.seam, seamEdge{a[0], min(a[1], b[1]), max(a[1], b[1])})
				continue
			}
			d.edge(a, b, from[k+i])
		}
		k += len(c)
	}
}

// putSeam draws those edges along the 180° meridian that have the shape on one side only. Where it lies on
// both sides, the meridian is no boundary.
func (d *drawing) putSeam() {
	type end struct{ x, y float64 }
	var ends []end
	for _, s := range d.seam {
		ends = append(ends, end{s.x, s.y0}, end{s.x, s.y1})
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.y, b.y) })
	var east, west bool // the shape's edges up to the present latitude, by parity
	for i, e := range ends {
		if i > 0 && east != west && ends[i-1].y < e.y {
			x := 180.0
			if east {
				x = -180
			}
			d.edge(orb.Point{x, ends[i-1].y}, orb.Point{x, e.y}, origin{-1, -1})
		}
		if e.x < 0 {
			east = !east
		} else {
			west = !west
		}
	}
}
