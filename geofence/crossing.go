package geofence

import "github.com/paulmach/orb"

// Vehicle is a tracker's dense handle of a vehicle, from [Tracker.Vehicle]. It means nothing to another tracker.
type Vehicle uint32

// Fix is one position of a vehicle. Numbers that are unknown are NaN.
type Fix struct {
	Vehicle  Vehicle
	Time     int64 // Unix milliseconds, the tracker device's clock: event time
	Received int64 // Unix milliseconds, the arrival clock
	Point    orb.Point
	Accuracy float32 // metres, about 68 %
	Speed    float32 // metres per second
	Heading  float32 // degrees clockwise from true north
	HDOP     float32
}

// Kind is what a crossing is.
type Kind uint8

// The kinds. A Pass comes together with its Enter and Exit, after them.
const (
	Enter Kind = iota + 1
	Exit
	Pass  // entered and left between two fixes
	Dwell // stayed inside for the fence's dwell time
)

// String returns the kind as in the public interface: "enter", "exit", "pass", "dwell".
func (k Kind) String() string {
	switch k {
	case Enter:
		return "enter"
	case Exit:
		return "exit"
	case Pass:
		return "pass"
	case Dwell:
		return "dwell"
	}
	return "unknown"
}

// Crossing is one thing that happened between a vehicle and a fence.
type Crossing struct {
	Vehicle  Vehicle
	Fence    FenceID
	Revision uint64 // of the fence version that was crossed
	Kind     Kind
	Time     int64     // Unix milliseconds, event time, interpolated between fixes
	Point    orb.Point // where, on the boundary as interpolated
	Late     bool      // for the record only: found in data that came too late to disturb the live state
	// Confidence is 1 (weak) to 3 (strong); Why is its reason.
	Confidence uint8
	Why        Why
}

// Why is the reason of a confidence. The list is closed.
type Why uint8

// Membership is where a vehicle stands with a fence.
type Membership uint8

// The memberships.
const (
	UnknownMembership Membership = iota
	Outside
	Inside
)

// Member is a vehicle's membership of one fence.
type Member struct {
	Vehicle    Vehicle
	Fence      FenceID
	Membership Membership
	Since      int64 // Unix milliseconds, event time
}
