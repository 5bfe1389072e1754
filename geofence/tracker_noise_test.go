package geofence

import "testing"

// What a stop teaches about a receiver is bounded. If it were not, a vehicle that creeps away would widen the
// circle in which it counts as standing faster than it leaves it, and stand for ever.
func TestNoiseIsBounded(t *testing.T) {
	t.Parallel()
	var s state
	for range 1000 {
		s.hearNoise(4 * float64(max(s.noise, usualSigma)))
	}
	if s.noise <= usualSigma || s.noise > mostNoise {
		t.Errorf("learned %.1f m, want more than %.0f and at most %.0f", s.noise, usualSigma, mostNoise)
	}
}
