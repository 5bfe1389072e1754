package chat

import (
	"context"
	"time"

	"github.com/paulmach/orb"

	"outrider/identity"
	"outrider/telemetry"
)

// Place is where a vehicle is in relation to a geofence.
type Place struct {
	Fence    string  // name
	Inside   bool    // else Distance and Bearing say where the vehicle is, seen from the fence
	Distance float64 // metres from the boundary
	Bearing  float64 // degrees clockwise from north, from the fence to the vehicle
}

// Event is something that a vehicle did.
type Event struct {
	Kind  string // "enter", "exit" or another kind of crossing
	Fence string // name
	At    time.Time
}

// Fence is a geofence that an owner may know of.
type Fence struct {
	Named
	Own bool // put by the owner, who may remove it
}

// Circle is a geofence that an owner puts.
type Circle struct {
	Named
	Center orb.Point
	Radius float64 // metres
}

// Fleet is what the dialog may know and do. Its caller implements it; it must be safe for many goroutines.
type Fleet interface {
	// Owner returns who the person of a page is; false if nobody knows.
	Owner(page identity.PageID, psid identity.PSID) (identity.Owner, bool)
	// Vehicles lists the vehicles of an owner, and of nobody else, in order of name.
	Vehicles(o identity.Owner) []Named
	// LastFix returns the newest position of a vehicle; false if there is none.
	LastFix(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, bool, error)
	// Places lists the geofences around a position that the owner may know of, those it is in first and then the nearest.
	Places(o identity.Owner, f telemetry.Fix) []Place
	// Events lists what a vehicle did since a time at the geofences that the owner may know of, oldest first.
	Events(ctx context.Context, o identity.Owner, vehicle identity.VehicleID, since time.Time) ([]Event, error)
	// Fences lists the geofences that the owner may know of, in order of name: the tenant's and their own.
	Fences(ctx context.Context, o identity.Owner) ([]Fence, error)
	// PageName is what people call the page.
	PageName(page identity.PageID) string

	// SetMutes replaces the silences of an owner, and SetLocale the language.
	SetMutes(ctx context.Context, o identity.Owner, mutes []identity.Mute) error
	SetLocale(ctx context.Context, o identity.Owner, locale string) error
	// SetQuiet replaces an owner's quiet hours, and SetOnce what they want to be told one time.
	SetQuiet(ctx context.Context, o identity.Owner, quiet identity.Quiet) error
	SetOnce(ctx context.Context, o identity.Owner, once []identity.Once) error
	// PutFence puts a circle that only the owner hears of, in the place of one of the same id. RemoveFence takes it away
	// again, if it is the owner's.
	PutFence(ctx context.Context, o identity.Owner, c Circle) error
	RemoveFence(ctx context.Context, o identity.Owner, id string) error
	// Acknowledge records that a person saw an alert that went to them. by is what they tapped.
	Acknowledge(ctx context.Context, o identity.Owner, person identity.Contact, alert, by string) error
	// Picture is the address of a picture of where a vehicle is, for an owner; empty: there is none.
	Picture(o identity.Owner, vehicle identity.VehicleID) string

	// Ask replaces the open question of a person until a time; an empty one closes it. Asked returns it; empty: none.
	Ask(ctx context.Context, person identity.Contact, question string, until time.Time) error
	Asked(ctx context.Context, person identity.Contact, now time.Time) (string, error)
}
