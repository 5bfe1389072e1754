package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// drive takes a fix that the vehicle moved to: what lies on the way is crossed.
func (t *Tracker) drive(s *state, f *Fix, m *move) {
	s.settled = s.settled || m.travelled()
	if s.settled {
		t.along(s, wayOf(s, f, m))
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

// Ways between fixes, in seconds.
const (
	sparseWay = 30  // from here on a crossing's confidence is 2
	longestUp = 300 // from here on the straight way says nothing about what lies along it
)

// way is the straight way between two accepted positions.
type way struct {
	a, b     orb.Point
	from, to int64   // Unix milliseconds
	v0, v1   float64 // m/s at the ends, NaN unknown
	sigma    float64 // metres, of b
	stop     bool    // b is the mean of a stop
	proved   bool    // b was kept aside until a later fix proved it
	jump     bool    // nothing explains the movement; only where it ends is known
}

// wayOf returns the way of a movement.
func wayOf(s *state, f *Fix, m *move) *way {
	return &way{
		a: s.p, b: f.Point, from: s.leftAt(), to: f.Time,
		v0: m.v0, v1: m.v1, sigma: m.sigma,
	}
}

// seconds returns how long the way took.
func (w *way) seconds() float64 { return float64(w.to-w.from) / 1000 }

// gap reports whether the way is too long in time to say what happened along it.
func (w *way) gap() bool { return w.jump || w.seconds() > longestUp }

// why returns the reason for the confidence in a crossing on the way.
func (w *way) why() Why {
	switch {
	case w.gap():
		return WhyGap
	case w.stop:
		return WhyShallow
	case w.seconds() > sparseWay:
		return WhySparse
	}
	return WhyClear
}

// timeAt returns when the vehicle was at fraction f of the way. Between known speeds the motion is a
// smooth curve that has them at its ends; without, it is even.
func (w *way) timeAt(f float64) int64 {
	span := float64(w.to - w.from)
	if w.gap() {
		back := (1 - f) * metres(w.a, w.b) / max(8, zeroIfNaN(w.v1)) * 1000
		return w.to - int64(min(back, span))
	}
	return w.from + int64(math.Round(w.progress(f)*span))
}

// progress returns the part of the time after which fraction f of the way is done.
func (w *way) progress(f float64) float64 {
	if math.IsNaN(w.v0) || math.IsNaN(w.v1) || f <= 0 || f >= 1 {
		return min(max(f, 0), 1)
	}
	d := metres(w.a, w.b)
	if d < 1 {
		return f
	}
	if waited, ok := w.waited(f, d); ok {
		return waited
	}
	u, v := w.v0*w.seconds()/d, w.v1*w.seconds()/d
	if r := math.Sqrt(u*u + v*v); r > 3 { // keeps the curve from running backwards
		u, v = u*3/r, v*3/r
	}
	lo, hi := 0.0, 1.0
	for range 20 {
		mid := (lo + hi) / 2
		if hermite(u, v, mid) < f {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// thrust is how a driver usually speeds up and brakes, in m/s².
const thrust = 1.7

// waited returns the progress on a way of d metres that begins or ends standing and took longer than it
// had to: the vehicle stood at that end, and drove in one go. It is false for any other way.
func (w *way) waited(f, d float64) (float64, bool) {
	starts, ends := w.v0 < slowSpeed && w.v1 >= fastSpeed, w.v1 < slowSpeed && w.v0 >= fastSpeed
	if !starts && !ends {
		return 0, false
	}
	v, x := w.v1, f*d
	if ends { // the same film backwards
		v, x = w.v0, (1-f)*d
	}
	v = max(v, 5)
	ramp := min(v*v/(2*thrust), d) // metres of speeding up
	whole := math.Sqrt(2*ramp/thrust) + (d-ramp)/v
	spent := math.Sqrt(2*min(x, ramp)/thrust) + max(x-ramp, 0)/v
	idle := w.seconds() - whole
	if idle <= 0 {
		return 0, false
	}
	part := (idle + spent) / w.seconds()
	if ends {
		part = 1 - part
	}
	return part, true
}

// hermite is the cubic from 0 to 1 with slopes u at 0 and v at 1.
func hermite(u, v, x float64) float64 {
	x2 := x * x
	x3 := x2 * x
	return (x3-2*x2+x)*u + (3*x2 - 2*x3) + (x3-x2)*v
}

func zeroIfNaN(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
