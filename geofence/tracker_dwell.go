package geofence

import "time"

// dwellPatience is how long after an enter was told its dwell waits at least, in milliseconds of the arrival
// clock: fixes that come in a batch may show that the vehicle has left already.
const dwellPatience = 10_000

// watchDwell remembers that a stay which began at x.since is told when it has lasted d.
func (t *Tracker) watchDwell(s *state, x *tie, d time.Duration) {
	if d <= 0 || x.dwelt {
		return
	}
	full := x.since + d.Milliseconds()
	if s.dwell == 0 || full < s.dwell {
		s.dwell = full
	}
	t.timers.add(timer{at: max(full+clockLatency, t.now+dwellPatience), vehicle: s.vehicle, kind: timerDwell})
}

// dwellUntil tells the stays that are long enough at a moment of true time, by what is known so far.
func (t *Tracker) dwellUntil(s *state, now int64) {
	if s.dwell == 0 || now < s.dwell {
		return
	}
	s.dwell = 0
	for i := range s.ties {
		x := &s.ties[i]
		f, ok := t.ix.Fence(x.ref)
		if !ok || !x.inside || x.dwelt || f.Dwell <= 0 {
			continue
		}
		full := x.since + f.Dwell.Milliseconds()
		if full <= now {
			x.dwelt = true
			t.tellDwell(s, &f, full)
			continue
		}
		if s.dwell == 0 || full < s.dwell {
			s.dwell = full
		}
	}
}

// tellDwell puts a dwell on its way out.
func (t *Tracker) tellDwell(s *state, f *Fence, at int64) {
	t.work.told = append(t.work.told, ranked{order: t.work.strides, key: at, Crossing: Crossing{
		Vehicle: s.vehicle, Fence: f.ID, Revision: f.Revision, Kind: Dwell, Time: at, Point: s.p,
		Confidence: WhyClear.confidence(), Why: WhyClear,
	}})
}

// fireDwell tells the stays that are long enough though nothing was heard.
func (t *Tracker) fireDwell(dst []Crossing, v *vehicle, now int64) []Crossing {
	if v.past != nil && v.past.dirty { // late fixes are being sorted in: they decide first
		t.timers.add(timer{at: now + pastSettle, vehicle: v.vehicle, kind: timerDwell})
		return dst
	}
	start := len(dst)
	t.reconcile(v.vehicle, &v.state)
	t.dwellUntil(&v.state, now-clockLatency)
	dst = t.work.drain(dst)
	for i := range dst[start:] {
		dst[start+i].Late = now-dst[start+i].Time > lateAfter
	}
	if v.past != nil {
		v.past.tell(dst[start:])
	}
	return dst
}
