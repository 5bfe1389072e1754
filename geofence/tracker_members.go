package geofence

import (
	"slices"

	"github.com/paulmach/orb"
)

// Members appends every fence that a vehicle is known to be inside of, vehicles ascending.
func (t *Tracker) Members(dst []Member) []Member {
	for i := range t.vehicles {
		s := &t.vehicles[i].state
		t.reconcile(Vehicle(i), s)
		for j := range s.ties {
			if s.ties[j].inside {
				dst = append(dst, member(Vehicle(i), &s.ties[j]))
			}
		}
	}
	return dst
}

// Changed appends the memberships that changed since the last call, in order, and forgets them; of a member
// named twice the later one holds. Callers that never ask let them pile up.
func (t *Tracker) Changed(dst []Member) []Member {
	dst = append(dst, t.changed...)
	t.changed = t.changed[:0]
	return dst
}

// SetMember restores a membership from the store, when no snapshot exists. It must come before the vehicle's
// first fix, which is then compared with it: a vehicle that was inside and is outside has left. A fence that
// the index does not hold is ignored.
func (t *Tracker) SetMember(v Vehicle, id FenceID, m Membership, since int64) {
	s := &t.vehicles[v].state
	ref, ok := t.ix.Lookup(id)
	if s.seen || !ok {
		return
	}
	f, _ := t.ix.Fence(ref)
	s.restored = true
	x := s.open(ref, &f)
	x.inside, x.since = m == Inside, since
	if x.inside {
		t.beginStay(s, x, &f)
	}
	s.prune()
}

// compareRestored tells what changed between the memberships of the store and the first fix.
func (t *Tracker) compareRestored(s *state, f *Fix) {
	sigma := s.sigmaOf(f)
	for _, x := range slices.Clone(s.ties) {
		fence, ok := t.ix.Fence(x.ref)
		if !ok || fence.Shape.Distance(f.Point) >= -t.margins.along*sigma {
			continue
		}
		at := f.Time + t.vehicles[s.vehicle].clock.shift()
		t.work.told = append(t.work.told, ranked{Crossing: Crossing{
			Vehicle: s.vehicle, Fence: x.id, Revision: x.rev, Kind: Exit, Time: at, Point: f.Point,
			Confidence: WhyRestored.confidence(), Why: WhyRestored,
		}})
		x.inside = false
		s.keep(x)
		t.note(s.vehicle, &x, at)
	}
	t.join(s, f.Point, f.Time, 0)
}

// retake takes all memberships anew from point p, silently.
func (t *Tracker) retake(s *state, p orb.Point, at int64) {
	s.box = box{}
	refs := t.ix.Containing(t.work.refs[:0], p)
	t.work.refs = refs
	for i := range s.ties {
		x := &s.ties[i]
		x.clear()
		if _, in := slices.BinarySearch(refs, x.ref); x.inside && !in {
			x.inside, x.since = false, 0
			t.note(s.vehicle, x, at)
		}
	}
	s.prune()
	t.join(s, p, at, 0)
}

// join makes the vehicle a member of the fences around p that are newer than revision, silently; 0 means
// all of them.
func (t *Tracker) join(s *state, p orb.Point, at int64, newer uint64) {
	t.work.refs = t.ix.Containing(t.work.refs[:0], p)
	for _, ref := range t.work.refs {
		f, ok := t.ix.Fence(ref)
		if !ok || newer > 0 && f.Revision <= newer {
			continue
		}
		x := s.open(ref, &f)
		if newer > 0 && x.pending {
			continue // edited while the vehicle is at its boundary: the next fixes decide
		}
		x.clear()
		if !x.inside {
			x.inside, x.since = true, at+t.vehicles[s.vehicle].clock.shift()
			t.note(s.vehicle, x, x.since)
			t.beginStay(s, x, &f)
		}
	}
}

// note remembers a changed membership for [Tracker.Changed].
func (t *Tracker) note(v Vehicle, x *tie, at int64) {
	m := member(v, x)
	m.Since = at
	t.changed = append(t.changed, m)
}

func member(v Vehicle, x *tie) Member {
	m := Member{Vehicle: v, Fence: x.id, Membership: Outside, Since: x.since}
	if x.inside {
		m.Membership = Inside
	}
	return m
}

// SetIndex puts other fences in force. New and edited fences (those of a higher revision than any before)
// take a vehicle's membership silently from its last position, and fences that are gone close silently; for
// each vehicle when it is next heard of or [Tracker.Members] is called. Fences that have expired by now are
// left out.
func (t *Tracker) SetIndex(dst []Crossing, ix *Index, now int64) []Crossing {
	dst = t.Advance(dst, now)
	t.adopt(ix)
	t.revision = ix.Revision()
	if t.now > 0 {
		t.attend(t.now)
	}
	return dst
}

// adopt puts an index in force and notes where it differs from the one before.
func (t *Tracker) adopt(ix *Index) {
	t.edition++
	if changes, ok := changesBetween(t.ix, ix); ok {
		t.edited.note(changes, ix.Len(), t.edition)
	} else {
		t.edited.all = t.edition
	}
	t.ix = ix
}

// reconcile brings one vehicle up to the index in force.
func (t *Tracker) reconcile(v Vehicle, s *state) {
	if s.edition == t.edition || !s.seen {
		return
	}
	if !t.edited.touched(s) {
		s.edition, s.rev = t.edition, t.revision
		return
	}
	old := s.rev
	s.edition, s.rev, s.box = t.edition, t.revision, box{}
	t.closeGone(v, s)
	if old < t.revision {
		t.join(s, s.p, s.t, old)
	}
}

// stays reports whether the tie with an edited fence still holds, by the new shape: a vehicle inside is not
// clearly outside, one that is about to cross is still at the boundary.
func (t *Tracker) stays(s *state, x *tie, f *Fence) bool {
	depth, margin := f.Shape.Distance(s.p), t.margins.along*float64(s.sigma)
	return depth >= -margin && (x.inside || depth <= margin)
}

// closeGone drops ties with fences that are gone or were edited.
func (t *Tracker) closeGone(v Vehicle, s *state) {
	for i := range s.ties {
		x := &s.ties[i]
		f, ok := t.ix.Fence(x.ref)
		if ok && f.ID == x.id && f.Revision == x.rev {
			continue
		}
		ref, exists := t.ix.Lookup(x.id)
		if f, _ = t.ix.Fence(ref); exists && (f.Revision == x.rev || t.stays(s, x, &f)) {
			x.ref, x.rev = ref, f.Revision
			if x.inside {
				t.beginStay(s, x, &f)
			}
			continue
		}
		if x.inside {
			x.inside = false
			t.note(v, x, s.t)
		}
		x.clear()
	}
	s.prune()
	slices.SortFunc(s.ties, func(a, b tie) int { return int(a.ref) - int(b.ref) })
}
