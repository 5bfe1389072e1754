package geofence

import "math"

// When slow fixes are a stop.
const (
	stopFixes   = 3      // slow fixes that make a stop …
	stopSpan    = 8_000  // … over so many milliseconds
	stopBlind   = 60_000 // milliseconds in one place when the tracker reports no speed
	stopDecides = 60_000 // so long after its beginning the mean of a stop may still decide a crossing
	stopMemory  = 4096   // fixes after which the mean of a stop forgets

	settledMoves = 3 // times a tracker without speed must leave its place to have moved beyond doubt
)

// beginStop starts a new mean of slow fixes at f.
func (s *state) beginStop(f *Fix) {
	s.anchor, s.still, s.rests = f.Point, f.Time, 1
}

// addStop takes a fix into the mean, or begins a new one when it lies too far away.
func (s *state) addStop(f *Fix, m *move) {
	switch {
	case s.rests == 0:
		s.beginStop(f)
	case m.plane.distance(s.anchor, f.Point) > s.scatter(m):
		s.beginStop(f)
		s.moves = min(s.moves+1, settledMoves)
		s.settled = s.settled || s.moves == settledMoves
	default:
		s.average(f, m)
	}
}

// average moves the mean of the stop. A fix that is less exact than the first one counts by as much less: a reflection
// that owns up to its error would else pull the mean away from where the vehicle stands.
func (s *state) average(f *Fix, m *move) {
	if s.rests < stopMemory {
		s.rests++
	}
	exact := min(1, float64(s.sigma)/m.sigma)
	s.anchor = between(s.anchor, f.Point, exact*exact/float64(s.rests))
}

// stopped reports whether the slow fixes so far are a stop.
func (s *state) stopped(f *Fix) bool {
	span := f.Time - s.still
	if math.IsNaN(knownSpeed(f)) {
		return s.rests >= stopFixes && span >= stopBlind
	}
	return s.rests >= stopFixes && span >= stopSpan || s.rests >= 2 && span >= stopBlind/2
}

// slow reports whether the movement ends slowly.
func (m *move) slow(s *state) bool {
	if !math.IsNaN(m.v1) {
		return m.v1 < slowSpeed
	}
	return m.d <= s.scatter(m) && m.d <= max(fastSpeed*m.dt, 3*m.noise)
}

// rest takes a fix of a vehicle that stands: it makes its place more exact and crosses nothing, except that
// the mean of the first minute may still settle a boundary it was driven over just before.
func (t *Tracker) rest(s *state, f *Fix, m *move) {
	s.average(f, m)
	s.hearNoise(m.d)
	s.hearClaim(f)
	if f.Time-s.still <= stopDecides {
		t.settle(s, f, m)
	}
	s.p, s.t = s.anchor, f.Time
	s.speed = f.Speed // enough of it: the vehicle sets off
}

// stop makes the vehicle stand at the mean of its slow fixes.
func (t *Tracker) stop(s *state, f *Fix, m *move) {
	s.standing, s.speed = true, 0
	if !s.settled {
		s.settled = true
		s.p = s.anchor
		t.retake(s, s.p, f.Time)
		return
	}
	t.settle(s, f, m)
	s.p = s.anchor
}

// settle lets the mean of a stop decide the crossings that were still open.
func (t *Tracker) settle(s *state, f *Fix, m *move) {
	w := &t.work.stride
	*w = stride{
		a: s.p, b: s.anchor, length: m.plane.distance(s.p, s.anchor), from: s.t, to: f.Time, v0: math.NaN(), v1: math.NaN(),
		sigma: m.sigma, stop: true,
	}
	t.along(s, w)
}
