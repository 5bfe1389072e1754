package quality

// DayHours is how long a working day is followed.
const DayHours = 24

// NewDay makes the working day of a kind and a seed: 24 hours in a town, a night and stays at a few places that the
// vehicle comes to again and again, and one or two fences that matter to it. It panics on an unknown kind.
//
// In a [New] world a fence is everywhere; here there are as few as a fleet has, so that mistakes per day are those
// of a fleet.
func NewDay(name string, seed uint64) *World {
	return newWorld(name, "day "+name, seed, 22, func(b *builder) *path {
		t := newTown(b.rng, 3+b.rng.IntN(4))
		p := t.day()
		for range 1 + b.rng.IntN(2) {
			b.matters(t, p)
		}
		return p
	})
}

// day is a night at the first place, then trips between places until the day is over.
func (t *town) day() *path {
	p := &path{at: []Point{t.places[0].yard}, speed: []float64{0}, course: []float64{0}}
	p.stand(3600 * (7 + t.rng.IntN(3)))
	here := 0
	for len(p.at) < DayHours*3600-3600 {
		next := t.rng.IntN(len(t.places))
		if next == here {
			continue
		}
		p.travel(t.rng, t.smooth(t.way(t.places[here], t.places[next])), 9+t.rng.Float64()*13)
		p.stand(120 + int(t.rng.ExpFloat64()*900))
		here = next
	}
	p.stand(max(DayHours*3600-len(p.at), 120))
	return p
}

// matters lays one fence where it matters: around or beside a place, or across or along a street that is used.
func (w *builder) matters(t *town, p *path) {
	place := t.places[w.rng.IntN(len(t.places))]
	switch k := w.rng.Float64(); {
	case k < 0.3:
		w.atStop(place.yard)
	case k < 0.45:
		w.circle(place.yard.add(polar(w.rng.Float64()*60, w.rng.Float64()*360)), 50+w.rng.Float64()*200)
	case k < 0.7:
		w.circle(w.near(p, 60), 40+w.rng.Float64()*160)
	case k < 0.8:
		w.polygon(box(w.near(p, 40), w.rng.Float64()*360, 60+w.rng.Float64()*300, 60+w.rng.Float64()*300))
	case k < 0.88:
		w.polygon(yard(w.near(p, 60), 120+w.rng.Float64()*200, w.rng.Float64()*360))
	case k < 0.95:
		c := w.near(p, 100)
		w.polygon(ring(c, 250+w.rng.Float64()*200, 9), ring(c, 60+w.rng.Float64()*100, 6))
	default:
		w.beside(p)
	}
}

// yard returns a U, open towards degrees.
func yard(c Point, size, degrees float64) []Point {
	var all []Point
	for _, q := range [][2]float64{{-1, -1}, {1, -1}, {1, 1}, {0.35, 1}, {0.35, -0.3}, {-0.35, -0.3}, {-0.35, 1}, {-1, 1}} {
		all = append(all, c.add(polar(q[1]*size/2, degrees)).add(polar(q[0]*size/2, degrees+90)))
	}
	return all
}
