package quality

import (
	"math"
	"math/rand/v2"
)

// kind is one kind of trouble.
type kind struct {
	name     string
	change   func(d *device)
	dateline bool
}

// Kinds returns the names of all kinds of trouble.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

func kindNamed(name string) (kind, bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// device returns a usual device with this kind's trouble.
func (k kind) device(rng *rand.Rand) device {
	d := device{
		interval: []float64{1, 5, 10, 30}[rng.IntN(4)], parked: 30 + rng.Float64()*60,
		slowNoise: 2 + rng.Float64()*2.5, white: 0.7 + rng.Float64(), tau: 40 + rng.Float64()*120,
		jumps: 0.5, accuracy: honest,
	}
	if k.change != nil {
		k.change(&d)
	}
	return d
}

// honest accuracy is right within a third.
func honest(rng *rand.Rand, truth float64) float64 { return truth * (0.7 + 0.6*rng.Float64()) }

func constant(m float64) func(*rand.Rand, float64) float64 {
	return func(*rand.Rand, float64) float64 { return m }
}

func random(rng *rand.Rand, _ float64) float64 { return 2 + rng.ExpFloat64()*15 }

// kinds is the table of trouble.
func kinds() []kind {
	return []kind{
		{name: "every second", change: func(d *device) { d.interval, d.parked = 1, 10 }},
		{name: "every 10 s", change: func(d *device) { d.interval = 10 }},
		{name: "every 30 s", change: func(d *device) { d.interval = 30 }},
		{name: "every minute", change: func(d *device) { d.interval, d.parked = 60, 60 }},
		{name: "on change", change: func(d *device) { d.onChange, d.interval = true, 10 }},
		{name: "no speed", change: func(d *device) { d.blind = true }},
		{name: "no speed, no accuracy", change: func(d *device) { d.blind, d.accuracy = true, constant(math.NaN()) }},
		{name: "no speed, minute", change: func(d *device) { d.blind, d.interval = true, 60 }},
		{name: "no heading", change: func(d *device) { d.mute = true }},
		{name: "no heading, minute", change: func(d *device) { d.mute, d.interval = true, 60 }},
		{name: "parked noisy", change: func(d *device) { d.slowNoise, d.tau, d.parked = 7, 400, 20 }},
		{name: "parked every second", change: func(d *device) { d.interval, d.parked, d.slowNoise = 1, 1, 5 }},
		{name: "reflections", change: func(d *device) { d.jumps = 8 }},
		{name: "reflections, second", change: func(d *device) { d.jumps, d.interval, d.parked = 20, 1, 5 }},
		{name: "reflections, no speed", change: func(d *device) { d.jumps, d.blind = 6, true }},
		{name: "claims too much", change: func(d *device) { d.accuracy, d.slowNoise = constant(1), 6 }},
		{name: "claims too little", change: func(d *device) { d.accuracy = constant(50) }},
		{name: "random accuracy", change: func(d *device) { d.accuracy = random }},
		{name: "silences, lost", change: func(d *device) { d.gaps = 1 }},
		{name: "silences, in order", change: func(d *device) { d.gaps, d.upload = 1, inOrder }},
		{name: "silences, live first", change: func(d *device) { d.gaps, d.upload = 1, liveFirst }},
		{name: "silences, reversed", change: func(d *device) { d.gaps, d.upload = 1, reversed }},
		{name: "frozen in silences", change: func(d *device) { d.gaps, d.frozen = 1, true }},
		{name: "repeats", change: func(d *device) { d.repeats = 0.3 }},
		{name: "shuffled", change: func(d *device) { d.shuffle = 8 }},
		{name: "clock ahead", change: func(d *device) { d.skew = 90 }},
		{name: "clock behind", change: func(d *device) { d.skew = -75 }},
		{name: "cold starts", change: func(d *device) { d.cold = true }},
		{name: "null island", change: func(d *device) { d.nulls = 0.01 }},
		{name: "dateline", dateline: true},
		{name: "mixed", change: func(d *device) {
			d.jumps, d.gaps, d.upload, d.repeats, d.shuffle, d.skew = 3, 0.7, liveFirst, 0.1, 3, 40
		}},
	}
}
