package notify

import "time"

// growth is how a wait grows from one time to the next.
type growth struct{ first, most time.Duration }

func (g growth) wait(times int) time.Duration {
	wait := g.first
	for range times - 1 {
		if wait >= g.most {
			break
		}
		wait *= 2
	}
	return min(wait, g.most)
}

// pauseFor is how long a page sends nothing for a reason that concerns the whole page. Somebody at Meta or at
// the page's owner has to act on most of them, so that asking often helps nobody and harms the page's standing.
func pauseFor(reason Reason, times int, jitter float64) time.Duration {
	g := growth{30 * time.Minute, 4 * time.Hour} // never earlier: an impatient page stays restricted for longer
	switch reason {
	case ReasonNetwork:
		g = growth{time.Second, time.Minute}
	case ReasonThrottled:
		g = growth{2 * time.Second, 5 * time.Minute}
	case ReasonTemporary:
		g = growth{5 * time.Second, 5 * time.Minute}
	default:
		return g.wait(times) + time.Duration(jitter*float64(30*time.Second))
	}
	return spread(g.wait(times), jitter)
}

// retryAfter is how long one delivery waits after a failed send.
func retryAfter(times int, jitter float64) time.Duration {
	return spread(growth{time.Second, 5 * time.Minute}.wait(times), jitter)
}

// parkFor is how long a delivery rests that failed too often in a row.
func parkFor(times int, jitter float64) time.Duration {
	return spread(growth{30 * time.Minute, 4 * time.Hour}.wait(times), jitter)
}

// quietFor is how long a person who cannot be reached is left alone.
func quietFor(times int) time.Duration {
	return growth{time.Hour, 12 * time.Hour}.wait(times)
}

// spread takes up to a half off, so that what failed together does not come back together.
func spread(d time.Duration, jitter float64) time.Duration {
	return d - time.Duration(float64(d/2)*jitter)
}
