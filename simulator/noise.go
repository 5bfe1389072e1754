package simulator

import (
	"math"
	"math/rand/v2"
)

// noise is the error of a receiver: it wanders slowly, as that of a real one does, and jitters a little. It is
// a function of the seed and of time.
type noise struct {
	sigma float64 // metres, of each axis
	waves [2][]wave
}

// wave is one part of the wandering.
type wave struct{ amplitude, frequency, phase float64 }

// accuracy68 turns the deviation of an axis into the radius that holds 68 % of a plane's errors.
const accuracy68 = 1.51

func newNoise(r *rand.Rand, sigma float64) noise {
	n := noise{sigma: sigma}
	const parts = 6
	for axis := range n.waves {
		for range parts {
			period := 10 * math.Pow(30, r.Float64()) // 10 s to 5 min
			n.waves[axis] = append(n.waves[axis], wave{
				amplitude: sigma * math.Sqrt(2.0/parts), frequency: 2 * math.Pi / period, phase: 2 * math.Pi * r.Float64(),
			})
		}
	}
	return n
}

// at returns the error at a time in seconds.
func (n noise) at(t float64) vec { return vec{n.axis(0, t), n.axis(1, t)} }

func (n noise) axis(axis int, t float64) float64 {
	sum := 0.0
	for _, w := range n.waves[axis] {
		sum += w.amplitude * math.Sin(w.frequency*t+w.phase)
	}
	return sum
}
