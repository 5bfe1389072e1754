package simulator

import (
	"time"

	"outrider/telemetry"
)

// Kind is what a crossing is, as in the gateway's public interface.
type Kind string

// The kinds.
const (
	Enter Kind = "enter"
	Exit  Kind = "exit"
)

// Crossing is the truth: a vehicle crossed a fence's boundary.
type Crossing struct {
	Vehicle telemetry.VehicleID `json:"vehicle"`
	Fence   string              `json:"fence"`
	Kind    Kind                `json:"kind"`
	Time    time.Time           `json:"at"`

	// Unsettled says that the vehicle fell silent so soon after that nobody can be blamed for not telling.
	Unsettled bool `json:"unsettled,omitempty"`

	// During is "gap" when the fixes of that time came late, "tunnel" when there are none, and else empty.
	During string `json:"during,omitempty"`
}

// Observed is a crossing that somebody told of.
type Observed struct {
	Vehicle telemetry.VehicleID `json:"vehicle"`
	Fence   string              `json:"fence"`
	Kind    Kind                `json:"kind"`
	Time    time.Time           `json:"at"` // of the crossing
}
