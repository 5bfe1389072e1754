package quality

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/paulmach/orb"
)

// Fix is what a tracker sent, as it arrived. Numbers it did not send are NaN.
type Fix struct {
	Vehicle  string
	Time     time.Time // the tracker's clock
	Received time.Time
	Point    orb.Point
	Accuracy float64
	Speed    float64
	Heading  float64

	t    float64 // true second of the path
	good bool    // within three times the usual noise of the truth
}

// device is how a tracker behaves: one kind of trouble.
type device struct {
	interval  float64 // seconds between fixes while driving
	parked    float64 // the same while parked
	onChange  bool    // silent while nothing changes, except every 30 minutes
	blind     bool    // no speed, no heading
	mute      bool    // no heading
	slowNoise float64 // metres, σ of the error that wanders
	white     float64 // metres, σ of the error that does not
	tau       float64 // seconds, how slowly the error wanders
	jumps     float64 // reflections per hour
	accuracy  func(rng *rand.Rand, truth float64) float64
	skew      float64 // seconds the clock is ahead
	gaps      float64 // silences per hour
	upload    upload  // what becomes of fixes in a silence
	repeats   float64 // share of fixes that arrive twice
	shuffle   float64 // seconds by which arrival may be late at random
	cold      bool    // each trip begins with a cold receiver
	frozen    bool    // silences repeat the last position instead
	nulls     float64 // share of fixes at 0,0
}

// upload is how buffered fixes come.
type upload uint8

const (
	lost upload = iota
	inOrder
	liveFirst
	reversed
)

// receiver makes the fixes of one path.
type receiver struct {
	device
	rng   *rand.Rand
	path  *path
	bias  Point
	last  float64 // true second of the last error
	jump  Point
	left  int  // fixes the reflection still lasts
	said  bool // the reflection is flagged by accuracy
	start time.Time
	frame frame
	name  string
}

// fixes returns everything sent, by arrival.
func (r *receiver) fixes() []Fix {
	var all []Fix
	for t := r.rng.Float64() * 5; t < float64(len(r.path.at)-1); t += r.wait(t) {
		all = append(all, r.fix(t))
	}
	all = r.silences(all)
	all = r.again(all)
	slices.SortStableFunc(all, func(a, b Fix) int { return a.Received.Compare(b.Received) })
	return all
}

// wait returns the seconds to the next fix. A tracker that sends less often while parked wakes when it is moved.
func (r *receiver) wait(t float64) float64 {
	if r.path.speed[int(t)] == 0 && r.path.speed[min(int(t+r.interval), len(r.path.speed)-1)] == 0 && r.stopped(t) {
		if r.onChange {
			return r.untilMoves(t)
		}
		return min(r.parked, max(r.interval, r.untilMoves(t)))
	}
	return r.interval
}

func (r *receiver) stopped(t float64) bool {
	return slices.ContainsFunc(r.path.stops, func(s stop) bool { return t >= float64(s.from)+60 && t < float64(s.to) })
}

// untilMoves returns the time until the vehicle moves, at most half an hour.
func (r *receiver) untilMoves(t float64) float64 {
	for s := 1; s < 1800; s++ {
		if int(t)+s >= len(r.path.speed) || r.path.speed[int(t)+s] > 0 {
			return float64(s) + 2
		}
	}
	return 1800
}

// fix measures the position at second t.
func (r *receiver) fix(t float64) Fix {
	r.wander(t)
	truth := r.path.where(t)
	white := Point{r.rng.NormFloat64(), r.rng.NormFloat64()}.times(r.white)
	p := truth.add(r.bias).add(white)
	r.reflect(t)
	reflected := r.left > 0
	if reflected {
		p = p.add(r.jump)
		r.left--
	}
	usual := math.Hypot(r.slowNoise, r.white)
	f := Fix{
		Vehicle: r.name, t: t, Point: r.frame.place(p), good: p.distance(truth) < 3*usual+3,
		Time:     r.start.Add(time.Duration((t + r.skew) * 1e9).Round(time.Millisecond)),
		Received: r.start.Add(time.Duration((t + 0.3 + r.rng.ExpFloat64()*0.6 + r.rng.Float64()*r.shuffle) * 1e9)),
		Accuracy: r.accuracy(r.rng, usual), Speed: math.NaN(), Heading: math.NaN(),
	}
	if reflected && r.said {
		f.Accuracy = r.jump.length() * (0.5 + r.rng.Float64())
	}
	if !r.blind {
		v := r.path.speed[int(t)]
		f.Speed = math.Abs(v + r.rng.NormFloat64()*0.25)
		f.Heading = math.Mod(r.path.course[int(t)]+r.rng.NormFloat64()*40/(1+2*v)+720, 360)
	}
	if r.mute {
		f.Heading = math.NaN()
	}
	if r.rng.Float64() < r.nulls {
		f.Point, f.good = orb.Point{0, 0}, false
	}
	return f
}

// wander moves the slow error on to second t.
func (r *receiver) wander(t float64) {
	k := math.Exp(-(t - r.last) / r.tau)
	q := r.slowNoise * math.Sqrt(1-k*k)
	r.bias = r.bias.times(k).add(Point{r.rng.NormFloat64() * q, r.rng.NormFloat64() * q})
	if r.cold && r.last > 0 && t-r.last > 240 || r.last == 0 && r.cold {
		r.bias = polar(20+r.rng.Float64()*60, r.rng.Float64()*360)
	}
	r.last = t
}

// reflect begins a reflection now and then.
func (r *receiver) reflect(t float64) {
	if r.left > 0 {
		return
	}
	step := r.interval
	if r.rng.Float64() < r.jumps*min(step, 60)/3600 {
		r.jump = polar(50+450*r.rng.Float64()*r.rng.Float64(), r.rng.Float64()*360)
		r.left, r.said = 1+r.rng.IntN(5), r.rng.Float64() < 0.5
	}
}

// silences takes fixes out and brings them back as the device does.
func (r *receiver) silences(all []Fix) []Fix {
	if r.gaps == 0 || len(all) == 0 {
		return all
	}
	var kept []Fix
	for t := r.rng.ExpFloat64() * 3600 / r.gaps; len(all) > 0; {
		end := t + 120 + r.rng.ExpFloat64()*900
		i := slices.IndexFunc(all, func(f Fix) bool { return f.t >= t })
		if i < 0 {
			break
		}
		j := slices.IndexFunc(all, func(f Fix) bool { return f.t >= end })
		if j < 0 {
			break
		}
		kept = append(kept, all[:i]...)
		kept = append(kept, r.buffered(all[i:j], all[max(i-1, 0)], all[j].Received)...)
		all = all[j:]
		t = end + r.rng.ExpFloat64()*3600/r.gaps
	}
	return append(kept, all...)
}

// buffered gives the fixes of a silence their arrival.
func (r *receiver) buffered(fs []Fix, before Fix, back time.Time) []Fix {
	if r.frozen {
		for i := range fs {
			fs[i].Point, fs[i].Speed, fs[i].Heading, fs[i].good = before.Point, before.Speed, before.Heading, false
		}
		return fs
	}
	if r.upload == lost {
		return nil
	}
	for i := range fs {
		k := float64(i)
		switch r.upload {
		case inOrder:
			k = -float64(len(fs)-i) * 0.01
		case reversed:
			k = float64(len(fs)-i) * 0.02
		case liveFirst:
			k = 0.5 + 0.02*k
		}
		fs[i].Received = back.Add(time.Duration(k * 1e9))
	}
	return fs
}

// again repeats some fixes a little later.
func (r *receiver) again(all []Fix) []Fix {
	for _, f := range slices.Clone(all) {
		if r.rng.Float64() < r.repeats {
			f.Received = f.Received.Add(time.Duration(r.rng.Float64() * 20e9))
			all = append(all, f)
		}
	}
	return all
}
