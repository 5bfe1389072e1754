package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// Numbers of watches.
const (
	watchSlack  = 0.5     // m/s below the limit at which an excess of speed is over: speeds hover
	watchWay    = 120_000 // milliseconds; positions farther apart say nothing about the speed in between
	absentAfter = 10_000  // milliseconds of the arrival clock that fixes of that moment have to come in
	absentDay   = 86_400_000
)

// told is a set of what a watch has told of a stay.
type told uint8

const (
	toldOver    told = 1 << iota // faster than the limit, and not slower since
	toldStopped                  // stands for long
	toldSilent                   // not heard of for long
)

func (x told) has(y told) bool { return x&y != 0 }

// leaving is what was known of a vehicle before a fix.
type leaving struct {
	p     orb.Point
	t     int64
	speed float32
}

// beginStay begins everything that is told of a stay as such.
func (t *Tracker) beginStay(s *state, x *tie, f *Fence) {
	t.watchDwell(s, x, f.Dwell)
	if f.Watch.watches() {
		s.watched = true
	}
}

// watch looks, after a fix, at the fences with a watch that the vehicle is inside of.
func (t *Tracker) watch(s *state, f *Fix, from *leaving) {
	s.watched = false
	shift := t.vehicles[s.vehicle].clock.shift()
	for i := range s.ties {
		x := &s.ties[i]
		w, rev := t.watchOf(x)
		if w == nil {
			continue
		}
		s.watched = true
		x.told &^= toldSilent
		if s.t == f.Time { // accepted
			if w.Limit > 0 {
				t.weighSpeed(s, x, w, rev, s.paceOf(f, from, w.Limit), shift)
			}
			if !s.standing {
				x.told &^= toldStopped
			}
		}
		t.standUntil(s, x, w, rev, f.Time+shift, WhyClear)
		t.await(s, x, w)
	}
}

// watchOf returns what to look for while inside x's fence, and the fence's revision; nil for nothing.
func (t *Tracker) watchOf(x *tie) (*Watch, uint64) {
	if !x.inside {
		return nil, 0
	}
	f, ok := t.ix.Fence(x.ref)
	if !ok || !f.Watch.watches() {
		return nil, 0
	}
	return f.Watch, f.Revision
}

// pace is what a fix says about a speed limit.
type pace struct {
	over, proved bool  // above it; beyond doubt
	below        bool  // clearly no longer above
	alone        bool  // the position before is too old to say anything about the time since
	since        int64 // over: since when, device time
	why          Why
}

// paceOf compares the speed of f, or of the way to it, with a limit.
func (s *state) paceOf(f *Fix, from *leaving, limit float64) pace {
	if v := knownSpeed(f); !math.IsNaN(v) {
		p := pace{over: v > limit, below: v <= limit-watchSlack, since: f.Time}
		p.alone = from.t == 0 || f.Time-from.t > watchWay
		if p.over && !p.alone && float64(from.speed) > limit {
			p.proved, p.since = true, from.t
		}
		if f.Time-from.t > sparseWay*1000 {
			p.why = WhySparse
		}
		return p
	}
	span := f.Time - from.t
	if from.t == 0 || span <= 0 || span > watchWay {
		return pace{below: s.standing, alone: true}
	}
	seconds, d, noise := float64(span)/1000, metres(from.p, s.p), math.Sqrt2*float64(s.sigma)
	over := d-2*noise > limit*seconds
	return pace{
		over: over, proved: over, since: from.t, why: WhyDerived,
		below: s.standing || d+2*noise <= limit*seconds || !over && d <= limit*seconds,
	}
}

// weighSpeed tells when an excess of speed begins and ends.
func (t *Tracker) weighSpeed(s *state, x *tie, w *Watch, rev uint64, p pace, shift int64) {
	switch {
	case p.over:
		if x.over == 0 || p.alone && !x.told.has(toldOver) {
			x.over = max(p.since+shift, x.since)
		}
		if p.proved && !x.told.has(toldOver) && s.t+shift-x.over >= w.LimitFor.Milliseconds() {
			x.told |= toldOver
			t.tellWatch(s, x, rev, Overspeed, x.over, p.why)
		}
	case x.told.has(toldOver) && p.below:
		x.told &^= toldOver
		x.over = 0
		t.tellWatch(s, x, rev, OverspeedEnd, s.t+shift, p.why)
	case !x.told.has(toldOver):
		x.over = 0
	}
}

// stopFull returns when the stop the vehicle makes inside x's fence is long enough; false if it makes none or
// it was told.
func (t *Tracker) stopFull(s *state, x *tie, w *Watch) (int64, bool) {
	if w.Stopped <= 0 || !s.standing || x.told.has(toldStopped) {
		return 0, false
	}
	return max(s.still+t.vehicles[s.vehicle].clock.shift(), x.since) + w.Stopped.Milliseconds(), true
}

// silenceFull returns when nothing was heard for long enough; false if that was told.
func (t *Tracker) silenceFull(s *state, x *tie, w *Watch) (int64, bool) {
	if w.Silent <= 0 || x.told.has(toldSilent) {
		return 0, false
	}
	return s.newest + t.vehicles[s.vehicle].clock.shift() + w.Silent.Milliseconds(), true
}

// standUntil tells a stop that is long enough at a moment of true time.
func (t *Tracker) standUntil(s *state, x *tie, w *Watch, rev uint64, now int64, why Why) {
	if full, ok := t.stopFull(s, x, w); ok && full <= now {
		x.told |= toldStopped
		t.tellWatch(s, x, rev, Stopped, full, why)
	}
}

// watchUntil tells, before a fix, the stops that were long enough by then.
func (t *Tracker) watchUntil(s *state, now int64) {
	for i := range s.ties {
		if w, rev := t.watchOf(&s.ties[i]); w != nil {
			t.standUntil(s, &s.ties[i], w, rev, now, t.heardWhy(s, now))
		}
	}
}

// heardWhy returns how sure one can be of a moment of true time by the newest fix before it.
func (t *Tracker) heardWhy(s *state, at int64) Why {
	switch age := at - s.t - t.vehicles[s.vehicle].clock.shift(); {
	case age > longestUp*1000:
		return WhyGap
	case age > sparseWay*1000:
		return WhySparse
	}
	return WhyClear
}

// tellWatch puts what a watch found on its way out.
func (t *Tracker) tellWatch(s *state, x *tie, rev uint64, k Kind, at int64, why Why) {
	t.work.told = append(t.work.told, ranked{order: t.work.strides, group: 2, key: at, Crossing: Crossing{
		Vehicle: s.vehicle, Fence: x.id, Revision: rev, Kind: k, Time: at, Point: s.p,
		Confidence: why.confidence(), Why: why,
	}})
}

// carryTold keeps what was told of stays that go on in a past that was lived again.
func carryTold(before, now []tie) {
	for i := range before {
		was := &before[i]
		for j := range now {
			x := &now[j]
			if x.ref == was.ref && x.inside && was.inside && x.since < was.since+pastNearest {
				x.dwelt = x.dwelt || was.dwelt
				x.told |= was.told &^ toldOver
			}
		}
	}
}
