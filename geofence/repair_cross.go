package geofence

import (
	"fmt"

	"github.com/paulmach/orb"
)

// crossCheck looks for two edges that cross.
type crossCheck struct {
	*lines
	rings   []*ring
	origins []origin // of the edge that begins at each point of the lines
	found   error
}

// check returns the first fault in the order of the tree, nil if no edges cross. Edges may touch, and edges
// of different rings may run along each other.
func (c *crossCheck) check() error {
	level, from, to := c.roots()
	for i := from; i < to && c.found == nil; i++ {
		for j := i; j < to && c.found == nil; j++ {
			c.pair(level, i, j)
		}
	}
	return c.found
}

// pair compares the edges under two boxes of a level.
func (c *crossCheck) pair(level int, i, j int32) {
	if c.found != nil || !c.boxes[i].meets(c.boxes[j]) {
		return
	}
	if level == 0 {
		c.edges(i, j)
		return
	}
	i0, i1 := c.children(level, i)
	j0, j1 := c.children(level, j)
	for a := i0; a < i1; a++ {
		start := j0
		if i == j {
			start = a
		}
		for b := start; b < j1; b++ {
			c.pair(level-1, a, b)
		}
	}
}

// edges compares those edges under two lowest boxes that reach what the boxes have in common.
func (c *crossCheck) edges(i, j int32) {
	common := c.boxes[i].and(c.boxes[j])
	var room [linesFan]int32
	others := c.appendIn(room[:0], c.spans[j], common)
	if len(others) == 0 {
		return
	}
	var room2 [linesFan]int32
	for _, e := range c.appendIn(room2[:0], c.spans[i], common) {
		b := boxOf(c.pts[e], c.pts[e+1])
		for _, f := range others {
			if c.found == nil && (i != j || f > e) && b.meets(boxOf(c.pts[f], c.pts[f+1])) {
				c.twoEdges(e, f)
			}
		}
	}
}

// appendIn appends the edges of s that have a point in b.
func (c *crossCheck) appendIn(dst []int32, s span, b box) []int32 {
	for e := s.lo; e < s.hi; e++ {
		if b.meetsSegment(c.pts[e], c.pts[e+1]) {
			dst = append(dst, e)
		}
	}
	return dst
}

// twoEdges notes a fault when the edges beginning at points e and f cross or run over each other.
func (c *crossCheck) twoEdges(e, f int32) {
	a, b, p, q := c.pts[e], c.pts[e+1], c.pts[f], c.pts[f+1]
	s, t := side(a, b, p), side(a, b, q)
	switch {
	case s == 0 && t == 0:
		if c.origins[e].ring == c.origins[f].ring && overlap(a, b, p, q) {
			c.fault(e, f, "runs over")
		}
	case s*t < 0 && side(p, q, a)*side(p, q, b) < 0:
		c.fault(e, f, "crosses")
	}
}

// overlap reports whether two edges on one line have more than a point in common.
func overlap(a, b, p, q orb.Point) bool {
	o := boxOf(a, b).and(boxOf(p, q))
	return !o.empty() && (o.x0 < o.x1 || o.y0 < o.y1)
}

func (c *crossCheck) fault(e, f int32, does string) {
	x, y := c.origins[e], c.origins[f]
	if x.ring < 0 || y.ring < 0 {
		return
	}
	one, other := c.rings[x.ring], c.rings[y.ring]
	where := ""
	switch {
	case x.ring == y.ring:
	case one.path[0] == other.path[0]:
		where = fmt.Sprintf(" of ring %d", other.path[1])
	default:
		where = fmt.Sprintf(" of polygon %d, ring %d", other.path[0], other.path[1])
	}
	path := []int{one.path[0], one.path[1], int(x.vertex)}
	c.found = fault(path, "the edge %s %s the edge %s%s", c.name(one, x), does, c.name(other, y), where)
}

// name returns an edge in words.
func (c *crossCheck) name(r *ring, o origin) string {
	for i, v := range r.vertices[:len(r.vertices)-1] {
		if v == o.vertex {
			return fmt.Sprintf("from corner %d %s to corner %d %s", v, at(r.pts[i]), r.vertices[i+1], at(r.pts[i+1]))
		}
	}
	return fmt.Sprintf("from corner %d", o.vertex)
}
