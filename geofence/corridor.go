package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// widestCorridor in metres is the largest width of a [Corridor].
const widestCorridor = 100_000

// Corridor is every point within half its width of a line, or of several: exact, round at the ends and bends,
// not a polygon drawn around it.
//
// Distances are taken across the line, so that inside, beside a sharp bend, [Corridor.Distance] may be
// smaller than the way to the boundary; it is never larger. Up to 60° of latitude they are right within 5 µm
// at 1 km from the line and 5 mm at 10 km, beyond that up to 80° within ten times as much.
type Corridor struct {
	lines *lines
	half  float64 // metres
	boxes []orb.Bound
}

var _ Shape = (*Corridor)(nil)

// NewCorridor checks and prepares a corridor of a full width in metres, above 0 and up to 100 km. Repeated
// points are left out; faults are returned as a *[Fault]. The line may cross itself.
func NewCorridor(given orb.MultiLineString, width float64) (*Corridor, error) {
	if !(width > 0 && width <= widestCorridor) {
		return nil, fault(nil, "the width of a corridor is above 0 and at most %d metres, this one is %s", widestCorridor, number(width))
	}
	l, err := drawLines(given)
	if err != nil {
		return nil, err
	}
	c := &Corridor{lines: l, half: width / 2}
	for _, b := range coverLines(l) {
		c.boxes = append(c.boxes, foldBoxes(boxBound(b).around(c.half))...)
	}
	return c, nil
}

// drawLines checks lines and builds the tree of their edges.
func drawLines(given orb.MultiLineString) (*lines, error) {
	var d drawing
	for i, line := range given {
		for j, p := range line {
			if err := checkPoint(p, i, j); err != nil {
				return nil, err
			}
		}
		pts := slices.Compact(slices.Clone(line))
		if len(pts) < 2 {
			return nil, fault([]int{i}, "a line needs at least 2 different points")
		}
		d.line(pts, int32(i), make([]int32, len(pts)))
	}
	if len(d.chains) == 0 {
		return nil, fault(nil, "there is no line")
	}
	return newLines(d.chains), nil
}

// coverLines returns boxes that cover l, one on each side of the 180° meridian when it is crossed.
func coverLines(l *lines) []orb.Bound {
	r := region{lines: l}
	b := l.bounds()
	r.seam = b.x0 == -180 || b.x1 == 180
	return r.split(b)
}

// Bounds returns the boxes that cover c.
func (c *Corridor) Bounds() []orb.Bound { return slices.Clone(c.boxes) }

// Width returns the full width in metres.
func (c *Corridor) Width() float64 { return 2 * c.half }

// Contains reports whether p is within half the width of the line.
func (c *Corridor) Contains(p orb.Point) bool { return c.lines.distance(p, c.half*1.01) <= c.half }

// Distance returns the metres from p to the boundary: positive inside, negative outside.
func (c *Corridor) Distance(p orb.Point) float64 { return c.half - c.lines.distance(p, math.Inf(1)) }

func (c *Corridor) depth(p orb.Point, most float64) float64 {
	return math.Abs(c.half - c.lines.distance(p, c.half+most))
}

// Stretches appends the parts of the segment that are inside c.
func (c *Corridor) Stretches(dst []Stretch, a, b orb.Point) []Stretch {
	start := len(dst)
	around := boxOf(a, b).around(c.half)
	dst = c.capsules(dst, around, a, b)
	if around.x0 < -180 {
		dst = c.capsules(dst, around.shifted(360), orb.Point{a[0] + 360, a[1]}, orb.Point{b[0] + 360, b[1]})
	}
	if around.x1 > 180 {
		dst = c.capsules(dst, around.shifted(-360), orb.Point{a[0] - 360, a[1]}, orb.Point{b[0] - 360, b[1]})
	}
	dst = mergeStretches(dst, start)
	for i := range dst[start:] {
		c.polish(&dst[start+i], a, b)
	}
	return dropPoints(dst, start)
}

// capsules appends, for every edge near the segment, the part that is within half the width of it.
func (c *Corridor) capsules(dst []Stretch, around box, a, b orb.Point) []Stretch {
	c.lines.visit(around, func(p, q orb.Point) bool {
		if s, ok := capsule(a, b, p, q, c.half); ok {
			dst = append(dst, s)
		}
		return true
	})
	return dst
}

// polish moves the ends of a stretch onto the boundary: the capsules were cut on a flat map.
func (c *Corridor) polish(s *Stretch, a, b orb.Point) {
	f := func(t float64) float64 { return c.Distance(lerp(a, b, t)) }
	if s.From > 0 {
		s.From = secant(f, s.From, 1/(metricAt(a[1]).distance(a, b)+1))
	}
	if s.To < 1 {
		s.To = secant(f, s.To, 1/(metricAt(a[1]).distance(a, b)+1))
	}
}

// secant improves an almost right root t of f within 0 to 1; step is the first step. It stays near t.
func secant(f func(float64) float64, t, step float64) float64 {
	step = min(step, 0.5)
	t0, t1 := t, t+step
	if t1 > 1 {
		t1 = t - step
	}
	f0, f1 := f(t0), f(t1)
	for range 4 {
		if f0 == 0 || f1 == f0 {
			break
		}
		t2 := min(max(t0-f0*(t1-t0)/(f1-f0), 0), 1)
		if math.Abs(t2-t) > 10*step {
			return t
		}
		t1, f1 = t0, f0
		t0, f0 = t2, f(t2)
	}
	return t0
}

// capsule returns the part of the segment from a to b within r metres of the edge from p to q, on a flat map
// at the latitude where they meet.
func capsule(a, b, p, q orb.Point, r float64) (Stretch, bool) {
	common := boxOf(p, q).around(r).and(boxOf(a, b))
	if common.empty() {
		return Stretch{}, false
	}
	m := metricAt(common.centre()[1])
	w := flatWay{x: (a[0] - p[0]) * m.x, y: (a[1] - p[1]) * m.y, dx: (b[0] - a[0]) * m.x, dy: (b[1] - a[1]) * m.y}
	ex, ey := (q[0]-p[0])*m.x, (q[1]-p[1])*m.y
	s := Stretch{math.Inf(1), math.Inf(-1)}
	w.disc(&s, 0, 0, r)
	w.disc(&s, ex, ey, r)
	w.strip(&s, ex, ey, r)
	s.From, s.To = max(s.From, 0), min(s.To, 1)
	return s, s.From <= s.To
}

// flatWay is a segment on a flat map in metres: it begins at x, y and goes dx, dy.
type flatWay struct{ x, y, dx, dy float64 }

// disc widens s by the part of the way within r of the point cx, cy.
func (w *flatWay) disc(s *Stretch, cx, cy, r float64) {
	x, y := w.x-cx, w.y-cy
	a, h, c := w.dx*w.dx+w.dy*w.dy, x*w.dx+y*w.dy, x*x+y*y-r*r
	if a == 0 {
		if c <= 0 {
			s.From, s.To = min(s.From, 0), max(s.To, 1)
		}
		return
	}
	if d := h*h - a*c; d >= 0 {
		d = math.Sqrt(d)
		s.From, s.To = min(s.From, (-h-d)/a), max(s.To, (-h+d)/a)
	}
}

// strip widens s by the part of the way within r beside the edge from the origin to ex, ey.
func (w *flatWay) strip(s *Stretch, ex, ey, r float64) {
	l := math.Sqrt(ex*ex + ey*ey)
	if l == 0 {
		return
	}
	ex, ey = ex/l, ey/l
	from, to := math.Inf(-1), math.Inf(1)
	limit := func(at, d, lo, hi float64) {
		if d == 0 {
			if at < lo || at > hi {
				from = math.Inf(1)
			}
			return
		}
		t0, t1 := (lo-at)/d, (hi-at)/d
		from, to = max(from, min(t0, t1)), min(to, max(t0, t1))
	}
	limit(w.x*ex+w.y*ey, w.dx*ex+w.dy*ey, 0, l)
	limit(w.x*ey-w.y*ex, w.dx*ey-w.dy*ex, -r, r)
	if from <= to {
		s.From, s.To = min(s.From, from), max(s.To, to)
	}
}

// mergeStretches sorts dst[start:] and joins what touches.
func mergeStretches(dst []Stretch, start int) []Stretch {
	slices.SortFunc(dst[start:], func(a, b Stretch) int { return sign(a.From - b.From) })
	out := start
	for _, s := range dst[start:] {
		if out > start && s.From <= dst[out-1].To {
			dst[out-1].To = max(dst[out-1].To, s.To)
			continue
		}
		dst[out] = s
		out++
	}
	return dst[:out]
}

// dropPoints removes stretches without length from dst[start:].
func dropPoints(dst []Stretch, start int) []Stretch {
	out := start
	for _, s := range dst[start:] {
		if s.From < s.To {
			dst[out] = s
			out++
		}
	}
	return dst[:out]
}

func (c *Corridor) touches(a, b orb.Point, metres float64) bool {
	return c.lines.reaches(a, b, c.half+max(metres, 0))
}

// relate looks at the disc around the centre of b that holds all of b.
func (c *Corridor) relate(b box) relation {
	low := 0.0
	if b.y0 > 0 || b.y1 < 0 {
		low = min(math.Abs(b.y0), math.Abs(b.y1))
	}
	m := metricAt(low)
	reach := math.Hypot((b.x1-b.x0)/2*m.x, (b.y1-b.y0)/2*m.y) * 1.01 // the metric changes by less within 100 km
	d := c.lines.distance(b.centre(), (c.half+reach)*1.02)
	switch {
	case d > (c.half+reach)*1.01:
		return apart
	case d+reach < c.half*(1-1e-9):
		return covers
	}
	return crosses
}

func (c *Corridor) raster(r *raster) { r.divide(c, 0, 0, r.n) }
