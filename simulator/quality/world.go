package quality

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"
)

// World is one vehicle's day among fences.
type World struct {
	Kind   string
	Seed   uint64
	Fences []*Fence
	Fixes  []Fix // by arrival

	path   *path
	start  time.Time
	device device
	frame  frame
	begins float64 // true second of the first good fix that came
}

// Hours is how long the day of a world is.
const Hours = 8

// New makes the world of a kind and a seed. It panics on an unknown kind.
func New(kind string, seed uint64) *World {
	return newWorld(kind, kind, seed, 5, func(b *builder) *path {
		p := drive(b.rng, Hours*3600)
		b.around(p)
		return p
	})
}

// newWorld makes a world that begins at an hour. salt keeps the numbers of worlds of one kind and seed apart; lay drives
// the vehicle and lays the fences.
func newWorld(name, salt string, seed uint64, hour int, lay func(*builder) *path) *World {
	k, ok := kindNamed(name)
	if !ok {
		panic(fmt.Sprintf("quality: unknown kind %q", name))
	}
	h := fnv.New64a()
	h.Write([]byte(salt))
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	origin := orb.Point{-170 + rng.Float64()*340, -60 + rng.Float64()*125}
	if k.dateline {
		origin[0] = 180
	}
	b := &builder{rng: rng, frame: frameAt(origin)}
	d := k.device(rng)
	p := lay(b)
	start := time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)
	r := &receiver{device: d, rng: rng, path: p, start: start, frame: b.frame, name: name}
	w := &World{Kind: name, Seed: seed, Fences: b.fences, Fixes: r.fixes(), path: p, start: start, device: d, frame: b.frame}
	w.begins = firstGood(w.Fixes)
	return w
}

// Hours returns how long the vehicle was followed.
func (w *World) Hours() float64 { return float64(len(w.path.at)) / 3600 }

// Interval returns the seconds between two fixes of a moving vehicle.
func (w *World) Interval() float64 { return w.device.interval }

// ParkedHours returns how long the vehicle stood for more than two minutes.
func (w *World) ParkedHours() float64 {
	sum := 0
	for _, s := range w.path.stops {
		sum += s.to - s.from
	}
	return float64(sum) / 3600
}

func firstGood(fs []Fix) float64 {
	first := 1e18
	for i := range fs {
		if fs[i].good {
			first = min(first, fs[i].t)
		}
	}
	return first
}

// builder lays fences around a path.
type builder struct {
	rng    *rand.Rand
	frame  frame
	fences []*Fence
}

func (w *builder) fenceID() string { return fmt.Sprintf("f%d", len(w.fences)+1) }

// around lays fences where they hurt: across and beside the way, and near where the vehicle stands.
func (w *builder) around(p *path) {
	for range 14 {
		w.circle(w.near(p, 150), 30+w.rng.Float64()*w.rng.Float64()*500)
	}
	for range 6 {
		w.polygon(box(w.near(p, 100), w.rng.Float64()*360, 60+w.rng.Float64()*500, 40+w.rng.Float64()*400))
	}
	for range 3 {
		c := w.near(p, 100)
		w.polygon(ring(c, 250+w.rng.Float64()*200, 9), ring(c, 60+w.rng.Float64()*100, 6))
	}
	for range 4 {
		w.beside(p)
	}
	for _, s := range p.stops {
		w.atStop(p.at[s.from])
	}
}

// near returns a point within so many metres of a random point of the way.
func (w *builder) near(p *path, metres float64) Point {
	i := w.rng.IntN(len(p.at))
	for range 50 {
		if p.speed[i] > 3 {
			break
		}
		i = w.rng.IntN(len(p.at))
	}
	return p.at[i].add(polar(w.rng.Float64()*metres, w.rng.Float64()*360))
}

// beside lays a fence along a street, 10 to 25 m from its middle.
func (w *builder) beside(p *path) {
	i := w.rng.IntN(len(p.at))
	for range 200 {
		if p.speed[i] > 6 {
			break
		}
		i = w.rng.IntN(len(p.at))
	}
	side := p.course[i] + 90
	edge := p.at[i].add(polar(10+w.rng.Float64()*15, side))
	w.polygon(box(edge, side+180, 200+w.rng.Float64()*600, 50+w.rng.Float64()*100))
}

// atStop lays a boundary 12 to 40 m from where the vehicle stands, around it or not.
func (w *builder) atStop(p Point) {
	away := w.rng.Float64() * 360
	edge := p.add(polar(12+w.rng.Float64()*28, away))
	if w.rng.Float64() < 0.5 {
		w.polygon(box(edge, away, 150+w.rng.Float64()*200, 100+w.rng.Float64()*200))
		return
	}
	w.polygon(box(edge, away+180, 60+w.rng.Float64()*200, 60+w.rng.Float64()*200))
}

// ring returns n corners around c.
func ring(c Point, radius float64, n int) []Point {
	var all []Point
	for i := range n {
		all = append(all, c.add(polar(radius, float64(i)*360/float64(n))))
	}
	return all
}
