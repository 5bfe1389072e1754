package graph

import "time"

// budget is the calls that may still be made: it fills at a rate and holds only so much.
type budget struct {
	size float64
	rate float64 // per second
	left float64
	last time.Time
}

// newBudget returns a full budget of a number of calls for each period; nil, without limit, when the number
// is not positive.
func newBudget(calls int, period time.Duration) *budget {
	if calls <= 0 {
		return nil
	}
	return &budget{size: float64(calls), rate: float64(calls) / period.Seconds(), left: float64(calls)}
}

// take uses one call and reports whether there was one.
func (b *budget) take(now time.Time) bool {
	if b == nil {
		return true
	}
	b.fill(now)
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// percent is how much of the budget is used, 0 to 100.
func (b *budget) percent(now time.Time) int {
	b.fill(now)
	return int(100 * (1 - b.left/b.size))
}

// wait is how long it takes until another call may be made.
func (b *budget) wait(now time.Time) time.Duration {
	b.fill(now)
	return time.Duration(max(0, 1-b.left) / b.rate * float64(time.Second))
}

func (b *budget) fill(now time.Time) {
	if d := now.Sub(b.last); !b.last.IsZero() && d > 0 {
		b.left = min(b.size, b.left+d.Seconds()*b.rate)
	}
	b.last = now
}
