package notify

import (
	"sort"
	"sync"
	"time"

	"github.com/teambition/rrule-go"
)

// occurrences is when one event of a calendar is, again and again. It is safe for many goroutines after begin.
type occurrences struct {
	set    rrule.Set
	days   int           // how long each is, by the clock on the wall
	length time.Duration // and beyond that as time passes
	most   int
	moved  bool // some of them are events of their own

	mu     sync.Mutex // guards the rest
	next   func() (time.Time, bool)
	begins []time.Time // found up to now, ascending
	over   bool        // there are no more
}

// begin prepares the search; what is left out is complete then.
func (e *occurrences) begin() { e.next = e.set.Iterator() }

// covers reports whether a time is within an occurrence that does not begin at a time left out.
func (e *occurrences) covers(at time.Time, without func(begin time.Time) bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.search(at)
	after := sort.Search(len(e.begins), func(i int) bool { return e.begins[i].After(at) })
	for i := after - 1; i >= 0; i-- {
		begin := e.begins[i]
		if end := begin.AddDate(0, 0, e.days).Add(e.length); !at.Before(end) {
			return false // those before end before
		}
		if without == nil || !without(begin) {
			return true
		}
	}
	return false
}

// search finds the occurrences that begin up to a time, and the first in any case. It reports whether there is one.
//
// PERF: a rule is followed from its first occurrence on; what was found is kept, so that only time that passes is searched.
func (e *occurrences) search(at time.Time) bool {
	for !e.over && (len(e.begins) == 0 || !e.begins[len(e.begins)-1].After(at)) {
		begin, ok := e.next()
		if !ok || len(e.begins) >= e.most {
			e.over = true
			break
		}
		e.begins = append(e.begins, begin)
	}
	return len(e.begins) > 0
}
