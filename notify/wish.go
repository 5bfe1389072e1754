package notify

import (
	"sync"

	"outrider/identity"
)

// wishes remembers which alerts fulfilled wishes to be told one time: the directory learns of that only after the alert
// is stored. It is safe for many goroutines.
type wishes struct {
	mu   sync.Mutex        // guards told
	told map[string]string // the alert that fulfilled a wish, until the directory no longer knows the wish
}

// mostTold bounds what is remembered of wishes that were told.
const mostTold = 10_000

// grant returns the id of the owner's wish that the alert fulfils; empty: none. One wish is for one alert.
func (g *wishes) grant(e *Event, o identity.Owner, alert string) string {
	w, ok := o.Wants(e.Vehicle, string(e.Kind), e.Fence, e.At)
	if !ok {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if by, told := g.told[w.ID]; told {
		if by == alert {
			return w.ID
		}
		return ""
	}
	if len(g.told) >= mostTold {
		clear(g.told) // a wish among them that is still in the directory is seconds old
	}
	if g.told == nil {
		g.told = map[string]string{}
	}
	g.told[w.ID] = alert
	return w.ID
}
