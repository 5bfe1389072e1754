package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Faults are what goes wrong between a tracker and the broker, as a function of the fleet's seed: the same seed gives the
// same faults, whatever the network does. The truth stays exact; it says which crossings fell into a gap or a tunnel. The
// zero value is a tracker without faults.
type Faults struct {
	// Jitter delays every fix by up to so much. The order of a vehicle's fixes may change by it.
	Jitter time.Duration
	// Gaps is in which share of every ten minutes a vehicle has no network, once, for half a minute to four minutes.
	// What it would have sent comes afterwards: first the fix of that moment, then the others, newest first.
	Gaps float64
	// Tunnels is in which share of every ten minutes a vehicle has no position, once, for ten seconds to a minute. Nothing
	// is ever sent of that time.
	Tunnels float64
	// Duplicates is the share of fixes that are sent a second time, up to half a minute later.
	Duplicates float64
	// Skew is how far a vehicle's clock may be wrong, ahead or behind. Each vehicle has an error of its own.
	Skew time.Duration
}

// check reports what cannot be.
func (f Faults) check() error {
	for name, share := range map[string]float64{"gaps": f.Gaps, "tunnels": f.Tunnels, "duplicates": f.Duplicates} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("simulator: %s %g is no share from 0 to 1", name, share)
		}
	}
	if f.Jitter < 0 || f.Skew < 0 {
		return fmt.Errorf("simulator: jitter %s and skew %s must not be negative", f.Jitter, f.Skew)
	}
	return nil
}

// Kinds of windows in which something is missing.
const (
	inGap    = "gap"
	inTunnel = "tunnel"
)

// window is a part of an epoch of a vehicle.
type window struct {
	kind       string
	begin, end time.Duration // since the fleet's start
}

func (w window) holds(t time.Duration) bool { return w.kind != "" && t >= w.begin && t < w.end }

// faultEpoch is how often a vehicle may have a gap and a tunnel.
const faultEpoch = 10 * time.Minute

// Streams of random numbers, so that one fault does not change another.
const (
	gapStream = iota + 7_000
	tunnelStream
	skewStream
	jitterStream
	duplicateStream
)

// windows are the gap and the tunnel of the epoch in which t lies; both are within it.
func (f Faults) windows(seed uint64, vehicle int, t time.Duration) [2]window {
	epoch := uint64(t / faultEpoch)
	return [2]window{
		placed(inGap, faultRand(seed, gapStream, vehicle, epoch), f.Gaps, epoch, 30*time.Second, 4*time.Minute),
		placed(inTunnel, faultRand(seed, tunnelStream, vehicle, epoch), f.Tunnels, epoch, 10*time.Second, time.Minute),
	}
}

func placed(kind string, r *rand.Rand, share float64, epoch uint64, least, most time.Duration) window {
	if r.Float64() >= share {
		return window{}
	}
	length := least + time.Duration(r.Int64N(int64(most-least)))
	begin := time.Duration(epoch)*faultEpoch + time.Duration(r.Int64N(int64(faultEpoch-length)))
	return window{kind, begin, begin + length}
}

// during says in which window a moment lies; a tunnel counts before a gap.
func (f Faults) during(seed uint64, vehicle int, t time.Duration) window {
	if f.Gaps == 0 && f.Tunnels == 0 {
		return window{}
	}
	w := f.windows(seed, vehicle, t)
	switch {
	case w[1].holds(t):
		return w[1]
	case w[0].holds(t):
		return w[0]
	}
	return window{}
}

// delivery is when a fix is sent, since the fleet's start. Of those at one time, the lowest order goes first.
type delivery struct {
	at    time.Duration
	order int
}

// deliveries are when a vehicle's nth fix, taken at t, is sent: not at all, once or twice.
func (f Faults) deliveries(seed uint64, vehicle, n int, t time.Duration) []delivery {
	first := delivery{at: t}
	switch w := f.during(seed, vehicle, t); w.kind {
	case inTunnel:
		return nil
	case inGap:
		first = delivery{w.end + time.Second, -n} // behind the fix of that moment
	}
	if f.Jitter > 0 {
		first.at += time.Duration(faultRand(seed, jitterStream, vehicle, uint64(n)).Int64N(int64(f.Jitter)))
	}
	all := []delivery{first}
	if f.Duplicates > 0 {
		if r := faultRand(seed, duplicateStream, vehicle, uint64(n)); r.Float64() < f.Duplicates {
			all = append(all, delivery{first.at + time.Duration(r.Int64N(int64(30*time.Second))), n})
		}
	}
	return all
}

// skew is the error of a vehicle's clock.
func (f Faults) skew(seed uint64, vehicle int) time.Duration {
	if f.Skew == 0 {
		return 0
	}
	wrong := time.Duration(faultRand(seed, skewStream, vehicle, 0).Int64N(2*int64(f.Skew)+1)) - f.Skew
	return wrong.Truncate(time.Second) // for formats of whole seconds
}

func faultRand(seed, stream uint64, vehicle int, part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed^stream<<40, uint64(vehicle)<<32^part))
}
