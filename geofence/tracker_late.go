package geofence

import "slices"

// remember takes a fix that is older than the newest. It never disturbs the live state at once: when the
// late fixes have settled, the past is lived again with them.
func (t *Tracker) remember(f *Fix) {
	v := &t.vehicles[f.Vehicle]
	if v.past == nil {
		v.past = v.past.begin(&v.state, f.Received, false)
		return
	}
	p := v.past
	if !p.insert(f) {
		return
	}
	p.live, p.heard, p.until = 0, f.Received, f.Received+pastPinned
	if !p.dirty {
		p.dirty = true
		t.timers.add(timer{at: f.Received + pastSettle, vehicle: f.Vehicle, kind: timerReplay})
	}
}

// fire does what a timer is for.
func (t *Tracker) fire(dst []Crossing, x timer) []Crossing {
	if x.kind == timerWatch {
		return t.fireWatch(dst, x)
	}
	v := &t.vehicles[x.vehicle]
	if x.kind == timerDwell {
		return t.fireDwell(dst, v, x.at)
	}
	if x.kind != timerReplay || v.past == nil || !v.past.dirty {
		return dst
	}
	if wait := v.past.heard + pastQuiet; wait > x.at {
		t.timers.add(timer{at: wait, vehicle: x.vehicle, kind: timerReplay})
		return dst
	}
	return t.relive(dst, x.vehicle, x.at)
}

// relive lives a vehicle's past again, now with the late fixes in their place. The state it leads to is the
// better one and takes over; crossings that were not told yet go out, marked late when they are old.
func (t *Tracker) relive(dst []Crossing, handle Vehicle, now int64) []Crossing {
	v := &t.vehicles[handle]
	p := v.past
	p.dirty, p.mark = false, 0
	before := slices.Clone(v.ties)
	changed := len(t.changed)
	v.state.copy(&p.base)
	t.reconcile(handle, &v.state)
	start := len(dst)
	for i := range p.log {
		dst = t.follow(dst, &v.state, &p.log[i])
	}
	carryTold(before, v.ties)
	t.changed = t.changed[:changed]
	t.noteDifference(handle, before, v.ties)
	return p.news(dst, start, now)
}

// news keeps of the crossings from dst[start:] those that were not told before.
func (p *past) news(dst []Crossing, start int, now int64) []Crossing {
	p.matchTold(dst[start:])
	kept := dst[:start]
	for _, c := range dst[start:] {
		if c.Vehicle == toldBefore {
			continue
		}
		c.Late = now-c.Time > lateAfter
		if c.Confidence > WhyReplayed.confidence() {
			c.Why, c.Confidence = WhyReplayed, WhyReplayed.confidence()
		}
		p.told = append(p.told, toldCrossing{c.Fence, c.Time, c.Kind})
		kept = append(kept, c)
	}
	return kept
}

// toldBefore marks a crossing that is to be left out.
const toldBefore = Vehicle(1<<32 - 1)

// matchTold marks, for each crossing told before, the nearest in time of the same fence and kind.
func (p *past) matchTold(cs []Crossing) {
	for _, x := range p.told {
		best, gap := -1, int64(0)
		for i := range cs {
			c := &cs[i]
			if c.Vehicle == toldBefore || c.Fence != x.fence || c.Kind != x.kind {
				continue
			}
			if d := max(x.at-c.Time, c.Time-x.at); best < 0 || d < gap {
				best, gap = i, d
			}
		}
		if best >= 0 {
			cs[best].Vehicle = toldBefore
		}
	}
}

// noteDifference notes the memberships in which now differs from before.
func (t *Tracker) noteDifference(v Vehicle, before, now []tie) {
	find := func(ties []tie, ref Ref) *tie {
		for i := range ties {
			if ties[i].ref == ref && ties[i].inside {
				return &ties[i]
			}
		}
		return nil
	}
	for i := range before {
		if x := before[i]; x.inside && find(now, x.ref) == nil {
			x.inside = false
			t.note(v, &x, t.vehicles[v].t)
		}
	}
	for i := range now {
		x := &now[i]
		if was := find(before, x.ref); x.inside && (was == nil || was.since != x.since) {
			t.note(v, x, x.since)
		}
	}
}
