package graph

import "time"

// budget is the calls a page may still make: it fills at a rate and holds one second's worth.
type budget struct {
	left float64
	last time.Time
}

// take uses one call and reports whether there was one.
func (b *budget) take(now time.Time, rate int) bool {
	if rate < 0 {
		return true
	}
	b.fill(now, rate)
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// percent is how much of the budget is used, 0 to 100.
func (b *budget) percent(now time.Time, rate int) int {
	b.fill(now, rate)
	return int(100 * (1 - b.left/float64(rate)))
}

func (b *budget) fill(now time.Time, rate int) {
	if b.last.IsZero() {
		b.left = float64(rate)
	} else if d := now.Sub(b.last); d > 0 {
		b.left = min(float64(rate), b.left+d.Seconds()*float64(rate))
	}
	b.last = now
}
