package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// along decides every crossing on a way: of the fences it touches and of those that are tied.
func (t *Tracker) along(s *state, w *stride) {
	if s.free(w) {
		return
	}
	t.work.strides++
	for _, ref := range t.candidates(s, w) {
		f, ok := t.ix.Fence(ref)
		if !ok {
			continue
		}
		c := &t.work.crossing
		*c = crossing{t: t, s: s, w: w, f: f, tie: tie{ref: ref, id: f.ID, rev: f.Revision}}
		if i, tied := s.tie(ref); tied {
			c.tie = s.ties[i]
		}
		c.decide()
		s.keep(c.tie)
	}
	t.clearBox(s, w)
}

// Reach of the box that is kept around a vehicle, in metres, and how many seconds of driving it is for.
const (
	boxLeast   = 150.0
	boxMost    = 1500.0
	boxSeconds = 60.0
)

// free reports whether no boundary can lie on the way: it stays in the box around the vehicle, and nothing is
// pending. The box is convex, so the answer is exact.
func (s *state) free(w *stride) bool {
	return w.inside(&s.box) && !s.pending()
}

// clearBox looks for a box around the end of the way that no boundary enters.
func (t *Tracker) clearBox(s *state, w *stride) {
	if s.pending() {
		s.box = orb.Bound{}
		return
	}
	s.box = t.ix.FreeBox(w.b, min(max(boxLeast, zeroIfNaN(w.v1)*boxSeconds), boxMost))
}

// pending reports whether a boundary was passed without having been believed yet.
func (s *state) pending() bool {
	for i := range s.ties {
		if s.ties[i].pending {
			return true
		}
	}
	return false
}

// inside reports whether the whole way lies in b.
func (w *stride) inside(b *orb.Bound) bool {
	if !within(b, &w.b) || !within(b, &w.a) {
		return false
	}
	for i := range w.bends {
		if !within(b, &w.knees[i]) {
			return false
		}
	}
	return true
}

func within(b *orb.Bound, p *orb.Point) bool {
	return p[0] >= b.Min[0] && p[0] <= b.Max[0] && p[1] >= b.Min[1] && p[1] <= b.Max[1]
}

// candidates returns the fences that touch the way and those that are tied, ascending.
func (t *Tracker) candidates(s *state, w *stride) []Ref {
	refs := t.work.refs[:0]
	legs, n := w.legs()
	for _, leg := range legs[:n] {
		refs = t.ix.Along(refs, leg.a, leg.b, 0)
	}
	touched := len(refs)
	for i := range s.ties {
		refs = append(refs, s.ties[i].ref)
	}
	if len(refs) > touched || n > 1 {
		slices.Sort(refs)
		refs = slices.Compact(refs)
	}
	t.work.refs = refs
	return refs
}

// keep stores a tie that still means something and drops one that does not.
func (s *state) keep(x tie) {
	i, ok := s.tie(x.ref)
	switch {
	case !x.inside && !x.pending:
		if ok {
			s.ties = slices.Delete(s.ties, i, i+1)
		}
	case ok:
		s.ties[i] = x
	default:
		s.ties = slices.Insert(s.ties, i, x)
	}
}

// lobe is a part of a way on one side of a fence's boundary.
type lobe struct {
	from, to float64 // fractions of the way
	inside   bool
}

// touch is the fraction of a way below which a stretch is the same point.
const touch = 1e-9

// lobesOf cuts the way into lobes inside and outside f, into t.work.lobes.
func (t *Tracker) lobesOf(f *Fence, w *stride) {
	lobes := t.work.lobes[:0]
	done := 0.0
	legs, n := w.legs()
	for _, leg := range legs[:n] {
		t.work.stretches = f.Shape.Stretches(t.work.stretches[:0], leg.a, leg.b)
		for _, st := range t.work.stretches {
			from, to := leg.from+st.From*(leg.to-leg.from), leg.from+st.To*(leg.to-leg.from)
			if from > done+touch {
				lobes = append(lobes, lobe{done, from, false})
			} else if k := len(lobes); k > 0 && lobes[k-1].inside {
				lobes[k-1].to, done = to, to
				continue
			}
			lobes = append(lobes, lobe{from, to, true})
			done = to
		}
	}
	if done < 1-touch || len(lobes) == 0 {
		lobes = append(lobes, lobe{done, 1, false})
	}
	t.work.lobes = lobes
}

// crossing walks along the lobes of one way and one fence with the tie between vehicle and fence.
type crossing struct {
	t   *Tracker
	s   *state
	w   *stride
	f   Fence
	tie tie

	was   bool // inside before the way
	flips int
	first int64 // time of the first flip, to keep a pass together
}

// decide finds out what the way means for the fence.
func (c *crossing) decide() {
	if wire, ok := c.f.Shape.(*Tripwire); ok {
		c.cross(wire)
		return
	}
	c.t.lobesOf(&c.f, c.w)
	c.walk(c.t.work.lobes)
}

// walk decides lobe by lobe which side the vehicle is on.
func (c *crossing) walk(lobes []lobe) {
	c.was = c.tie.inside
	for i, l := range lobes {
		switch {
		case l.inside == c.tie.inside:
			c.tie.clear()
		case i == len(lobes)-1:
			c.enterLobe(l)
			c.judgeEnd(l)
		default:
			c.enterLobe(l)
			c.judgeLobe(l)
		}
	}
}

// enterLobe notes when and where the side changed, unless that is known from an earlier way.
func (c *crossing) enterLobe(l lobe) {
	if c.tie.pending {
		return
	}
	c.tie.pending, c.tie.depth = true, 0
	c.tie.at, c.tie.point = c.w.timeAt(l.from), c.w.at(l.from)
}

// judgeLobe believes a part of the way that ended again when it was deep enough.
func (c *crossing) judgeLobe(l lobe) {
	m := &c.t.margins
	if c.w.gap() || c.w.stop {
		return
	}
	if c.deepest(l) >= m.lobeM*c.w.doubt()+m.lobe*c.w.sigma {
		c.flip()
	}
}

// judgeEnd believes the side the way ends on when it ends deep enough for the direction of travel.
func (c *crossing) judgeEnd(l lobe) {
	depth := math.Abs(c.f.Shape.Distance(c.w.b))
	if c.w.stop {
		if depth >= c.t.margins.stopped*c.w.sigma {
			c.flip()
		}
		return
	}
	m := &c.t.margins
	if depth >= c.margin(depth) || c.deepest(l) >= m.lobeM+m.along*c.w.sigma {
		c.flip()
	}
}

// margin returns the depth that has to be reached, in metres: little when the way runs across the boundary,
// more when it runs along it.
func (c *crossing) margin(depth float64) float64 {
	m := &c.t.margins
	from := c.w.last()
	d := metres(from, c.w.b)
	if d < 2*c.w.sigma {
		return m.along * c.w.sigma
	}
	start := c.f.Shape.Distance(from)
	if c.tie.inside {
		start = -start // now negative on the side the vehicle comes from
	}
	steep := min(max((depth-start)/d, 0), 1)
	return (m.along + (m.across-m.along)*steep) * c.w.sigma
}

// deepest returns how deep the tie's lobe went so far, in metres.
func (c *crossing) deepest(l lobe) float64 {
	const steps = 4
	for i := range steps {
		f := l.from + (l.to-l.from)*(float64(i)+0.5)/steps
		d := math.Abs(c.f.Shape.Distance(c.w.at(f)))
		c.tie.depth = max(c.tie.depth, float32(d))
	}
	return float64(c.tie.depth)
}

// flip tells the pending crossing.
func (c *crossing) flip() {
	why := c.w.reason()
	at := c.tie.at + c.t.vehicles[c.s.vehicle].clock.shift()
	kind := Enter
	if c.tie.inside {
		kind = Exit
	}
	if c.flips == 0 {
		c.first = at
	}
	if c.tie.told.has(toldOver) {
		c.tell(OverspeedEnd, at, why)
	}
	c.tell(kind, at, why)
	if kind == Exit && c.flips > 0 {
		c.tell(Pass, c.tie.since, why)
	}
	c.flips++
	c.tie.inside = kind == Enter
	c.tie.since, c.tie.dwelt, c.tie.told, c.tie.over = 0, false, 0, 0
	if c.tie.inside {
		c.tie.since = at
		c.t.beginStay(c.s, &c.tie, &c.f)
	}
	c.tie.clear()
	c.t.note(c.s.vehicle, &c.tie, at)
}

// tell puts a crossing on its way out.
func (c *crossing) tell(kind Kind, at int64, why Why) {
	r := ranked{order: c.t.work.strides, key: c.first, group: 1}
	if c.was && c.flips == 0 {
		r.group, r.key = 0, at
	}
	r.Crossing = Crossing{
		Vehicle: c.s.vehicle, Fence: c.f.ID, Revision: c.f.Revision, Kind: kind, Time: at, Point: c.tie.point,
		Confidence: why.confidence(), Why: why,
	}
	c.t.work.told = append(c.t.work.told, r)
}
