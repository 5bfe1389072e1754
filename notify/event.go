package notify

import (
	"time"

	"github.com/paulmach/orb"

	"outrider/identity"
)

// Kind is what happened, as in the public interface.
type Kind string

// The kinds.
const (
	Enter Kind = "enter"
	Exit  Kind = "exit"
	Pass  Kind = "pass"
	Dwell Kind = "dwell"
)

// Event is something that happened to a vehicle at a fence, in the words of the fleet.
type Event struct {
	ID        string // the crossing's id
	Tenant    identity.TenantID
	Vehicle   identity.VehicleID
	Fence     string // fence id
	FenceName string // what messages call it
	Kind      Kind
	At        time.Time // event time
	Point     orb.Point
	Late      bool // for the record only; nobody is alerted

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
	Point       orb.Point          `json:"point"`
	Received    time.Time          `json:"received"`
	Locale      string             `json:"locale,omitempty"`
	TimeZone    string             `json:"time_zone,omitempty"`
	MaxAge      time.Duration      `json:"max_age,omitempty"` // older alerts expire; 0: never
}
