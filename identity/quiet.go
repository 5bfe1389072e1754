package identity

import "time"

// Quiet is the part of every day, by the owner's clock, in which they want to hear of nothing. The zero value is none.
type Quiet struct {
	From int `json:"from"` // minutes after midnight
	To   int `json:"to"`   // minutes after midnight; before From: of the next day
}

// Set reports whether there are quiet hours at all.
func (q Quiet) Set() bool { return q.From != q.To }

// QuietUntil returns when the quiet hours end that a moment lies in; false when it lies in none.
func (o Owner) QuietUntil(at time.Time) (time.Time, bool) {
	q := o.Quiet
	if !q.Set() {
		return time.Time{}, false
	}
	local := at.In(o.Location())
	minute := local.Hour()*60 + local.Minute()
	day, inside := local.Day(), false
	switch {
	case q.From < q.To:
		inside = minute >= q.From && minute < q.To
	case minute >= q.From:
		inside, day = true, day+1
	default:
		inside = minute < q.To
	}
	if !inside {
		return time.Time{}, false
	}
	return time.Date(local.Year(), local.Month(), day, q.To/60, q.To%60, 0, 0, local.Location()), true
}

// Once is an owner's wish to be told one time of what a vehicle does, whatever is muted or quiet. It is over when it
// has been told.
type Once struct {
	ID      string    `json:"id"`
	Vehicle VehicleID `json:"vehicle"`
	Kind    string    `json:"kind"`            // "enter" or "exit"
	Fence   string    `json:"fence,omitempty"` // id; empty: any
	Since   time.Time `json:"since"`           // events before it do not count
	Until   time.Time `json:"until"`           // it is forgotten then
}

// Wants returns the owner's wish that an event fulfils; false if there is none.
func (o Owner) Wants(vehicle VehicleID, kind, fence string, at time.Time) (Once, bool) {
	for _, w := range o.Once {
		if w.Vehicle == vehicle && w.Kind == kind && (w.Fence == "" || w.Fence == fence) && !at.Before(w.Since) && at.Before(w.Until) {
			return w, true
		}
	}
	return Once{}, false
}
