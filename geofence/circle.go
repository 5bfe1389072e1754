package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// widestCircle in metres is the largest radius of a [Circle].
const widestCircle = 5_000_000

// flatCircle in metres is the largest radius, and flatLatitude in degrees the highest latitude, of a circle
// that is measured with a series instead of the full formula.
const (
	flatCircle   = 50_000
	flatLatitude = 85
)

// Circle is every point within a radius of a centre, measured along the ellipsoid WGS84.
//
// Membership is that of Vincenty's inverse formula, exact to 0.1 mm. Where the answer is not close, a series
// gives it: the scale of the ellipsoid at the latitude half way to the centre as a polynomial. The series is
// off by less than 5 µm at 1 km, 5 mm at 10 km and 0.6 m at 50 km up to 60°, ten times that up to 80°, and
// that is the error of [Circle.Distance] and [Circle.Stretches]. Wider circles, and those that reach beyond
// 85°, do without the series.
type Circle struct {
	centre orb.Point
	radius float64
	x, y   [5]float64 // metres per degree at latitude centre + d/2, as polynomials in d
	doubt  float64    // metres: the series decides membership when it is further than that from the radius
	wide   bool       // no series: every distance is geodesic
	least  metric     // the smallest and largest scale within the circle's box
	most   metric
	box    box // may reach beyond ±180°
	boxes  []orb.Bound
}

var _ Shape = (*Circle)(nil)

// NewCircle checks and prepares a circle with a radius in metres, above 0 and up to 5,000 km. Faults are
// returned as a *[Fault].
func NewCircle(centre orb.Point, radius float64) (*Circle, error) {
	if err := checkPoint(centre); err != nil {
		return nil, err
	}
	if !(radius > 0 && radius <= widestCircle) {
		return nil, fault(nil, "the radius of a circle is above 0 and at most %d metres, this one is %s", widestCircle, number(radius))
	}
	c := &Circle{centre: centre, radius: radius, box: circleBox(centre, radius)}
	c.boxes = foldBoxes(c.box)
	c.wide = radius > flatCircle || c.box.highest() > flatLatitude
	tan := math.Tan(min(c.box.highest(), flatLatitude) * degree)
	c.doubt = 1e-6 + radius*radius*radius/earthA/earthB*(1+tan*tan)
	c.prepare()
	return c, nil
}

// circleBox returns a box around the circle, at most 1 % larger than needed.
func circleBox(centre orb.Point, radius float64) box {
	const tightest = earthA * (1 - earthE2) // the smallest radius of curvature on the ellipsoid
	d := radius / tightest * 1.000001
	b := box{-180, centre[1] - d/degree, 180, centre[1] + d/degree}
	if b.y0 <= -90 || b.y1 >= 90 {
		return box{-180, max(b.y0, -90), 180, min(b.y1, 90)}
	}
	dx := math.Asin(min(math.Sin(d)/math.Cos(centre[1]*degree), 1)) / degree
	b.x0, b.x1 = centre[0]-dx, centre[0]+dx
	return b
}

// prepare fits the polynomials: through five points of the span of latitudes, a little wider than the circle.
func (c *Circle) prepare() {
	span := max(1.1*(c.box.y1-c.centre[1]), 1e-3)
	var xs, ys, at [5]float64
	for i := range at {
		at[i] = span * math.Cos(float64(2*i+1)*math.Pi/10)
		m := metricAt(c.centre[1] + at[i]/2)
		xs[i], ys[i] = m.x, m.y
	}
	c.x, c.y = fit(at, xs), fit(at, ys)
	low := 0.0
	if c.box.y0 > 0 || c.box.y1 < 0 {
		low = min(math.Abs(c.box.y0), math.Abs(c.box.y1))
	}
	equator, pole := metricAt(low), metricAt(min(c.box.highest()+span/10, 90))
	c.least, c.most = metric{pole.x, equator.y}, metric{equator.x, pole.y}
}

// fit returns the coefficients of the polynomial of degree 4 through five points.
func fit(at, v [5]float64) (coefficients [5]float64) {
	for k := 1; k < 5; k++ { // divided differences
		for i := 4; i >= k; i-- {
			v[i] = (v[i] - v[i-1]) / (at[i] - at[i-k])
		}
	}
	for k := 4; k >= 0; k-- { // Newton's form to powers
		for i := 4; i > 0; i-- {
			coefficients[i] = coefficients[i-1] - at[k]*coefficients[i]
		}
		coefficients[0] = v[k] - at[k]*coefficients[0]
	}
	return coefficients
}

func horner(c *[5]float64, d float64) float64 {
	return (((c[4]*d+c[3])*d+c[2])*d+c[1])*d + c[0]
}

// Centre returns the centre.
func (c *Circle) Centre() orb.Point { return c.centre }

// Radius returns the radius in metres.
func (c *Circle) Radius() float64 { return c.radius }

// Bounds returns the boxes that cover c.
func (c *Circle) Bounds() []orb.Bound { return slices.Clone(c.boxes) }

// Contains reports whether p is within the radius of the centre.
func (c *Circle) Contains(p orb.Point) bool {
	dy := p[1] - c.centre[1]
	dx := shortLon(p[0] - c.centre[0])
	if p[1] < c.box.y0 || p[1] > c.box.y1 || c.centre[0]+dx < c.box.x0 || c.centre[0]+dx > c.box.x1 {
		return false
	}
	if c.wide {
		return geodesic(c.centre, p) <= c.radius
	}
	x, y := horner(&c.x, dy)*dx, horner(&c.y, dy)*dy
	d2, low, high := x*x+y*y, c.radius-c.doubt, c.radius+c.doubt
	if d2 < low*low && low > 0 {
		return true
	}
	return d2 <= high*high && geodesic(c.centre, p) <= c.radius
}

// away returns the metres from the centre.
func (c *Circle) away(p orb.Point) float64 {
	dx, dy := shortLon(p[0]-c.centre[0]), p[1]-c.centre[1]
	if c.wide || p[1] < c.box.y0 || p[1] > c.box.y1 || math.Abs(dx) > 2*(c.box.x1-c.box.x0) {
		return geodesic(c.centre, p)
	}
	x, y := horner(&c.x, dy)*dx, horner(&c.y, dy)*dy
	return math.Sqrt(x*x + y*y)
}

// Distance returns the metres from p to the boundary: positive inside, negative outside.
func (c *Circle) Distance(p orb.Point) float64 { return c.radius - c.away(p) }

func (c *Circle) depth(p orb.Point, _ float64) float64 { return math.Abs(c.Distance(p)) }

// Stretches appends the part of the segment that is inside c.
func (c *Circle) Stretches(dst []Stretch, a, b orb.Point) []Stretch {
	for _, shift := range [3]float64{0, -360, 360} {
		from, to, ok := c.box.clip(orb.Point{a[0] + shift, a[1]}, orb.Point{b[0] + shift, b[1]})
		if !ok {
			continue
		}
		w := circleWay{c, a, b}
		if c.wide {
			dst = w.search(dst, from, to)
		} else if s, ok := w.chord(from, to); ok {
			dst = append(dst, s)
		}
	}
	return dst
}

// circleWay is a segment beside a circle.
type circleWay struct {
	c    *Circle
	a, b orb.Point
}

// depth returns how deep inside the circle the way is at t, in metres.
func (w *circleWay) depth(t float64) float64 { return w.c.radius - w.c.away(lerp(w.a, w.b, t)) }

// chord returns the part between from and to that is inside. The depth has one maximum there.
func (w *circleWay) chord(from, to float64) (Stretch, bool) {
	top := w.deepest(from, to)
	if !(w.depth(top) > 0) {
		return Stretch{}, false
	}
	s := Stretch{from, to}
	if w.depth(from) < 0 {
		s.From = w.root(from, top)
	}
	if w.depth(to) < 0 {
		s.To = w.root(to, top)
	}
	return s, s.From < s.To
}

// deepest returns where between from and to the way is deepest: on a flat map first, then by parabolas.
func (w *circleWay) deepest(from, to float64) float64 {
	p, q := lerp(w.a, w.b, from), lerp(w.a, w.b, to)
	m := metricAt(w.c.centre[1])
	dx := shortLon(p[0] - w.c.centre[0])
	_, at := m.toEdge(orb.Point{}, orb.Point{dx, p[1] - w.c.centre[1]}, orb.Point{dx + q[0] - p[0], q[1] - w.c.centre[1]})
	t := from + at*(to-from)
	h := (to - from) / 16
	for range 3 {
		t = w.parabola(t, h, from, to)
		h /= 8
	}
	return t
}

// parabola returns the top of the squared distance's parabola through t and t±h, within from to to.
func (w *circleWay) parabola(t, h, from, to float64) float64 {
	square := func(t float64) float64 { d := w.c.away(lerp(w.a, w.b, t)); return d * d }
	l, m, r := square(t-h), square(t), square(t+h)
	if bend := l - 2*m + r; bend > 0 {
		t += min(max((l-r)/(2*bend), -2), 2) * h
	}
	return min(max(t, from), to)
}

// root returns where the way crosses the boundary, between out outside and in inside (Illinois method).
func (w *circleWay) root(out, in float64) float64 {
	f0, f1, last := w.depth(out), w.depth(in), 0
	for range 60 {
		t := out - f0*(in-out)/(f1-f0)
		f := w.depth(t)
		switch {
		case math.Abs(f) < 1e-7:
			return t
		case f < 0:
			out, f0 = t, f
			if last < 0 {
				f1 /= 2
			}
			last = -1
		default:
			in, f1 = t, f
			if last > 0 {
				f0 /= 2
			}
			last = 1
		}
	}
	return in
}

// search cuts the way beside a wide circle into short pieces and looks for the boundary in each.
func (w *circleWay) search(dst []Stretch, from, to float64) []Stretch {
	const pieces = 64
	start := len(dst)
	at := func(i int) float64 { return from + (to-from)*float64(i)/pieces }
	for i := range pieces {
		if s, ok := w.piece(at(i), at(i+1)); ok {
			dst = append(dst, s)
		}
	}
	return mergeStretches(dst, start)
}

// piece returns the part of a short piece that is inside.
func (w *circleWay) piece(from, to float64) (Stretch, bool) {
	f0, f1 := w.depth(from), w.depth(to)
	s := Stretch{from, to}
	switch {
	case f0 < 0 && f1 < 0:
		return w.dip(from, to)
	case f0 < 0:
		s.From = w.root(from, to)
	case f1 < 0:
		s.To = w.root(to, from)
	}
	return s, s.From < s.To
}

// dip finds a part inside between two points outside, by golden sections.
func (w *circleWay) dip(from, to float64) (Stretch, bool) {
	const golden = 0.6180339887498949
	lo, hi := from, to
	for range 40 {
		l, r := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if w.depth(l) > w.depth(r) {
			hi = r
		} else {
			lo = l
		}
	}
	top := (lo + hi) / 2
	if !(w.depth(top) > 0) {
		return Stretch{}, false
	}
	return Stretch{w.root(from, top), w.root(to, top)}, true
}

func (c *Circle) touches(a, b orb.Point, metres float64) bool {
	if c.Contains(a) || c.Contains(b) {
		return true
	}
	around := c.box.around(max(metres, 0))
	for _, shift := range [3]float64{0, -360, 360} {
		from, to, ok := around.clip(orb.Point{a[0] + shift, a[1]}, orb.Point{b[0] + shift, b[1]})
		w := circleWay{c, a, b}
		switch {
		case !ok:
		case c.wide && w.meets(from, to):
			return true
		case w.depth(w.deepest(from, to)) >= -max(metres, 0):
			return true
		}
	}
	return false
}

// meets reports whether the way beside a wide circle is inside somewhere between from and to.
func (w *circleWay) meets(from, to float64) bool {
	var room [8]Stretch
	return len(w.search(room[:0], from, to)) > 0
}

func (c *Circle) relate(b box) relation {
	for _, shift := range [3]float64{0, -360, 360} {
		if s := b.shifted(shift); s.meets(c.box) {
			return c.relateNear(s)
		}
	}
	return apart
}

// relateNear judges a box that meets the circle's own box, by the least and the most its points can be away
// from the centre.
func (c *Circle) relateNear(b box) relation {
	if c.wide {
		return c.relateWide(b)
	}
	in := b.and(c.box)
	if near := c.least.toBox(c.centre, &in); near > c.radius*c.radius*1.000001 {
		return apart
	}
	dx := max(b.x1-c.centre[0], c.centre[0]-b.x0) * c.most.x
	dy := max(b.y1-c.centre[1], c.centre[1]-b.y0) * c.most.y
	if far := c.radius - c.doubt; far > 0 && dx*dx+dy*dy < far*far && c.box.and(b) == b {
		return covers
	}
	return crosses
}

// relateWide looks at the disc around the centre of b that holds all of b: no point of b is farther from its
// centre than half of its height and half of its longest parallel together.
func (c *Circle) relateWide(b box) relation {
	low := 0.0
	if b.y0 > 0 || b.y1 < 0 {
		low = min(math.Abs(b.y0), math.Abs(b.y1))
	}
	reach := ((b.x1-b.x0)/2*metricAt(low).x + (b.y1-b.y0)/2*metricAt(90).y) * (1 + 1e-9)
	middle := b.centre()
	middle[0] = shortLon(middle[0])
	switch d := geodesic(c.centre, middle); {
	case d > 19_000_000: // where the formula gives up
		return crosses
	case d-reach > c.radius:
		return apart
	case d+reach < c.radius:
		return covers
	}
	return crosses
}

func (c *Circle) raster(r *raster) { r.divide(c, 0, 0, r.n) }
