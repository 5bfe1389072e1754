package geofence

import "slices"

// Options of a [Tracker]. The zero value is good.
type Options struct {
	Preset Preset // default Balanced
}

// Tracker follows vehicles and decides when they cross fences. It is a deterministic function of the calls
// made to it: it has no clock, and two trackers that were told the same answer the same.
//
// A tracker is owned by one goroutine. Vehicles never influence each other.
type Tracker struct {
	ix       *Index
	revision uint64 // the newest fence revision in ix
	edition  uint32 // grows whenever ix is replaced
	edited   edited
	margins  margins

	vehicles []vehicle
	ids      []string
	handles  map[string]Vehicle

	now     int64 // the newest moment of the arrival clock
	timers  timers
	alarms  map[Vehicle]int64 // when the timer of a watched vehicle is due, see arm
	changed []Member
	work    scratch
}

// NewTracker returns a tracker that knows no vehicle yet. A nil index holds no fence.
func NewTracker(ix *Index, o Options) *Tracker {
	if ix == nil {
		ix = NewIndex(nil)
	}
	return &Tracker{
		ix:       ix,
		revision: ix.Revision(),
		edition:  1,
		edited:   edited{all: 1},
		margins:  o.Preset.margins(),
		handles:  map[string]Vehicle{},
	}
}

// Vehicle returns the handle of the vehicle called id, creating it. Resolve it once and keep it: the look-up
// costs more than a whole [Tracker.Observe]. Handles are dense: 0, 1, 2 in the order of creation.
func (t *Tracker) Vehicle(id string) Vehicle {
	if v, ok := t.handles[id]; ok {
		return v
	}
	v := Vehicle(len(t.vehicles))
	t.handles[id] = v
	t.ids = append(t.ids, id)
	t.vehicles = append(t.vehicles, vehicle{state: state{vehicle: v}})
	return v
}

// ID returns the id that v was created with. It panics on a handle of another tracker that is out of range.
func (t *Tracker) ID(v Vehicle) string { return t.ids[v] }

// Observe tells the tracker a fix and appends to dst the crossings it decides, in the order decided; exits
// come before enters within one fix, and a Pass right after its own Enter and Exit. It first does what
// [Tracker.Advance] does at f.Received, so dst may also hold crossings of other vehicles.
//
// The first fix of a vehicle gives its memberships silently. Fixes are taken in the order of f.Time; one that
// is older than the newest is history: it may add crossings marked Late and never moves the vehicle back.
// A fix that no movement explains is kept aside until later ones prove or refute it; when it is proved, its
// crossings come with the fix that proved it and carry their own time.
//
// The numbers of f must be finite or NaN, its point valid, and its vehicle a handle of this tracker.
func (t *Tracker) Observe(dst []Crossing, f Fix) []Crossing {
	dst = t.Advance(dst, f.Received)
	v := &t.vehicles[f.Vehicle]
	v.clock.hear(f.Received, f.Time)
	t.reconcile(f.Vehicle, &v.state)
	if v.seen && f.Time <= v.newest {
		t.remember(&f)
		return dst
	}
	v.record(&f)
	start := len(dst)
	dst = t.follow(dst, &v.state, &f)
	if v.past != nil {
		dst = v.past.hold(dst, start)
		dst = v.past.unsaid(dst, start)
	}
	return dst
}

// Advance fires every timer that is due at now (Unix milliseconds of the arrival clock) and appends what
// they decide. Time never runs backwards: an older now does nothing.
func (t *Tracker) Advance(dst []Crossing, now int64) []Crossing {
	if t.now == 0 && now > 0 {
		t.attend(now)
	}
	for {
		due, ok := t.timers.pop(now)
		if !ok {
			t.now = max(t.now, now)
			return dst
		}
		t.now = max(t.now, due.at)
		dst = t.fire(dst, due)
	}
}

// Next returns when the next timer is due, in Unix milliseconds of the arrival clock, and false if none is.
func (t *Tracker) Next() (int64, bool) { return t.timers.next() }

// follow takes the next fix of a vehicle in the order of event time.
func (t *Tracker) follow(dst []Crossing, s *state, f *Fix) []Crossing {
	start, from := len(dst), leaving{s.p, s.t, s.speed}
	s.newest = f.Time
	if s.seen {
		at := f.Time + t.vehicles[f.Vehicle].clock.shift()
		t.dwellUntil(s, at)
		if s.watched {
			t.watchUntil(s, at)
		}
		t.judged(s, f)
	} else {
		t.firstSight(s, f)
	}
	if s.watched {
		t.watch(s, f, &from)
	}
	dst = t.work.drain(dst)
	t.stamp(dst[start:], f)
	return dst
}

// stamp marks crossings late that were shown by a fix too old to be news.
func (t *Tracker) stamp(cs []Crossing, f *Fix) {
	if len(cs) == 0 {
		return
	}
	clock := &t.vehicles[f.Vehicle].clock
	late := clock.age(f.Received, f.Time) > lateAfter
	for i := range cs {
		cs[i].Late = cs[i].Late || late
	}
}

// judged lets the movement since the last accepted fix decide what becomes of f.
func (t *Tracker) judged(s *state, f *Fix) {
	if s.vague(f) {
		s.hearClaim(f)
		return
	}
	m := moveOf(s, f)
	v := s.judge(&m)
	if s.aside != nil {
		t.weigh(s, f, &m, v)
		return
	}
	t.obey(s, f, &m, v)
}

// obey does what the verdict on f says.
func (t *Tracker) obey(s *state, f *Fix, m *move, v verdict) {
	switch v {
	case resting:
		t.rest(s, f, m)
	case rolling:
		s.t, s.speed = f.Time, f.Speed
	case moving:
		t.drive(s, f, m)
	case oddly:
		t.keepAside(s, f, true)
	case impossible:
		t.keepAside(s, f, false)
	}
}

// firstSight takes the first fix of a vehicle: a state, not an event.
func (t *Tracker) firstSight(s *state, f *Fix) {
	restored := s.restored
	*s = state{seen: true, vehicle: f.Vehicle, ties: s.ties, newest: f.Time, rev: t.revision, edition: t.edition, dwell: s.dwell, watched: s.watched}
	s.place(f)
	s.beginStop(f)
	if restored {
		t.compareRestored(s, f)
		return
	}
	t.retake(s, f.Point, f.Time)
}

// scratch is memory reused by every call.
type scratch struct {
	told      []ranked
	strides   int // decided since told was empty
	refs      []Ref
	found     []candidate
	stretches []Stretch
	lobes     []lobe
	stride    stride
	passages  []Passage
	crossing  crossing
	asides    []*aside
}

// ranked is a crossing on its way out. Of the crossings of one way, exits out of fences the vehicle was in
// before come first, then everything else by time; equal keys keep their order.
type ranked struct {
	Crossing
	order int
	group uint8
	key   int64
}

// drain appends what one fix decided to dst, in the promised order, and forgets it.
func (w *scratch) drain(dst []Crossing) []Crossing {
	if len(w.told) == 0 {
		return dst
	}
	slices.SortStableFunc(w.told, func(a, b ranked) int {
		if a.order != b.order {
			return a.order - b.order
		}
		if a.group != b.group {
			return int(a.group) - int(b.group)
		}
		return int(max(min(a.key-b.key, 1), -1))
	})
	for i := range w.told {
		dst = append(dst, w.told[i].Crossing)
	}
	w.told, w.strides = w.told[:0], 0
	return dst
}
