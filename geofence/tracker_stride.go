package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// Ways between fixes, in seconds.
const (
	sparseWay = 30  // from here on a crossing's confidence is 2
	longestUp = 300 // from here on the straight way says nothing about what lies along it
)

// stride is the way between two accepted positions: straight, or bent where the courses at its ends say so.
type stride struct {
	a, b     orb.Point
	length   float64 // metres
	from, to int64   // Unix milliseconds
	v0, v1   float64 // m/s at the ends, NaN unknown
	sigma    float64 // metres, of b
	stop     bool    // b is the mean of a stop
	proved   bool    // b was kept aside until a later fix proved it
	rolled   bool    // a was a stop that the vehicle was leaving at from
	jump     bool    // nothing explains the movement; only where it ends is known

	bends int // knees of a way that is bent
	knees [mostKnees]orb.Point
	turns [mostKnees]float64 // fractions of the way at the knees
}

// strideOf returns the way of a movement; it holds until the next call.
func (t *Tracker) strideOf(s *state, f *Fix, m *move) *stride {
	w := &t.work.stride
	*w = stride{
		a: s.p, b: f.Point, length: m.d, from: s.leftAt(), to: f.Time,
		v0: m.v0, v1: m.v1, sigma: m.sigma, rolled: m.rolled > 0,
	}
	w.bend(m)
	return w
}

// at returns the place at fraction f of the way.
func (w *stride) at(f float64) orb.Point {
	a, from := w.a, 0.0
	for i := range w.bends {
		if f < w.turns[i] {
			return between(a, w.knees[i], (f-from)/(w.turns[i]-from))
		}
		a, from = w.knees[i], w.turns[i]
	}
	return between(a, w.b, (f-from)/(1-from))
}

// last returns where the last straight part of the way begins.
func (w *stride) last() orb.Point {
	if w.bends > 0 {
		return w.knees[w.bends-1]
	}
	return w.a
}

// leg is a straight part of a way that does not cross the 180° meridian, as fractions of the whole.
type leg struct {
	a, b     orb.Point
	from, to float64
}

// legs are the straight parts of a way, up to n.
type legs [2 * (mostKnees + 1)]leg

// legs cuts the way at its knees and at the 180° meridian.
func (w *stride) legs() (all legs, n int) {
	a, from := w.a, 0.0
	for i := range w.bends {
		n = cutMeridian(&all, n, leg{a, w.knees[i], from, w.turns[i]})
		a, from = w.knees[i], w.turns[i]
	}
	n = cutMeridian(&all, n, leg{a, w.b, from, 1})
	return all, n
}

// cutMeridian puts l into legs from n on, in two parts if it crosses the 180° meridian.
func cutMeridian(legs *legs, n int, l leg) int {
	d := l.b[0] - l.a[0]
	if math.Abs(d) <= 180 {
		legs[n] = l
		return n + 1
	}
	edge := math.Copysign(180, l.a[0])
	f := (edge - l.a[0]) / shortLon(d)
	lat, cut := l.a[1]+f*(l.b[1]-l.a[1]), l.from+f*(l.to-l.from)
	legs[n] = leg{l.a, orb.Point{edge, lat}, l.from, cut}
	legs[n+1] = leg{orb.Point{-edge, lat}, l.b, cut, l.to}
	return n + 2
}

// seconds returns how long the way took.
func (w *stride) seconds() float64 { return float64(w.to-w.from) / 1000 }

// gap reports whether the way is too long in time to say what happened along it.
func (w *stride) gap() bool { return w.jump || w.seconds() > longestUp }

// doubt returns how many times deeper than on a short way a part of this one must lead into a fence, or out of it, to be
// believed: the longer the way takes, the less a street keeps to it.
func (w *stride) doubt() float64 { return 1 + 0.3*min(w.seconds(), 60)/60 }

// reason returns why a crossing on the way is believed as much as it is.
func (w *stride) reason() Why {
	switch {
	case w.gap():
		return WhyGap
	case w.stop:
		return WhyShallow
	case w.seconds() > sparseWay:
		return WhySparse
	case w.proved:
		return WhyWaited
	}
	return WhyClear
}

// timeAt returns when the vehicle was at fraction f of the way. Between known speeds the motion is a
// smooth curve that has them at its ends; without, it is even.
func (w *stride) timeAt(f float64) int64 {
	span := float64(w.to - w.from)
	if w.gap() {
		back := (1 - f) * w.length / max(8, zeroIfNaN(w.v1)) * 1000
		return w.to - int64(min(back, span))
	}
	return w.from + int64(math.Round(w.progress(f)*span))
}

// progress returns the part of the time after which fraction f of the way is done.
func (w *stride) progress(f float64) float64 {
	if math.IsNaN(w.v0) || math.IsNaN(w.v1) || f <= 0 || f >= 1 {
		return min(max(f, 0), 1)
	}
	d := w.length
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
// had to: the vehicle stood at that end, and drove in one go. If it was setting off already at the beginning, it waited
// no one knows where along the way. It is false for any other way.
func (w *stride) waited(f, d float64) (float64, bool) {
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
	if w.rolled {
		idle *= f
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
