package geofence

import "math"

// What a tracker claims about its accuracy is often wrong: always 1 m, always 50 m, or anything. So it is
// weighed against what its fixes did while the vehicle stood.
const (
	leastSigma = 3.0  // metres; no receiver in traffic is better
	usualSigma = 5.0  // metres, when nothing is claimed and nothing known
	trustClaim = 0.25 // how much a claim beyond usualSigma counts before the tracker is known
	vagueTimes = 4.0  // a claim so many times worse than usual is a warning …
	vagueLeast = 30.0 // … if it is also worse than so many metres
	mostWorse  = 8.0  // times that a tracker's fixes may be worse than it claims
	learnRate  = 1.0 / 32
	mostNoise  = 15.0 // metres; a receiver that scatters more is not standing
)

// sigmaOf returns the standard deviation of a fix in metres.
func (s *state) sigmaOf(f *Fix) float64 {
	claim := claimOf(f)
	switch {
	case claim == 0 && s.noise > 0:
		return max(leastSigma, float64(s.noise))
	case claim == 0:
		return usualSigma
	case s.noise > 0 && s.claim > 0:
		return max(leastSigma, claim*min(float64(s.noise/s.claim), mostWorse))
	case claim > usualSigma:
		return usualSigma + (claim-usualSigma)*trustClaim
	}
	return max(leastSigma, claim)
}

// claimOf returns the accuracy a fix claims, 0 if it claims none.
func claimOf(f *Fix) float64 {
	switch {
	case f.Accuracy > 0:
		return min(float64(f.Accuracy), 10_000)
	case f.HDOP > 0:
		return min(4*float64(f.HDOP), 400)
	}
	return 0
}

// vague reports whether a fix says itself that it is far worse than this tracker's usual.
func (s *state) vague(f *Fix) bool {
	return s.claim > 0 && claimOf(f) > max(vagueLeast, vagueTimes*float64(s.claim))
}

// hearClaim learns what the tracker usually claims.
func (s *state) hearClaim(f *Fix) {
	claim := float32(claimOf(f))
	switch {
	case claim == 0:
	case s.claim == 0:
		s.claim = claim
	default:
		s.claim += (min(claim, 4*s.claim) - s.claim) * learnRate
	}
}

// hearNoise learns from a fix that lies d metres from the mean of its stop. It is bounded: a vehicle that creeps
// away must not widen the circle in which it counts as standing, and so stand for ever.
func (s *state) hearNoise(d float64) {
	sigma := float64(s.noise)
	if sigma == 0 {
		sigma = usualSigma
	}
	d = min(d, 3*sigma)
	sigma = math.Sqrt(sigma*sigma + (d*d/2-sigma*sigma)*learnRate)
	s.noise = float32(min(sigma, mostNoise))
}
