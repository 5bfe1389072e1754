package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// linesFan is how many edges a lowest box of [lines] holds, and how many boxes the next one.
const linesFan = 8

// lines are the edges of a shape under a packed tree of boxes. The edges stay in the order in which they
// were drawn, so that the tree needs no sorting: what is near along a line is near on the ground.
//
//	pts     0──1──2──3──4──5──6──7──8──9──10      chains one after another
//	boxes   └──────── 0 ──────────┘└─ 1 ─┘        level 0: up to 8 edges of one chain
//	        └──────────────── 2 ─────────┘        level 1: up to 8 boxes of level 0
//
// All coordinates are within ±180° and ±90°; a line that crosses the 180° meridian is two chains.
type lines struct {
	pts    []orb.Point
	boxes  []box   // level after level, lowest first
	spans  []span  // beside boxes
	levels []int32 // where each level begins in boxes, and len(boxes)
}

// span says which edges are under a box: those between pts[lo] and pts[hi], if whole; otherwise there are
// gaps between chains.
type span struct {
	lo, hi int32
	whole  bool
}

// newLines builds the tree over chains of at least two points each.
func newLines(chains [][]orb.Point) *lines {
	l := &lines{levels: []int32{0}}
	n := 0
	for _, c := range chains {
		n += len(c)
	}
	l.pts = make([]orb.Point, 0, n)
	for _, c := range chains {
		l.addChain(c)
	}
	l.levels = append(l.levels, int32(len(l.boxes)))
	for l.top() > linesFan {
		l.addLevel()
	}
	return l
}

// addChain appends a chain and its lowest boxes.
func (l *lines) addChain(c []orb.Point) {
	first := len(l.pts)
	l.pts = append(l.pts, c...)
	for lo := first; lo < len(l.pts)-1; lo += linesFan {
		hi := min(lo+linesFan, len(l.pts)-1)
		b := nowhere()
		for _, p := range l.pts[lo : hi+1] {
			b = b.add(p)
		}
		l.boxes = append(l.boxes, b)
		l.spans = append(l.spans, span{int32(lo), int32(hi), true})
	}
}

// top returns the number of boxes in the highest level.
func (l *lines) top() int {
	n := len(l.levels)
	return int(l.levels[n-1] - l.levels[n-2])
}

// addLevel puts boxes over the highest level.
func (l *lines) addLevel() {
	n := len(l.levels)
	for i := l.levels[n-2]; i < l.levels[n-1]; i += linesFan {
		b, s := l.boxes[i], l.spans[i]
		for j := i + 1; j < min(i+linesFan, l.levels[n-1]); j++ {
			s.whole = s.whole && l.spans[j].whole && l.spans[j].lo == s.hi
			b, s.hi = b.or(l.boxes[j]), l.spans[j].hi
		}
		l.boxes, l.spans = append(l.boxes, b), append(l.spans, s)
	}
	l.levels = append(l.levels, int32(len(l.boxes)))
}

// roots returns the highest level and its boxes.
func (l *lines) roots() (level int, from, to int32) {
	level = len(l.levels) - 2
	return level, l.levels[level], l.levels[level+1]
}

// children returns the boxes of the level below that are under box i of a level above 0.
func (l *lines) children(level int, i int32) (from, to int32) {
	from = l.levels[level-1] + (i-l.levels[level])*linesFan
	return from, min(from+linesFan, l.levels[level])
}

// bounds returns the box of everything.
func (l *lines) bounds() box {
	b := nowhere()
	_, from, to := l.roots()
	for _, o := range l.boxes[from:to] {
		b = b.or(o)
	}
	return b
}

// ray asks for the edges above a point: those that a ray to the north crosses.
type ray struct {
	p    orb.Point
	west bool // an edge owns its eastern end rather than its western one: what holds just west of p
	odd  bool // the answer: an odd number of edges is above
	on   bool // the answer: p is on an edge; then odd means nothing
}

// cast answers r for the boxes from to to of a level.
func (l *lines) cast(r *ray, level int, from, to int32) {
	for i := from; i < to && !r.on; i++ {
		b, s := &l.boxes[i], &l.spans[i]
		switch {
		case r.p[0] < b.x0 || r.p[0] > b.x1 || r.p[1] > b.y1:
		case r.p[1] < b.y0 && s.whole: // all above: only the ends of the chain matter
			r.odd = r.odd != (r.splits(l.pts[s.lo], l.pts[s.hi]))
		case level > 0:
			lo, hi := l.children(level, i)
			l.cast(r, level-1, lo, hi)
		default:
			l.castEdges(r, l.pts[s.lo:s.hi+1])
		}
	}
}

func (l *lines) castEdges(r *ray, pts []orb.Point) {
	a := pts[0]
	for _, b := range pts[1:] {
		r.edge(a, b)
		a = b
	}
}

// edge takes one edge into account.
func (r *ray) edge(a, b orb.Point) {
	if r.p[1] > max(a[1], b[1]) {
		return
	}
	splits := r.splits(a, b)
	if r.p[1] < min(a[1], b[1]) {
		r.odd = r.odd != splits
		return
	}
	if !splits && (r.p[0] < min(a[0], b[0]) || r.p[0] > max(a[0], b[0])) {
		return
	}
	s := side(a, b, r.p)
	if s == 0 {
		r.on = true
		return
	}
	if splits && (s < 0) == (a[0] < b[0]) {
		r.odd = !r.odd
	}
}

// splits reports whether the meridian of r.p lies between a and b, one of them included.
func (r *ray) splits(a, b orb.Point) bool {
	if r.west {
		return (a[0] >= r.p[0]) != (b[0] >= r.p[0])
	}
	return (a[0] > r.p[0]) != (b[0] > r.p[0])
}

// above returns whether p is on an edge, and whether an odd number of edges is above it.
func (l *lines) above(p orb.Point, west bool) (odd, on bool) {
	r := ray{p: p, west: west}
	level, from, to := l.roots()
	l.cast(&r, level, from, to)
	return r.odd, r.on
}

// nearest is a search for the edge nearest to a point.
type nearest struct {
	p    orb.Point
	m    metric
	d2   float64 // the answer: square of the metres; before, the largest that is of interest
	edge int32   // the answer: the edge begins at this point of the lines; -1 for none
}

// near answers n for the boxes from to to of a level.
func (l *lines) near(n *nearest, level int, from, to int32) {
	for i := from; i < to; i++ {
		if n.m.toBox(n.p, &l.boxes[i]) > n.d2 {
			continue
		}
		if level > 0 {
			lo, hi := l.children(level, i)
			l.near(n, level-1, lo, hi)
			continue
		}
		s := &l.spans[i]
		for e := s.lo; e < s.hi; e++ {
			if d2, _ := n.m.toEdge(n.p, l.pts[e], l.pts[e+1]); d2 < n.d2 || n.edge < 0 && d2 == n.d2 {
				n.d2, n.edge = d2, e
			}
		}
	}
}

// distance returns the metres from p to the nearest edge if it is within most, infinity if none is.
func (l *lines) distance(p orb.Point, most float64) float64 {
	best := nearest{p: p, m: metricAt(p[1]), d2: most * most, edge: -1}
	level, from, to := l.roots()
	if to-from > 1 {
		first := l.closest(p, from, to, best.m)
		l.near(&best, level, first, first+1)
	}
	l.near(&best, level, from, to)
	found, at := best.edge, p
	if p[0] != 0 { // the short way may cross the 180° meridian
		best.p[0], best.edge = p[0]-math.Copysign(360, p[0]), -1
		l.near(&best, level, from, to)
		if best.edge >= 0 {
			found, at = best.edge, best.p
		}
	}
	if found < 0 {
		return math.Inf(1)
	}
	return edgeDistance(at, l.pts[found], l.pts[found+1], best.m)
}

// closest returns the box to begin a search in.
func (l *lines) closest(p orb.Point, from, to int32, m metric) int32 {
	best, at := math.Inf(1), from
	for i := from; i < to; i++ {
		if d := m.toBox(p, &l.boxes[i]); d < best {
			best, at = d, i
		}
	}
	return at
}

// meets reports whether an edge has a point in the closed box, exactly.
func (l *lines) meets(b box) bool {
	level, from, to := l.roots()
	return l.meetsIn(b, level, from, to)
}

func (l *lines) meetsIn(b box, level int, from, to int32) bool {
	for i := from; i < to; i++ {
		if !l.boxes[i].meets(b) {
			continue
		}
		if level > 0 {
			lo, hi := l.children(level, i)
			if l.meetsIn(b, level-1, lo, hi) {
				return true
			}
			continue
		}
		s := &l.spans[i]
		for e := s.lo; e < s.hi; e++ {
			if b.meetsSegment(l.pts[e], l.pts[e+1]) {
				return true
			}
		}
	}
	return false
}

// visit calls do with every edge whose box meets b, until do returns false; it returns false then.
func (l *lines) visit(b box, do func(a, b orb.Point) bool) bool {
	level, from, to := l.roots()
	return l.visitIn(b, do, level, from, to)
}

func (l *lines) visitIn(b box, do func(a, b orb.Point) bool, level int, from, to int32) bool {
	for i := from; i < to; i++ {
		if !l.boxes[i].meets(b) {
			continue
		}
		if level > 0 {
			lo, hi := l.children(level, i)
			if !l.visitIn(b, do, level-1, lo, hi) {
				return false
			}
			continue
		}
		s := &l.spans[i]
		for e := s.lo; e < s.hi; e++ {
			if boxOf(l.pts[e], l.pts[e+1]).meets(b) && !do(l.pts[e], l.pts[e+1]) {
				return false
			}
		}
	}
	return true
}

// bar keeps f clear of the edges.
func (l *lines) bar(f *freeBox) {
	l.visit(f.box, func(a, b orb.Point) bool {
		f.barEdge(a, b, clipSlack)
		return !f.closed()
	})
}

// count returns about how many edges are in b: those under the lowest boxes that meet it.
func (l *lines) count(b box) int {
	n := 0
	for i := range l.boxes[:l.levels[1]] {
		if l.boxes[i].meets(b) {
			n += int(l.spans[i].hi - l.spans[i].lo)
		}
	}
	return n
}

// reaches reports whether an edge comes within so many metres of the segment from a to b.
func (l *lines) reaches(a, b orb.Point, metres float64) bool {
	if metres <= 0 {
		return !l.visit(boxOf(a, b), func(c, d orb.Point) bool {
			_, ok := meet(a, b, c, d)
			return !ok
		})
	}
	around := boxOf(a, b).around(metres)
	return l.within(around, a, b, metres) ||
		around.x0 < -180 && l.within(around.shifted(360), orb.Point{a[0] + 360, a[1]}, orb.Point{b[0] + 360, b[1]}, metres) ||
		around.x1 > 180 && l.within(around.shifted(-360), orb.Point{a[0] - 360, a[1]}, orb.Point{b[0] - 360, b[1]}, metres)
}

func (l *lines) within(around box, a, b orb.Point, metres float64) bool {
	return !l.visit(around, func(c, d orb.Point) bool { return segmentDistance(a, b, c, d) > metres })
}

// segmentDistance returns the metres between two segments, 0 if they meet.
func segmentDistance(a, b, c, d orb.Point) float64 {
	if _, ok := meet(a, b, c, d); ok {
		return 0
	}
	m := metricAt(min(max((a[1]+b[1])/2, min(c[1], d[1])), max(c[1], d[1])))
	return min(edgeDistance(a, c, d, m), edgeDistance(b, c, d, m), edgeDistance(c, a, b, m), edgeDistance(d, a, b, m))
}
