package geofence

import (
	"slices"

	"github.com/paulmach/orb"
)

// along decides every crossing on a way: of the fences it touches and of those that are tied.
func (t *Tracker) along(s *state, w *stride) {
	if s.free(w) {
		return
	}
	met, known := t.boundaries(s, w)
	if known && len(met) == 0 {
		t.clearBox(s, w)
		return
	}
	t.work.strides++
	if !known {
		met = t.candidates(s, w)
	}
	for _, ref := range met {
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

// free reports whether no boundary can lie on the way: it stays in the box around the vehicle, and nothing is
// pending. The box is convex, so the answer is exact.
func (s *state) free(w *stride) bool { return w.inside(&s.box) && s.boxed() }

// boxed reports whether the vehicle has a box. It has none while something is pending.
func (s *state) boxed() bool { return s.box != box{} }

// boundaries returns the fences, ascending, whose boundary the way may meet, when it is known that nothing was decided for
// the others: nothing is pending, and the vehicle is still in its box.
func (t *Tracker) boundaries(s *state, w *stride) (met []Ref, known bool) {
	if !s.box.holds(w.a) || !s.boxed() {
		return nil, false
	}
	met, from := t.work.refs[:0], w.a
	for i := 0; i <= w.bends; i++ {
		to := w.b
		if i < w.bends {
			to = w.knees[i]
		}
		if met, known = t.ix.boundaries(t.tileOf(s, to), met, s.box.exit(from, to), to); !known {
			return nil, false
		}
		from = to
	}
	met = tidy(met, 0)
	t.work.refs = met
	return met, true
}

// clearBox looks for a box around the end of the way that no boundary enters.
func (t *Tracker) clearBox(s *state, w *stride) {
	if s.pending() {
		s.box = box{}
		return
	}
	s.box = t.ix.freeAhead(t.tileOf(s, w.b), w.last(), w.b)
}

// tileOf returns the tile around p, nil if there is none. A vehicle is in one tile for long.
func (t *Tracker) tileOf(s *state, p orb.Point) *page {
	if s.tile == nil || s.tiled != t.edition || !s.tile.box.inner(p) {
		s.tile, s.tiled = t.ix.tiles.tileAt(p), t.edition
	}
	return s.tile
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
func (w *stride) inside(b *box) bool {
	if !b.holds(w.b) || !b.holds(w.a) {
		return false
	}
	for _, p := range w.knees[:w.bends] {
		if !b.holds(p) {
			return false
		}
	}
	return true
}

// candidates returns the fences, ascending, for which the way may mean something: those whose boundary it may meet,
// and those that are tied or that it leads through where the one does not follow from the other.
func (t *Tracker) candidates(s *state, w *stride) []Ref {
	found := t.work.found[:0]
	legs, n := w.legs()
	for i := range legs[:n] {
		found = t.ix.candidates(t.tileOf(s, legs[i].a), found, legs[i].a, legs[i].b, 0)
	}
	if n > 1 {
		slices.Sort(found)
	}
	t.work.found = found
	refs, ties := t.work.refs[:0], s.ties
	for len(found) > 0 {
		ref, mark := found[0].ref(), candidate(0)
		for ; len(found) > 0 && found[0].ref() == ref; found = found[1:] {
			mark |= found[0] & met
		}
		for ; len(ties) > 0 && ties[0].ref < ref; ties = ties[1:] {
			refs = append(refs, ties[0].ref)
		}
		tied := len(ties) > 0 && ties[0].ref == ref
		if mark != 0 || !tied || !ties[0].inside || ties[0].pending {
			refs = append(refs, ref)
		}
		if tied {
			ties = ties[1:]
		}
	}
	for i := range ties {
		refs = append(refs, ties[i].ref)
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

	was    bool // inside before the way
	starts bool // the way begins inside
	flips  int
	first  int64 // time of the first flip, to keep a pass together
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
	c.was, c.starts = c.tie.inside, lobes[0].inside
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
	if c.deeper(l, m.lobeM*c.w.doubt()+m.lobe*c.w.sigma) {
		c.flip()
	}
}

// judgeEnd believes the side the way ends on when it ends deep enough for the direction of travel.
func (c *crossing) judgeEnd(l lobe) {
	m := &c.t.margins
	if c.w.stop {
		if least := m.stopped * c.w.sigma; c.f.Shape.depth(c.w.b, least) >= least {
			c.flip()
		}
		return
	}
	most := max(m.along, m.across) * c.w.sigma
	depth := c.f.Shape.depth(c.w.b, most)
	if depth >= most || depth >= c.margin(depth) || c.deeper(l, m.lobeM+m.along*c.w.sigma) {
		c.flip()
	}
}

// margin returns the depth that has to be reached, in metres: little when the way runs across the boundary,
// more when it runs along it.
func (c *crossing) margin(depth float64) float64 {
	m := &c.t.margins
	from, inside := c.w.last(), c.starts
	d := metres(from, c.w.b)
	if d < 2*c.w.sigma {
		return m.along * c.w.sigma
	}
	if c.w.bends > 0 {
		inside = c.f.Shape.Contains(from)
	}
	start := c.f.Shape.depth(from, depth+d)
	if inside == c.tie.inside {
		start = -start // negative on the side the vehicle comes from
	}
	steep := min(max((depth-start)/d, 0), 1)
	return (m.along + (m.across-m.along)*steep) * c.w.sigma
}

// deeper reports whether the tie's lobe went so many metres deep so far.
func (c *crossing) deeper(l lobe, least float64) bool {
	const steps = 4
	for i := range steps {
		f := l.from + (l.to-l.from)*(float64(i)+0.5)/steps
		d := c.f.Shape.depth(c.w.at(f), least)
		if c.tie.depth = max(c.tie.depth, float32(d)); float64(c.tie.depth) >= least {
			return true
		}
	}
	return false
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
