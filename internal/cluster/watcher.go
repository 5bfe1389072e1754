package cluster

import (
	"time"

	"outrider/store"
)

// watcher judges by heartbeats who lives. It belongs to one goroutine.
type watcher struct {
	lease time.Duration
	last  time.Time // of the roster before
	seen  map[store.ProcessID]sight
}

// sight is a heartbeat, and since when there was no newer one.
type sight struct {
	beat  uint64
	since time.Time
}

// dead returns the processes that did not beat for a lease.
//
// ORDER: a gap between rosters is no evidence. While the store was away nobody could beat, and while this process slept it
// saw nothing: after either everybody has a whole lease again.
func (w *watcher) dead(r store.Roster, now time.Time) []store.Process {
	blind := now.Sub(w.last) > w.lease/2
	w.last = now
	seen := make(map[store.ProcessID]sight, len(r.Processes))
	var dead []store.Process
	for _, p := range r.Processes {
		s, known := w.seen[p.ID]
		if !known || blind || s.beat != p.Beat {
			s = sight{p.Beat, now}
		}
		seen[p.ID] = s
		if now.Sub(s.since) >= w.lease {
			dead = append(dead, p)
		}
	}
	w.seen = seen
	return dead
}
