package geofence

import "math"

// drive takes a fix that the vehicle moved to: what lies on the way is crossed.
func (t *Tracker) drive(s *state, f *Fix, m *move) {
	s.settled = s.settled || m.travelled()
	if s.settled {
		t.along(s, t.strideOf(s, f, m))
	}
	s.standing = false
	s.place(f)
	s.derive(m)
	if !s.settled {
		t.retake(s, f.Point, f.Time)
	}
	t.watchStop(s, f, m)
}

// travelled reports whether the vehicle moved beyond doubt: by its speed, or where that is unknown by more
// than a receiver's first fixes are off.
func (m *move) travelled() bool {
	if math.IsNaN(m.v1) {
		return m.d > max(4*m.noise, 25)
	}
	return m.v1 >= fastSpeed
}

// derive fills speed and course from the movement where the tracker reports none.
func (s *state) derive(m *move) {
	if math.IsNaN(m.v1) {
		s.speed = float32(math.NaN())
		if m.dt > 0 && m.dt <= 60 {
			s.speed = float32(min(m.d/m.dt, topSpeed))
		}
	}
	if math.IsNaN(m.h1) && m.d > 3*m.noise {
		s.course = float32(math.Mod(math.Atan2(m.dx, m.dy)*180/math.Pi+360, 360))
	}
}

// watchStop counts slow fixes until they are a stop.
func (t *Tracker) watchStop(s *state, f *Fix, m *move) {
	if !m.slow(s) {
		s.rests = 0
		return
	}
	s.addStop(f, m)
	if s.stopped(f) {
		t.stop(s, f, m)
	}
}
