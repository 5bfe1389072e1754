package simulator

import "time"

// pace maps the fleet's time to the wall clock.
type pace struct {
	unpaced bool
	began   time.Time // wall clock
	start   time.Time // fleet's time
	speed   float64
}

// sameClock is how near a fleet's start must be to now to be published at its own times.
const sameClock = time.Minute

func newPace(o PublisherOptions, start time.Time) pace {
	p := pace{unpaced: o.Unpaced, began: o.Now(), start: start, speed: o.Speed}
	if p.speed == 1 && p.began.Sub(start).Abs() < sameClock {
		p.began = p.began.Add(start.Sub(p.began)) // keeps the monotonic reading
	}
	return p
}

// due returns when a fix must be published.
func (p pace) due(fix time.Time) time.Time {
	if p.unpaced {
		return p.began
	}
	return p.began.Add(time.Duration(float64(fix.Sub(p.start)) / p.speed))
}
