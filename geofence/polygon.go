package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Polygon is one or more areas with holes. Its edges are straight in longitude and latitude, and of two
// points of an edge more than 180° of longitude apart the short way across the 180° meridian is meant. A ring
// that goes round the globe encloses the pole it is nearer to.
//
// Membership is exact for the numbers given: there is no tolerance, and a point on an edge or corner is
// inside. Where a polygon was cut in two at the 180° meridian, the cut is no boundary.
type Polygon struct {
	region
	boxes []orb.Bound
}

var _ Shape = (*Polygon)(nil)

// NewPolygon checks and prepares areas with holes: in each polygon the first ring is the outer one, the
// others are holes; which way round they are drawn does not matter. Small faults are repaired, and the
// repairs come back as sentences; the others are returned as a *[Fault].
func NewPolygon(areas orb.MultiPolygon) (*Polygon, Repairs, error) {
	var notes Repairs
	rings, err := repairRings(areas, &notes)
	if err != nil {
		return nil, notes, err
	}
	r, err := newRegion(rings, &notes)
	if err != nil {
		return nil, notes, err
	}
	if len(rings) > 1 {
		if err := checkNesting(rings); err != nil {
			return nil, notes, err
		}
	}
	noteLongEdge(rings, &notes)
	p := &Polygon{region: *r}
	p.boxes = p.cover()
	return p, notes, nil
}

func repairRings(areas orb.MultiPolygon, notes *Repairs) ([]*ring, error) {
	var rings []*ring
	for i, area := range areas {
		if len(area) == 0 {
			return nil, fault([]int{i}, "the polygon has no ring")
		}
		for j, given := range area {
			r, err := repairRing(given, notes, i, j)
			if err != nil {
				return nil, err
			}
			rings = append(rings, r)
		}
	}
	if len(rings) == 0 {
		return nil, fault(nil, "there is no polygon")
	}
	return rings, nil
}

// Bounds returns the boxes that cover p.
func (p *Polygon) Bounds() []orb.Bound { return slices.Clone(p.boxes) }

// Contains reports whether q is inside p or on its boundary, exactly.
func (p *Polygon) Contains(q orb.Point) bool { return p.holds(q) }

// Distance returns the metres from q to the nearest edge: positive inside, negative outside.
func (p *Polygon) Distance(q orb.Point) float64 {
	d := p.lines.distance(q, math.Inf(1))
	if p.holds(q) {
		return d
	}
	return -d
}

func (p *Polygon) depth(q orb.Point, most float64) float64 { return p.lines.distance(q, most) }

// Stretches appends the parts of the segment that are inside p. Their ends are exact to about 1e-15 of the
// way, unless an edge is almost parallel to it.
func (p *Polygon) Stretches(dst []Stretch, a, b orb.Point) []Stretch {
	start := len(dst)
	dst = p.hits(dst, a, b)
	return p.joinHits(dst, start, a, b)
}

// hits appends where the segment meets edges, in order: a point of the way as a stretch without length, a
// part of the way along an edge as a stretch.
func (p *Polygon) hits(dst []Stretch, a, b orb.Point) []Stretch {
	start := len(dst)
	p.visit(boxOf(a, b), func(c, d orb.Point) bool {
		if s, ok := meet(a, b, c, d); ok {
			dst = append(dst, s)
		}
		return true
	})
	slices.SortFunc(dst[start:], func(x, y Stretch) int {
		switch {
		case x.From < y.From:
			return -1
		case x.From > y.From:
			return 1
		}
		return 0
	})
	return dst
}

// joinHits turns the hits dst[start:] into stretches in place. Between two hits the way is on one side, so
// its middle decides.
func (p *Polygon) joinHits(dst []Stretch, start int, a, b orb.Point) []Stretch {
	j := joint{dst: dst, out: start}
	for _, h := range dst[start:] {
		if h.From > j.done {
			j.turn(p.holds(lerp(a, b, (j.done+h.From)/2)))
		}
		if h.To > max(h.From, j.done) {
			j.turn(true)
		}
		j.done = max(j.done, h.To)
	}
	if j.done < 1 {
		j.turn(p.holds(lerp(a, b, (j.done+1)/2)))
		j.done = 1
	}
	j.turn(false)
	return j.dst[:j.out]
}

// joint writes stretches over hits that were read already.
type joint struct {
	dst        []Stretch
	out        int // where the next stretch goes
	open       bool
	from, done float64
}

// turn says on which side the way goes on from j.done.
func (j *joint) turn(inside bool) {
	if inside == j.open {
		return
	}
	j.open = inside
	if inside {
		j.from = j.done
		return
	}
	if j.out == len(j.dst) {
		j.dst = append(j.dst, Stretch{})
	}
	j.dst[j.out] = Stretch{j.from, j.done}
	j.out++
}

// meet returns where the segment from a to b meets the edge from c to d, as fractions of the segment.
func meet(a, b, c, d orb.Point) (Stretch, bool) {
	sa, sb := side(c, d, a), side(c, d, b)
	if sa == 0 && sb == 0 {
		return along(a, b, c, d)
	}
	if sa*sb > 0 || side(a, b, c)*side(a, b, d) > 0 {
		return Stretch{}, false
	}
	da, db := cross(c, d, a), cross(c, d, b)
	t := 0.0
	if da != db {
		t = min(max(da/(da-db), 0), 1)
	}
	return Stretch{t, t}, true
}

// along returns the part of the segment from a to b that lies on the edge from c to d, both on one line.
func along(a, b, c, d orb.Point) (Stretch, bool) {
	axis := 0
	if math.Abs(b[1]-a[1]) > math.Abs(b[0]-a[0]) {
		axis = 1
	}
	l := b[axis] - a[axis]
	if l == 0 {
		return Stretch{0, 0}, boxOf(c, d).holds(a)
	}
	t0, t1 := (c[axis]-a[axis])/l, (d[axis]-a[axis])/l
	s := Stretch{max(min(t0, t1), 0), min(max(t0, t1), 1)}
	return s, s.From <= s.To
}

// cross returns the rounded cross product behind [side].
func cross(a, b, c orb.Point) float64 {
	return (a[0]-c[0])*(b[1]-c[1]) - (a[1]-c[1])*(b[0]-c[0])
}

func (p *Polygon) touches(a, b orb.Point, metres float64) bool {
	return p.holds(a) || p.holds(b) || p.lines.reaches(a, b, metres)
}

func (p *Polygon) relate(b box) relation {
	switch {
	case p.meets(b):
		return crosses
	case p.holds(b.centre()):
		return covers
	}
	return apart
}

func (p *Polygon) raster(r *raster) {
	r.draw(p.lines)
	r.flood(p.holds)
}
