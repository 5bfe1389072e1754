package geofence

import (
	"cmp"
	"slices"
)

// everyone stands for no vehicle in particular in the timer of the fences' own times.
const everyone = Vehicle(1<<32 - 1)

// arm makes sure that a watched vehicle is looked at by a moment of the arrival clock. It has one timer that
// counts; a later one that was overtaken finds nothing to do.
func (t *Tracker) arm(v Vehicle, at int64) {
	if due, ok := t.alarms[v]; ok && due <= at {
		return
	}
	if t.alarms == nil {
		t.alarms = map[Vehicle]int64{}
	}
	t.alarms[v] = at
	t.timers.add(timer{at: at, vehicle: v, kind: timerWatch})
}

// await arms the vehicle's timer for what may have to be told of a stay without a fix.
func (t *Tracker) await(s *state, x *tie, w *Watch) {
	if full, ok := t.stopFull(s, x, w); ok {
		t.arm(s.vehicle, max(full+clockLatency, t.now+dwellPatience))
	}
	if full, ok := t.silenceFull(s, x, w); ok {
		t.arm(s.vehicle, max(full+clockLatency, t.now+dwellPatience))
	}
}

// fireWatch tells what is due though nothing was heard.
func (t *Tracker) fireWatch(dst []Crossing, due timer) []Crossing {
	if t.alarms[due.vehicle] != due.at {
		return dst
	}
	delete(t.alarms, due.vehicle)
	if due.vehicle == everyone {
		return t.fireFences(dst, due.at)
	}
	v := &t.vehicles[due.vehicle]
	if v.past != nil && v.past.dirty { // late fixes are being sorted in: they decide first
		t.arm(due.vehicle, due.at+pastSettle)
		return dst
	}
	start := len(dst)
	t.reconcile(due.vehicle, &v.state)
	t.tellDue(&v.state, due.at-clockLatency)
	dst = t.work.drain(dst)
	for i := range dst[start:] {
		dst[start+i].Late = due.at-dst[start+i].Time > lateAfter
	}
	if v.past != nil {
		v.past.tell(dst[start:])
	}
	return dst
}

// tellDue tells stops and silences that are long enough at a moment of true time, and arms what is not.
func (t *Tracker) tellDue(s *state, now int64) {
	for i := range s.ties {
		x := &s.ties[i]
		w, rev := t.watchOf(x)
		if w == nil {
			continue
		}
		t.standUntil(s, x, w, rev, now, t.heardWhy(s, now))
		if full, ok := t.silenceFull(s, x, w); ok && full <= now {
			x.told |= toldSilent
			t.tellWatch(s, x, rev, Silent, full, WhyClear)
		}
		t.await(s, x, w)
	}
}

// attend takes expired fences out of force and arms the timer of the fences' own times.
func (t *Tracker) attend(now int64) {
	var expired []FenceID
	next := int64(0)
	sooner := func(at int64) {
		if next == 0 || at < next {
			next = at
		}
	}
	for _, ref := range t.ix.fences.timed {
		f := t.ix.fences.at(ref)
		if f.Watch.Expires != 0 && f.Watch.Expires <= now {
			expired = append(expired, f.ID)
			continue
		}
		if f.Watch.Expires != 0 {
			sooner(f.Watch.Expires)
		}
		if f.Watch.Absent != nil {
			sooner(f.Watch.Absent.next(now-absentAfter) + absentAfter)
		}
	}
	if len(expired) > 0 {
		t.adopt(t.ix.With(nil, expired))
	}
	if next > 0 {
		t.arm(everyone, next)
	}
}

// fireFences tells who is absent at a moment of the arrival clock and ends fences that expire.
func (t *Tracker) fireFences(dst []Crossing, now int64) []Crossing {
	for _, ref := range t.ix.fences.timed {
		f := t.ix.fences.at(ref)
		if f.Watch.Absent != nil && f.Watch.Absent.next(now-absentAfter-1) == now-absentAfter {
			dst = t.tellAbsent(dst, f, now-absentAfter)
		}
	}
	t.attend(now)
	return dst
}

// tellAbsent tells the vehicles that are not inside f at a moment of true time.
func (t *Tracker) tellAbsent(dst []Crossing, f *Fence, at int64) []Crossing {
	ref, _ := t.ix.Lookup(f.ID)
	for _, v := range t.expected(f.Watch.Absent, at) {
		s := &t.vehicles[v].state
		t.reconcile(v, s)
		if i, tied := s.tie(ref); tied && s.ties[i].inside {
			continue
		}
		why := t.heardWhy(s, at)
		dst = append(dst, Crossing{
			Vehicle: v, Fence: f.ID, Revision: f.Revision, Kind: Absent, Time: at, Point: s.p,
			Confidence: why.confidence(), Why: why,
		})
	}
	return dst
}

// expected returns who has to be inside at a moment of true time and is known, ascending.
func (t *Tracker) expected(a *Absence, at int64) []Vehicle {
	var all []Vehicle
	if len(a.Vehicles) == 0 {
		for v := range t.vehicles {
			if s := &t.vehicles[v].state; s.seen && at-s.newest <= absentDay {
				all = append(all, Vehicle(v))
			}
		}
		return all
	}
	for _, id := range a.Vehicles {
		if v, ok := t.handles[id]; ok && t.vehicles[v].seen {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b Vehicle) int { return cmp.Compare(a, b) })
	return slices.Compact(all)
}
