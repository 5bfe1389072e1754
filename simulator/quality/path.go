package quality

import "math/rand/v2"

// path is where a vehicle really is, once a second from second 0.
type path struct {
	at     []Point
	speed  []float64 // m/s
	course []float64 // degrees
	stops  []stop
}

// stop is a stay of more than two minutes, in seconds of the path.
type stop struct{ from, to int }

// where returns the true position at second t, which may have a fraction.
func (p *path) where(t float64) Point {
	i := int(t)
	if i < 0 {
		return p.at[0]
	}
	if i >= len(p.at)-1 {
		return p.at[len(p.at)-1]
	}
	return mix(p.at[i], p.at[i+1], t-float64(i))
}

// driver makes a path of trips and stays through a city of bending streets.
type driver struct {
	rng    *rand.Rand
	pos    Point
	course float64
	speed  float64
	path   path
}

// drive returns a path of about so many seconds.
func drive(rng *rand.Rand, seconds int) *path {
	d := &driver{rng: rng, course: rng.Float64() * 360}
	d.stay(60 + rng.IntN(300))
	for len(d.path.at) < seconds {
		d.trip(400 + rng.Float64()*8000)
		d.stay(120 + rng.IntN(4000))
	}
	return &d.path
}

// step moves on by a second.
func (d *driver) step() {
	d.pos = d.pos.add(polar(d.speed, d.course))
	d.path.at = append(d.path.at, d.pos)
	d.path.speed = append(d.path.speed, d.speed)
	d.path.course = append(d.path.course, d.course)
}

// stay stands for so many seconds.
func (d *driver) stay(seconds int) {
	d.speed = 0
	if seconds >= 120 {
		d.path.stops = append(d.path.stops, stop{len(d.path.at), len(d.path.at) + seconds})
	}
	for range seconds {
		d.step()
	}
}

// trip drives so many metres, street by street.
func (d *driver) trip(metres float64) {
	for metres > 0 {
		street := 60 + d.rng.Float64()*600
		d.street(street, 7+d.rng.Float64()*d.rng.Float64()*22)
		metres -= street
		d.corner()
	}
	d.street(40, 5)
}

// street drives along a street that may bend, up to a cruising speed and down for its end.
func (d *driver) street(metres, cruise float64) {
	bend := 0.0
	if d.rng.Float64() < 0.4 {
		bend = (d.rng.Float64() - 0.5) * 0.3 // degrees per metre
	}
	for metres > 0 {
		limit := min(cruise, 4+metres/12)
		d.speed = max(min(d.speed+1.6, limit), d.speed-2.5, 0.5)
		d.course += bend * d.speed
		d.step()
		metres -= d.speed
	}
}

// corner goes on straight, turns, turns back, or waits at a light first.
func (d *driver) corner() {
	if d.rng.Float64() < 0.3 {
		for d.speed > 2.5 {
			d.speed -= 2.5
			d.step()
		}
		d.stay(5 + d.rng.IntN(55))
	}
	switch k := d.rng.Float64(); {
	case k < 0.35:
		return
	case k < 0.65:
		d.turn(90)
	case k < 0.95:
		d.turn(-90)
	default:
		d.turn(180)
	}
}

// turn turns by degrees at low speed.
func (d *driver) turn(degrees float64) {
	n := 4
	if degrees == 180 {
		n = 7
	}
	for range n {
		d.speed = max(min(d.speed+1, 5), d.speed-2.5)
		d.course += degrees / float64(n)
		d.step()
	}
}
