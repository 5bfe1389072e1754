package simulator

import (
	"math"
	"time"
)

// leg is a part of a journey along one straight line with constant acceleration.
type leg struct {
	start, end float64 // seconds since the journey began
	from       vec     // metres
	dir        vec     // unit vector, also while standing
	speed      float64 // at start, m/s
	accel      float64 // m/s²
	parked     bool    // engine off
}

// at returns place and speed at a time within the leg.
func (l leg) at(t float64) (vec, float64) {
	d := t - l.start
	v := l.speed + l.accel*d
	return l.from.add(l.dir.times(d * (l.speed + v) / 2)), v
}

// run returns the legs along a line: from one speed up to the cruise speed and down to another.
//
//	speed      ______
//	         /        \
//	in _____/          \____ out
func run(start float64, from, to vec, in, cruise, out, up, down float64) []leg {
	way := to.sub(from)
	length := way.length()
	dir := way.times(1 / length)
	// The highest speed from which the way is still long enough to slow down.
	reachable := math.Sqrt((2*length*up*down + down*in*in + up*out*out) / (up + down))
	top := min(cruise, reachable)
	climb, fall := (top*top-in*in)/(2*up), (top*top-out*out)/(2*down)
	var legs []leg
	at := start
	add := func(from vec, speed, accel, seconds float64) {
		if seconds > 1e-9 {
			legs = append(legs, leg{start: at, end: at + seconds, from: from, dir: dir, speed: speed, accel: accel})
			at += seconds
		}
	}
	add(from, in, up, (top-in)/up)
	add(from.add(dir.times(climb)), top, 0, (length-climb-fall)/top)
	add(from.add(dir.times(length-fall)), top, -down, (top-out)/down)
	return legs
}

// stand returns a leg of standing still.
func stand(start float64, at, dir vec, d time.Duration, parked bool) leg {
	return leg{start: start, end: start + d.Seconds(), from: at, dir: dir, parked: parked}
}
