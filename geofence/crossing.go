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

	// These are told of fences with a [Watch].

	Overspeed    // faster than the limit inside; Time is when it began
	OverspeedEnd // no longer faster, or left
	Stopped      // stood inside for so long; Time is when it was full
	Silent       // inside, and nothing was heard for so long; Time is when it was full
	Absent       // not inside at the time of day it has to be
)

// Kinds returns every kind, in a fixed order.
func Kinds() []Kind {
	return []Kind{Enter, Exit, Pass, Dwell, Overspeed, OverspeedEnd, Stopped, Silent, Absent}
}

// String returns the kind as in the public interface: "enter", "exit", "pass", "dwell", "overspeed",
// "overspeed_end", "stopped", "silent", "absent".
func (k Kind) String() string {
	names := [...]string{"", "enter", "exit", "pass", "dwell", "overspeed", "overspeed_end", "stopped", "silent", "absent"}
	if k > 0 && int(k) < len(names) {
		return names[k]
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
	Side     Side      // of a pass over a tripwire: to which side
	// Confidence is 1 (weak) to 3 (strong); Why is its reason.
	Confidence uint8
	Why        Why
}

// Why is the reason of a confidence. The list is closed.
type Why uint8

// The reasons. Where several hold, the one that weakens most is named.
const (
	WhyClear    Why = iota // 3: two fixes close in time, a movement that fits the reported speeds
	WhySparse              // 2: the fixes on both sides, or the last one, are more than 30 seconds away
	WhyWaited              // 2: the fix that showed it looked odd, the next one confirmed it
	WhyShallow             // 2: told by the mean of a stop, not by depth
	WhyGap                 // 1: nothing was heard for more than five minutes; when exactly is not known
	WhyRestored            // 1: the side before was known from the store only
	WhyReplayed            // 2: found when late fixes were put in their place
	WhyDerived             // 2: the tracker reports no speed; it follows from the positions
)

// Whys returns every reason, in a fixed order.
func Whys() []Why {
	return []Why{WhyClear, WhySparse, WhyWaited, WhyShallow, WhyGap, WhyRestored, WhyReplayed, WhyDerived}
}

// String returns the reason as a label: "clear", "sparse", …
func (w Why) String() string {
	names := [...]string{"clear", "sparse", "waited", "shallow", "gap", "restored", "replayed", "derived"}
	if int(w) < len(names) {
		return names[w]
	}
	return "unknown"
}

// confidence of a crossing with that reason.
func (w Why) confidence() uint8 {
	switch w {
	case WhyClear:
		return 3
	case WhyGap, WhyRestored:
		return 1
	}
	return 2
}

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
