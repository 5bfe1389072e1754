package simulator

import (
	"math"
	"math/rand/v2"
	"sort"
	"sync"
	"time"
)

// How people drive.
const (
	speedUp   = 1.5 // m/s²
	slowDown  = 2.0 // m/s²
	turnSpeed = 5.0 // m/s round a corner
	redLight  = 0.15
	parking   = 0.04
)

// searchStep is the step of the search for boundaries along a leg: no fence is so thin that it fits between two.
const searchStep = 2.0 // metres

// journey is one vehicle's endless way through the city, made up as far as it is asked for.
type journey struct {
	city  *City
	start time.Time

	mu     sync.Mutex // guards everything below
	rand   *rand.Rand
	driver float64 // how much of the speed limit this driver uses
	legs   []leg
	sides  []bool // for each fence: inside at the end of legs
	passed []passage
	at     node // where the last leg ends
	next   node
	speed  float64
}

// passage is a crossing of a journey.
type passage struct {
	at    float64 // seconds since the start
	fence int     // index in the city
	enter bool
}

// newJourney begins at a crossroads outside all fences, standing.
func newJourney(c *City, start time.Time, seed uint64, vehicle int) *journey {
	r := rand.New(rand.NewPCG(seed, uint64(vehicle)))
	j := &journey{city: c, start: start, rand: r, driver: 0.85 + 0.15*r.Float64(), sides: make([]bool, len(c.Fences))}
	for {
		j.at = node{r.IntN(blocksEast + 1), r.IntN(blocksNorth + 1)}
		if c.free(j.at) {
			break
		}
	}
	around := j.at.neighbours()
	j.next = around[r.IntN(len(around))]
	j.append(stand(0, c.place(j.at), j.dir(), time.Duration(r.IntN(10_000))*time.Millisecond, false))
	return j
}

// dir is the direction of the block ahead.
func (j *journey) dir() vec {
	way := j.city.place(j.next).sub(j.city.place(j.at))
	return way.times(1 / way.length())
}

// extend makes the journey known up to a time, in seconds. Callers hold j.mu.
func (j *journey) extend(until float64) {
	for j.end() <= until {
		j.drive()
	}
}

func (j *journey) end() float64 { return j.legs[len(j.legs)-1].end }

// drive adds one block and what waits at its end.
func (j *journey) drive() {
	after := j.choose()
	wait, parked := j.wait()
	cruise := j.city.limit(j.at, j.next) * j.driver
	out := turnSpeed
	if straight(j.at, j.next, after) {
		out = min(cruise, j.city.limit(j.next, after)*j.driver)
	}
	if wait > 0 {
		out = 0
	}
	for _, l := range run(j.end(), j.city.place(j.at), j.city.place(j.next), j.speed, cruise, min(out, cruise), speedUp, slowDown) {
		j.append(l)
	}
	if wait > 0 {
		j.append(stand(j.end(), j.city.place(j.next), j.dir(), wait, parked))
	}
	j.at, j.next, j.speed = j.next, after, min(out, cruise)
}

// choose picks the crossroads after the next; nobody turns back.
func (j *journey) choose() node {
	var ways []node
	for _, n := range j.next.neighbours() {
		if n != j.at {
			ways = append(ways, n)
		}
	}
	return ways[j.rand.IntN(len(ways))]
}

// wait decides how long the vehicle stands at the next crossroads.
func (j *journey) wait() (d time.Duration, parked bool) {
	x, y := j.rand.Float64(), j.rand.Float64()
	switch {
	case x < parking:
		return time.Duration((60 + 120*y) * float64(time.Second)), true
	case x < parking+redLight:
		return time.Duration((5 + 25*y) * float64(time.Second)), false
	}
	return 0, false
}

func straight(a, b, c node) bool {
	return b.east-a.east == c.east-b.east && b.north-a.north == c.north-b.north
}

// append adds a leg and finds its crossings.
func (j *journey) append(l leg) {
	first := len(j.passed)
	for i := range j.city.Fences {
		j.search(l, i)
	}
	found := j.passed[first:]
	sort.Slice(found, func(a, b int) bool { return found[a].at < found[b].at })
	j.legs = append(j.legs, l)
}

// search finds where a leg crosses one fence: it walks the leg in short steps and halves each step over which
// the side changes.
func (j *journey) search(l leg, fence int) {
	f := &j.city.Fences[fence]
	from, _ := l.at(l.start)
	to, _ := l.at(l.end)
	if apart(f, j.city.plane, from, to) {
		return
	}
	inside := func(t float64) bool {
		v, _ := l.at(t)
		return f.Contains(j.city.plane.point(v))
	}
	steps := int(math.Ceil(to.sub(from).length()/searchStep)) + 1
	before := l.start
	for k := 1; k <= steps; k++ {
		t := l.start + (l.end-l.start)*float64(k)/float64(steps)
		if now := inside(t); now != j.sides[fence] {
			j.passed = append(j.passed, passage{at: halve(before, t, now, inside), fence: fence, enter: now})
			j.sides[fence] = now
		}
		before = t
	}
}

// apart reports whether a line cannot touch a fence, judging by boxes.
func apart(f *Fence, p plane, from, to vec) bool {
	box := p.point(from)
	line := box.Bound().Extend(p.point(to))
	return !line.Intersects(f.bound())
}

// halve finds when the side becomes the given one, to a hundredth of a millisecond.
func halve(before, after float64, side bool, inside func(float64) bool) float64 {
	for after-before > 1e-5 {
		middle := (before + after) / 2
		if inside(middle) == side {
			after = middle
		} else {
			before = middle
		}
	}
	return after
}

// state is where a vehicle truly is.
type state struct {
	at     vec
	dir    vec
	speed  float64
	parked bool
}

// state returns the state at a time, which must not be before the start: then it is that of the start.
func (j *journey) state(t time.Time) state {
	s := max(0, t.Sub(j.start).Seconds())
	j.mu.Lock()
	defer j.mu.Unlock()
	j.extend(s)
	i := sort.Search(len(j.legs), func(i int) bool { return j.legs[i].end > s })
	l := j.legs[i]
	at, speed := l.at(s)
	return state{at: at, dir: l.dir, speed: speed, parked: l.parked}
}

// passages returns the crossings up to a time.
func (j *journey) passages(until time.Time) []passage {
	s := until.Sub(j.start).Seconds()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.extend(s)
	n := sort.Search(len(j.passed), func(i int) bool { return j.passed[i].at > s })
	return append([]passage(nil), j.passed[:n]...)
}
