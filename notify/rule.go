package notify

import (
	"slices"
	"time"

	"outrider/identity"
)

// DefaultRule is the id of the rule that every tenant has until it puts another in its place: the owners of a vehicle
// hear of each enter and exit.
const DefaultRule = "default"

// Priorities of a rule.
const (
	PriorityNormal = "normal"
	PriorityHigh   = "high" // told during quiet hours, too
)

// Rule says who hears of which events: vehicles × geofences × events × times → people. All that is named must
// hold; what is left out holds always. A rule without an event kind tells nothing.
type Rule struct {
	Tenant   identity.TenantID `json:"-"`
	ID       string            `json:"-"`
	Revision uint64            `json:"-"` // of this version, its ETag
	Updated  time.Time         `json:"-"`

	Name      string    `json:"name,omitempty" maxLength:"200" doc:"What people call it."`
	Disabled  bool      `json:"disabled,omitempty" doc:"It tells nobody until this is taken back."`
	Vehicles  Selection `json:"vehicles,omitzero" doc:"Which vehicles; absent: all."`
	Geofences Selection `json:"geofences,omitzero" doc:"Which geofences; absent: all."`
	Events    []Kind    `json:"events" minItems:"1" maxItems:"9" nullable:"false" doc:"What happened: enter, exit, pass, dwell, overspeed, overspeed_end, stopped, silent or absent. From when on a stay is long, or a speed too high, the rule says, or else the geofence."`
	Reading
	Schedule *Schedule   `json:"schedule,omitempty" doc:"When, by the time of the event; absent: always."`
	To       Recipients  `json:"to,omitzero" doc:"Who hears of it; absent: the owners of the vehicle."`
	Surely   int         `json:"min_confidence,omitempty" minimum:"0" maximum:"3" doc:"How sure the engine must be, 1 to 3; absent: 1."`
	Cooldown int         `json:"cooldown_s,omitempty" minimum:"0" maximum:"604800" doc:"Seconds for which the same person is not told the same of the same vehicle and geofence again."`
	Quiet    *QuietHours `json:"quiet_hours,omitempty" doc:"When people are left alone, by the clock of each; what happens then is told afterwards."`
	Priority string      `json:"priority,omitempty" enum:"normal,high" doc:"A rule of high priority knows no quiet hours."`
	MaxAge   int         `json:"max_age_s,omitempty" minimum:"0" maximum:"2592000" doc:"Seconds after which an alert that could not be told is dropped; absent: the setting alerts.max_age."`
	Text     string      `json:"text,omitempty" maxLength:"500" doc:"What the message says instead of the usual sentence, with the places {vehicle}, {fence} and {time}. Templates outside the 24 hour window keep their approved words."`
}

// Selection names things by id or by tag; something that is named either way is meant. The zero selects all.
type Selection struct {
	IDs  []string `json:"ids,omitempty" maxItems:"1000" nullable:"false"`
	Tags []string `json:"tags,omitempty" maxItems:"50" nullable:"false"`
}

// Recipients are who hears of an event.
type Recipients struct {
	NotOwners bool               `json:"not_vehicle_owners,omitempty" doc:"The owners of the vehicle are not told."`
	Owners    []identity.OwnerID `json:"owners,omitempty" maxItems:"100" nullable:"false" doc:"People who are told whoever owns the vehicle."`
}

// usual returns the rule that holds where nobody made one of its id.
func usual(tenant identity.TenantID) Rule {
	return Rule{Tenant: tenant, ID: DefaultRule, Name: "Owners hear of enter and exit", Events: []Kind{Enter, Exit}}
}

// has reports whether the selection means something with this id and these tags.
func (s Selection) has(id string, tags []string) bool {
	if len(s.IDs) == 0 && len(s.Tags) == 0 {
		return true
	}
	return slices.Contains(s.IDs, id) || slices.ContainsFunc(s.Tags, func(t string) bool { return slices.Contains(tags, t) })
}

// Miss says why a rule does not hold for an event; empty: it does.
type Miss string

// The misses, in the order in which they are looked for.
const (
	Hit            Miss = ""
	MissDisabled   Miss = "disabled"
	MissEvent      Miss = "event"
	MissVehicle    Miss = "vehicle"
	MissGeofence   Miss = "geofence"
	MissSchedule   Miss = "schedule"
	MissReading    Miss = "reading" // the rule reads geofences in its own way, or the event is of such a way
	MissConfidence Miss = "confidence"
)

// misses says whether the rule holds for e. tags are the vehicle's, of reads the rule's schedule.
func (r *Rule) misses(e *Event, tags []string, of func(*Schedule) timetable) Miss {
	switch {
	case r.Disabled:
		return MissDisabled
	case !slices.Contains(r.Events, e.Kind):
		return MissEvent
	case !r.Vehicles.has(string(e.Vehicle), tags):
		return MissVehicle
	case !r.Geofences.has(e.Fence, e.FenceTags):
		return MissGeofence
	case !r.Schedule.covers(e.At, of(r.Schedule)):
		return MissSchedule
	case r.Reading != e.Reading:
		return MissReading
	case e.Confidence > 0 && e.Confidence < r.Surely:
		return MissConfidence
	}
	return Hit
}

// takes reports whether a rule that misses e by its reading only tells the same thing by its own: then people hear of
// it from there.
func (r *Rule) takes(e *Event) bool {
	return slices.Contains(e.Readings, r.Reading) && r.Reading.Over(e.Usual).sameThing(e.Kind, e.Reading.Over(e.Usual))
}

// Reads reports whether the rule has geofences with this id and these tags read in its own way.
func (r *Rule) Reads(id string, tags []string) bool {
	return !r.Disabled && r.Reading != (Reading{}) && r.Geofences.has(id, tags)
}
