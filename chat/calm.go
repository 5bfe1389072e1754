package chat

import (
	"sync"
	"time"

	"outrider/identity"
)

// How much one person may say: a burst, and then so many a minute.
const (
	burst     = 20
	perMinute = 20
)

// pace is how fast a person writes.
type pace uint8

const (
	usual   pace = iota
	fast         // just now too fast: they are told once
	tooFast      // and still
)

// calm bounds how much one person is answered, so that a flood costs nobody else anything. What it knows may be
// lost at any time. It is safe for many goroutines.
type calm struct {
	now func() time.Time

	mu     sync.Mutex // guards people
	people map[person]*allowance
}

type person struct {
	page identity.PageID
	psid identity.PSID
}

type allowance struct {
	left   float64
	at     time.Time
	warned bool
}

// mostPeople is how many people are remembered; beyond it those who are at rest are forgotten.
const mostPeople = 10_000

func newCalm(now func() time.Time) *calm { return &calm{now: now, people: map[person]*allowance{}} }

func (c *calm) heard(page identity.PageID, psid identity.PSID) pace {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.people) >= mostPeople {
		for p, a := range c.people {
			if now.Sub(a.at) > time.Minute {
				delete(c.people, p)
			}
		}
	}
	p := person{page, psid}
	a := c.people[p]
	if a == nil {
		a = &allowance{left: burst, at: now}
		c.people[p] = a
	}
	a.left = min(burst, a.left+now.Sub(a.at).Minutes()*perMinute)
	a.at = now
	if a.left >= 1 {
		a.left, a.warned = a.left-1, false
		return usual
	}
	if !a.warned {
		a.warned = true
		return fast
	}
	return tooFast
}
