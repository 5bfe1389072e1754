package chat

import (
	"context"
	"time"

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

// Fleet is what the dialog may know and do. Its caller implements it; it must be safe for many goroutines.
type Fleet interface {
	// Owner returns who the person of a page is; false if nobody knows.
	Owner(page identity.PageID, psid identity.PSID) (identity.Owner, bool)
	// Vehicles lists the vehicles of an owner, and of nobody else, in order of name.
	Vehicles(o identity.Owner) []Named
	// LastFix returns the newest position of a vehicle; false if there is none.
	LastFix(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, bool, error)
	// Places lists the geofences around a position, those it is in first and then the nearest.
	Places(tenant identity.TenantID, f telemetry.Fix) []Place
	// Events lists what a vehicle did since a time, oldest first.
	Events(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, since time.Time) ([]Event, error)
	// Fences lists the geofences of the tenant, in order of name.
	Fences(ctx context.Context, tenant identity.TenantID) ([]Named, error)
	// PageName is what people call the page.
	PageName(page identity.PageID) string

	// SetMutes replaces the silences of an owner, and SetLocale the language.
	SetMutes(ctx context.Context, o identity.Owner, mutes []identity.Mute) error
	SetLocale(ctx context.Context, o identity.Owner, locale string) error
}
