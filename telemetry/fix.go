package telemetry

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

// TenantID names a tenant: the fleet inside which vehicles, fences and owners live.
type TenantID string

// VehicleID names a vehicle inside its tenant. Until the identity directory has mapped it, it is the id
// under which the tracker publishes.
type VehicleID string

// DefaultTenant is the tenant of topics that name none.
const DefaultTenant TenantID = "default"

// Fix is one position of one vehicle. Unknown numbers are NaN, never 0 or -1.
type Fix struct {
	Tenant  TenantID
	Vehicle VehicleID

	// Time is the tracker's own clock when the position was taken, rounded to milliseconds.
	Time time.Time
	// Received is the gateway's clock when the message arrived, rounded to microseconds.
	Received time.Time

	// Point is longitude and latitude in degrees (WGS84), in that order.
	Point orb.Point

	Accuracy float64 // radius in metres within which the tracker believes to be (about 68 %)
	Speed    float64 // metres per second over ground
	Heading  float64 // degrees clockwise from true north, 0 to 360
	Altitude float64 // metres
	HDOP     float64 // horizontal dilution of precision, without unit
	Battery  float64 // charge of the tracker's or vehicle's battery in percent, 0 to 100
	Ignition Tristate

	// Retained marks a copy that a broker kept: a state, not news.
	Retained bool
}

// Unknown is the value of a number that the tracker did not say.
func Unknown() float64 { return math.NaN() }

// NewFix returns a fix with every optional value unknown.
func NewFix(tenant TenantID, vehicle VehicleID, at time.Time, p orb.Point) Fix {
	nan := Unknown()
	return Fix{
		Tenant: tenant, Vehicle: vehicle, Time: at, Point: p,
		Accuracy: nan, Speed: nan, Heading: nan, Altitude: nan, HDOP: nan, Battery: nan,
	}
}

// Tristate is a truth that may be unknown; the zero value is unknown.
type Tristate int8

// The three states.
const (
	UnknownState Tristate = 0
	No           Tristate = 1
	Yes          Tristate = 2
)

// Truth returns Yes or No.
func Truth(b bool) Tristate {
	if b {
		return Yes
	}
	return No
}
