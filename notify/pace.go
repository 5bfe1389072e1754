package notify

import "time"

// Pace is how fast messages may go to one person, answers apart: Meta throttles a thread that gets too many, and
// says of no number.
type Pace struct {
	Burst int           // messages in a row; 0: 30
	Each  time.Duration // until there is room for another; 0: 2 s
}

func (p Pace) withDefaults() Pace {
	if p.Burst <= 0 {
		p.Burst = 30
	}
	if p.Each <= 0 {
		p.Each = 2 * time.Second
	}
	return p
}

// purse is what of a pace is left for one person.
type purse struct {
	left   float64
	filled time.Time
	meagre bool // Meta said that we bother them: a quarter is left of it
}

// take uses one message; when there is none left it returns how long it takes until there is.
func (u *purse) take(p Pace, now time.Time) (wait time.Duration) {
	if u.meagre {
		p.Burst, p.Each = max(1, p.Burst/4), 4*p.Each
	}
	if u.filled.IsZero() {
		u.left = float64(p.Burst)
	}
	u.left = min(float64(p.Burst), u.left+float64(now.Sub(u.filled))/float64(p.Each))
	u.filled = now
	if u.left < 1 {
		return time.Duration((1 - u.left) * float64(p.Each))
	}
	u.left--
	return 0
}

// full reports whether the purse remembers nothing by now.
func (u *purse) full(p Pace, now time.Time) bool {
	return !u.meagre && now.Sub(u.filled) >= time.Duration(p.Burst)*p.Each
}
