package notify

import (
	"time"

	"github.com/paulmach/orb"

	"outrider/identity"
)

// Kind is what happened, as in the public interface.
type Kind string

// The kinds of events.
const (
	Enter        Kind = "enter"
	Exit         Kind = "exit"
	Pass         Kind = "pass"
	Dwell        Kind = "dwell"
	Overspeed    Kind = "overspeed"
	OverspeedEnd Kind = "overspeed_end"
	Stopped      Kind = "stopped"
	Silent       Kind = "silent"
	Absent       Kind = "absent"
)

// Reply is the kind of a message that tells of no event: an answer, or what an operator typed. See [Say].
const Reply Kind = "reply"

// Kinds returns every kind of event, in a fixed order. Reply is none.
func Kinds() []Kind {
	return []Kind{Enter, Exit, Pass, Dwell, Overspeed, OverspeedEnd, Stopped, Silent, Absent}
}

// Event is something that happened to a vehicle at a fence, in the words of the fleet.
type Event struct {
	ID         string // the crossing's id
	Tenant     identity.TenantID
	Vehicle    identity.VehicleID
	Fence      string // fence id
	FenceName  string // what messages call it
	FenceTags  []string
	Kind       Kind
	At         time.Time        // event time
	Private    identity.OwnerID // whose fence it is, which nobody else hears of; empty: everybody's
	Inside     time.Duration    // how long the vehicle had been inside by then; 0: not known, or it was not
	Point      orb.Point
	Late       bool // for the record only; nobody is alerted
	Confidence int  // of the engine, 1 to 3; 0: not known

	Reading  Reading   // by which it was seen; zero: as the fence itself says
	Readings []Reading // which the engine has, the zero reading left out or not
	Usual    Reading   // what the fence itself says; its Preset is not set

	// Received is when the fix that decided the event arrived, for latency figures.
	Received time.Time
}

// Alert is one event for one owner, with every name frozen as it was when it happened.
type Alert struct {
	ID          string             `json:"id"` // hash of event and owner; travels in message.metadata
	Event       string             `json:"event"`
	Tenant      identity.TenantID  `json:"tenant"`
	Owner       identity.OwnerID   `json:"owner"`
	Vehicle     identity.VehicleID `json:"vehicle"`
	VehicleName string             `json:"vehicle_name"`
	Fence       string             `json:"fence"`
	FenceName   string             `json:"fence_name"`
	Kind        Kind               `json:"kind"`
	At          time.Time          `json:"at"`
	Inside      time.Duration      `json:"inside,omitempty"`
	Point       orb.Point          `json:"point"`
	Received    time.Time          `json:"received"`
	Locale      string             `json:"locale,omitempty"`
	TimeZone    string             `json:"time_zone,omitempty"`
	MaxAge      time.Duration      `json:"max_age,omitempty"` // older alerts expire; 0: never
	Once        string             `json:"once,omitempty"`    // id of the owner's wish to be told one time; silences do not hold it
	Rule        string             `json:"rule,omitempty"`    // by which the owner is told; empty: the default
	Text        string             `json:"text,omitempty"`    // the rule's own words
	High        bool               `json:"high,omitempty"`    // of a rule of high priority: quiet hours do not hold it
	Say         *Say               `json:"say,omitempty"`     // with Kind Reply: what to say
}
