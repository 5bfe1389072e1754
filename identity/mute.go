package identity

import "time"

// Mute is a silence that an owner asked for: no alerts of a vehicle, of one of its fences, or of anything, for a while
// or until the owner says otherwise.
type Mute struct {
	Vehicle VehicleID `json:"vehicle,omitempty"` // empty: all
	Fence   string    `json:"fence,omitempty"`   // id; empty: all
	// Until is the end, by the clock of events; zero: none.
	Until time.Time `json:"until,omitzero"`
}

// Covers reports whether an event at that time is silenced.
func (m Mute) Covers(vehicle VehicleID, fence string, at time.Time) bool {
	return (m.Vehicle == "" || m.Vehicle == vehicle) && (m.Fence == "" || m.Fence == fence) &&
		(m.Until.IsZero() || at.Before(m.Until))
}

// Everything reports whether the owner wants no messages at all any more: who wrote STOP.
func (m Mute) Everything() bool { return m.Vehicle == "" && m.Fence == "" && m.Until.IsZero() }

// Muted returns the silence that covers an event at that time; false if there is none.
func (o Owner) Muted(vehicle VehicleID, fence string, at time.Time) (Mute, bool) {
	for _, m := range o.Mutes {
		if m.Covers(vehicle, fence, at) {
			return m, true
		}
	}
	return Mute{}, false
}
