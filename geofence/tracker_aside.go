package geofence

import "math"

// Fixes kept aside: how many prove a path or a place. Reflections last for one to five fixes.
const (
	asideMost   = 8
	asidePlace  = 7       // fixes in one place
	asideLong   = 3       // or so many over asideSpan
	asideSpan   = 600_000 // milliseconds
	asidePath   = 3       // fixes that move on by themselves, when the vehicle stood or was not heard of
	asideBeside = 6       // the same beside a path that was good until just now
	asideFresh  = 30_000  // milliseconds since then
)

// aside holds fixes that no movement explains, until they prove a path or a place or the vehicle is back.
type aside struct {
	n     int
	soft  bool // the first is merely odd: the next fix decides
	fixes [asideMost]Fix
}

// refute drops what was kept aside: the vehicle is where it was expected.
func (s *state) refute(t *Tracker) {
	if s.aside != nil {
		t.work.asides = append(t.work.asides, s.aside)
		s.aside = nil
	}
}

// weigh asks whether f goes on from what is kept aside, or from where the vehicle was before. m and v are
// the movement and the verdict for the latter.
func (t *Tracker) weigh(s *state, f *Fix, m *move, v verdict) {
	last := stateOf(&s.aside.fixes[s.aside.n-1])
	on := moveOf(&last, f)
	goesOn, returns := on.judge() == moving, v == resting || v == rolling || v == moving
	closer := s.aside.coincidence(s.t)
	switch {
	case v == resting || v == rolling:
		s.refute(t)
		t.obey(s, f, m, v)
	case s.aside.soft && (goesOn && !(returns && s.spike(m, &on)) || !returns):
		t.takeOver(s, f)
	case goesOn && returns && closer*on.d < m.d && s.standing:
		t.takeOver(s, f)
	case goesOn && closer*on.d < m.d, !returns:
		t.keepAside(s, f, false)
	default:
		s.refute(t)
		t.obey(s, f, m, v)
	}
}

// keepAside adds f to the fixes kept aside and takes them over once they prove themselves.
func (t *Tracker) keepAside(s *state, f *Fix, soft bool) {
	if s.aside == nil {
		s.aside = t.newAside()
	}
	a := s.aside
	if a.n > 0 && !a.continues(f) {
		a.n = 0
	}
	a.soft = soft && a.n == 0
	a.fixes[a.n] = *f
	a.n++
	if a.n == asideMost || !a.soft && a.proves(s) {
		t.takeOver(s, nil)
	}
}

// spike reports whether the way over the odd fix goes out and comes back: m leads past it, on from it.
func (s *state) spike(m, on *move) bool {
	out := m.plane.distance(s.p, s.aside.fixes[0].Point)
	return out+on.d > 2*m.d+4*m.noise
}

// coincidence returns how many times nearer to what is kept aside a fix must lie, to be no coincidence.
func (a *aside) coincidence(t int64) float64 {
	switch {
	case a.n >= 4, a.fixes[0].Time-t > pastGap: // after a silence a vehicle may well be elsewhere
		return 1
	case a.n >= 2:
		return 1.4
	}
	return 2
}

func (t *Tracker) newAside() *aside {
	if n := len(t.work.asides); n > 0 {
		a := t.work.asides[n-1]
		t.work.asides = t.work.asides[:n-1]
		a.n = 0
		return a
	}
	return &aside{}
}

// continues reports whether f can follow the last fix kept aside.
func (a *aside) continues(f *Fix) bool {
	last := stateOf(&a.fixes[a.n-1])
	m := moveOf(&last, f)
	return m.judge() != impossible
}

// stateOf returns a state that knows one fix only.
func stateOf(f *Fix) state {
	return state{
		p: f.Point, t: f.Time, moved: f.Time, speed: float32(knownSpeed(f)), course: f.Heading,
		sigma: usualSigma,
	}
}

// proves reports whether the fixes kept aside are a path or a place of their own.
func (a *aside) proves(s *state) bool {
	first, last := &a.fixes[0], &a.fixes[a.n-1]
	span := last.Time - first.Time
	if a.n >= asidePlace || a.n >= asideLong && span >= asideSpan {
		return true
	}
	need := asidePath
	if s.accepted >= 3 && (!s.standing && first.Time-s.t <= asideFresh || a.leapt(s)) {
		need = asideBeside
	}
	return a.n >= need && a.path(s, float64(span)/1000)
}

// leapt reports whether no vehicle gets from where s is to the first fix kept aside: what is seen there may move as
// the vehicle does, and yet be its reflection.
func (a *aside) leapt(s *state) bool {
	m := moveOf(s, &a.fixes[0])
	return m.d-3*m.noise > reach(m.v0, m.v1, m.dt, hardThrust)
}

// path reports whether the fixes move on by themselves: each is farther from the first than the one before,
// and the whole way is one that speeds, or in their absence noise, explain.
func (a *aside) path(s *state, seconds float64) bool {
	first := &a.fixes[0]
	pl := planeAt(first.Point[1])
	far, speed, known := 0.0, 0.0, 0
	for i := 1; i < a.n; i++ {
		d := pl.distance(first.Point, a.fixes[i].Point)
		if d <= far {
			return false
		}
		far = d
		if v := knownSpeed(&a.fixes[i]); !math.IsNaN(v) {
			speed, known = speed+v, known+1
		}
	}
	if known == 0 {
		return far > max(25, 6*s.sigmaOf(first))
	}
	speed /= float64(known)
	return speed >= fastSpeed && far > max(4*s.sigmaOf(first), 0.4*speed*seconds)
}

// takeOver makes the fixes kept aside the vehicle's way, and f, if there is one, its next step. Only the first is
// believed as it is: one that does not follow from it may be a reflection of its own.
func (t *Tracker) takeOver(s *state, f *Fix) {
	a := s.aside
	first := a.reflected(s)
	s.aside = nil
	for i := first; i < a.n; i++ {
		m := moveOf(s, &a.fixes[i])
		m.learnSpeed(a, i, f)
		if i == first || s.aside == nil && s.judge(&m) <= moving {
			t.advance(s, &a.fixes[i], &m)
		} else {
			t.judged(s, &a.fixes[i])
		}
	}
	t.work.asides = append(t.work.asides, a)
	if f != nil {
		t.judged(s, f)
	}
}

// reflected returns how many of the first fixes kept aside still show a standing vehicle, in a place it cannot have got
// to. When it drives off at last they say nothing of where it stood.
func (a *aside) reflected(s *state) int {
	n := 0
	for s.standing && n+1 < a.n && knownSpeed(&a.fixes[n]) < slowSpeed && knownSpeed(&a.fixes[a.n-1]) >= fastSpeed {
		n++
	}
	return n
}

// learnSpeed takes the speed at the end of a movement from the fix after it, where the tracker reports none.
func (m *move) learnSpeed(a *aside, i int, after *Fix) {
	if i+1 < a.n {
		after = &a.fixes[i+1]
	}
	f := &a.fixes[i]
	if !math.IsNaN(m.v1) || after == nil || after.Time <= f.Time || after.Time-f.Time > sparseWay*1000 {
		return
	}
	m.v1 = m.plane.distance(f.Point, after.Point) * 1000 / float64(after.Time-f.Time)
}

// advance takes a fix that is proved, whatever the movement to it looks like.
func (t *Tracker) advance(s *state, f *Fix, m *move) {
	switch {
	case m.judge() == impossible:
		t.jump(s, f, m)
	case s.standing && s.judge(m) == resting:
		t.rest(s, f, m)
	default:
		t.drive(s, f, m)
	}
}

// jump takes a fix that is proved though no movement leads to it.
func (t *Tracker) jump(s *state, f *Fix, m *move) {
	if s.settled && s.accepted >= 3 {
		w := t.strideOf(s, f, m)
		w.jump = true
		t.along(s, w)
	} else {
		t.retake(s, f.Point, f.Time)
	}
	s.standing, s.rests = false, 0
	s.place(f)
	t.watchStop(s, f, m)
}
