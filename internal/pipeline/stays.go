package pipeline

import (
	"time"

	"outrider/geofence"
)

// stays knows since when vehicles are inside fences, for messages that tell how long it was. It is what the
// memberships of the trackers say. Owned by a lane.
type stays map[stay]int64 // Unix milliseconds, event time

type stay struct {
	ts      *tenantState
	vehicle geofence.Vehicle
	fence   geofence.FenceID
}

// note takes over changed memberships.
func (s stays) note(ts *tenantState, members []geofence.Member) {
	for _, m := range members {
		key := stay{ts, m.Vehicle, m.Fence}
		if m.Membership == geofence.Inside {
			s[key] = m.Since
		} else {
			delete(s, key)
		}
	}
}

// fill takes over what a tracker knows, after it was restored.
func (s stays) fill(ts *tenantState) { s.note(ts, ts.tracker.Members(nil)) }

// length is how long the vehicle had been inside the fence at the time of the crossing; 0 when that is not known.
func (s stays) length(ts *tenantState, c *geofence.Crossing) time.Duration {
	since, inside := s[stay{ts, c.Vehicle, c.Fence}]
	if !inside || c.Kind == geofence.Enter || c.Kind == geofence.Pass || c.Time <= since {
		return 0
	}
	return time.Duration(c.Time-since) * time.Millisecond
}
