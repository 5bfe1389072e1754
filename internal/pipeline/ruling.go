package pipeline

import (
	"time"

	"outrider/geofence"
	"outrider/telemetry"
)

// Ruling is what the gate said of a fix and, if that admitted it, the engine.
type Ruling struct {
	Judged  bool // false: nothing yet
	Verdict telemetry.Verdict
	Reason  telemetry.Reason // of what is a duplicate, implausible or admitted and doubted
}

// doubts are the engine's, by what they are called.
var doubts = [...]telemetry.Reason{
	geofence.Inaccurate:  telemetry.ReasonInaccurate,
	geofence.Unlikely:    telemetry.ReasonUnlikely,
	geofence.Unreachable: telemetry.ReasonJump,
}

// Doubt is how often gate and engine gave a reason against fixes of a vehicle.
type Doubt struct {
	Reason telemetry.Reason
	Count  uint64
	last   telemetry.Fix
}

// Last is when the newest of these fixes arrived.
func (d *Doubt) Last() time.Time { return d.last.Received }

// Detail says what was wrong with the newest of them, for people.
func (d *Doubt) Detail() string { return gateDetail(&d.last, d.Reason) }
