package pipeline

import (
	"time"

	"outrider/telemetry"
)

// Ruling is what the gate said of a fix.
type Ruling struct {
	Judged  bool // false: nothing yet
	Verdict telemetry.Verdict
	Reason  telemetry.Reason // of what is a duplicate or implausible
}

// Doubt is how often the gate gave a reason against fixes of a vehicle.
type Doubt struct {
	Reason telemetry.Reason
	Count  uint64
	last   telemetry.Fix
}

// Last is when the newest of these fixes arrived.
func (d *Doubt) Last() time.Time { return d.last.Received }

// Detail says what was wrong with the newest of them, for people.
func (d *Doubt) Detail() string { return gateDetail(&d.last, d.Reason) }
