package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

const vehiclesPath = "/api/v1/vehicles"

// vehicle is a vehicle as callers see and write it.
type vehicle struct {
	ID     identity.VehicleID `json:"id" readOnly:"true"`
	Name   string             `json:"name,omitempty" maxLength:"200" doc:"What messages call it. Absent: the id."`
	Owner  identity.OwnerID   `json:"owner,omitempty" maxLength:"128" doc:"The id of its owner."`
	Owners []identity.OwnerID `json:"owners,omitempty" maxItems:"20" nullable:"false" doc:"The ids of all owners, where there are several."`
	Tags   []string           `json:"tags,omitempty" maxItems:"50" nullable:"false" uniqueItems:"true"`
	Device string             `json:"device,omitempty" maxLength:"128" doc:"The id under which its tracker publishes. Absent: the vehicle's own id."`

	Claimed  bool       `json:"claimed" readOnly:"true" doc:"False for a vehicle that was seen but never registered."`
	LastFix  *fix       `json:"last_fix,omitempty" readOnly:"true"`
	Updated  *time.Time `json:"updated,omitempty" readOnly:"true"`
	Warnings []string   `json:"warnings,omitempty" readOnly:"true" nullable:"false" doc:"In the answer to a write: what is accepted, but may not be meant."`
}

// fix is a position, with the names of the native payload.
type fix struct {
	T        time.Time `json:"t" doc:"The tracker's clock."`
	Received time.Time `json:"received" doc:"The gateway's clock."`
	Lat      float64   `json:"lat"`
	Lon      float64   `json:"lon"`
	Acc      *float64  `json:"acc,omitempty" doc:"Metres."`
	Spd      *float64  `json:"spd,omitempty" doc:"Metres per second."`
	Hdg      *float64  `json:"hdg,omitempty" doc:"Degrees clockwise from true north."`
	Alt      *float64  `json:"alt,omitempty" doc:"Metres."`
	HDOP     *float64  `json:"hdop,omitempty"`
	Batt     *float64  `json:"batt,omitempty" doc:"Percent."`
	Ign      *bool     `json:"ign,omitempty"`
}

func (g *registry) registerVehicles(r *router) {
	handle(r, huma.Operation{
		OperationID: "list-vehicles", Method: http.MethodGet, Path: vehiclesPath, Tags: []string{tagRegistry},
		Summary: "List vehicles", Description: "In order of id: registered vehicles, and those that were seen but never registered.",
	}, g.listVehicles)
	handle(r, huma.Operation{
		OperationID: "get-vehicle", Method: http.MethodGet, Path: vehiclesPath + "/{id}", Tags: []string{tagRegistry},
		Summary: "Read a vehicle", Errors: []int{http.StatusNotFound},
	}, g.getVehicle)
	handle(r, putting(huma.Operation{
		OperationID: "put-vehicle", Path: vehiclesPath + "/{id}", Summary: "Register or replace a vehicle",
	}, "Vehicle"), g.putVehicle)
}

func (g *registry) listVehicles(ctx context.Context, in *struct{ Paging }) (*listAnswer[vehicle], error) {
	from, err := in.afterID()
	if err != nil {
		return nil, err
	}
	seen, err := g.store.LastFixes(ctx, tenantOf(ctx), identity.VehicleID(from), in.Limit+1)
	if err != nil {
		return nil, err
	}
	known := some(g.directory.Vehicles(tenantOf(ctx), identity.VehicleID(from)), in.Limit)
	page, more := cut(together(known, seen), in.Limit)
	next := ""
	if more {
		next = nextID(page[len(page)-1].ID)
	}
	return newListAnswer(ctx, page, next), nil
}

// together joins registered and seen vehicles, both in order of id.
func together(known []identity.Vehicle, seen []telemetry.Fix) []vehicle {
	all := make([]vehicle, 0, len(known)+len(seen))
	for len(known) > 0 || len(seen) > 0 {
		switch {
		case len(seen) == 0 || len(known) > 0 && known[0].ID < identity.VehicleID(seen[0].Vehicle):
			all, known = append(all, showVehicle(known[0], nil)), known[1:]
		case len(known) == 0 || identity.VehicleID(seen[0].Vehicle) < known[0].ID:
			all, seen = append(all, showSeen(seen[0])), seen[1:]
		default:
			all = append(all, showVehicle(known[0], &seen[0]))
			known, seen = known[1:], seen[1:]
		}
	}
	return all
}

func (g *registry) getVehicle(ctx context.Context, in *IDPath) (*recordAnswer[vehicle], error) {
	id := identity.VehicleID(in.ID)
	last, err := g.lastFix(ctx, id)
	if err != nil {
		return nil, err
	}
	v, ok := g.directory.Vehicle(tenantOf(ctx), id)
	switch {
	case ok:
		return &recordAnswer[vehicle]{http.StatusOK, showVehicle(v, last)}, nil
	case last != nil:
		return &recordAnswer[vehicle]{http.StatusOK, showSeen(*last)}, nil
	default:
		return nil, problem(http.StatusNotFound, fmt.Sprintf("vehicle %q is not registered in this tenant and was never seen", in.ID))
	}
}

// lastFix returns a vehicle's newest position, nil if there is none.
func (g *registry) lastFix(ctx context.Context, id identity.VehicleID) (*telemetry.Fix, error) {
	f, err := g.store.LastFix(ctx, tenantOf(ctx), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &f, nil
}

func (g *registry) putVehicle(ctx context.Context, in *struct {
	IDPath
	Body vehicle
}) (*recordAnswer[vehicle], error) {
	tenant, id := tenantOf(ctx), identity.VehicleID(in.ID)
	var existed bool
	v := identity.Vehicle{
		Tenant: tenant, ID: id, Name: in.Body.Name, Owners: in.Body.owners(), Tags: in.Body.Tags, Device: in.Body.Device,
	}
	err := g.change(ctx, identity.VehicleRef(tenant, id), func(ctx context.Context) error {
		_, existed = g.directory.Vehicle(tenant, id)
		return g.store.PutVehicle(ctx, v)
	})
	if err != nil {
		return nil, err
	}
	if fresh, ok := g.directory.Vehicle(tenant, id); ok {
		v = fresh
	}
	body := showVehicle(v, nil)
	body.Warnings = g.vehicleWarnings(v)
	return stored(body, existed), nil
}

// Resolve implements huma.Resolver: what is wrong with a vehicle beyond what the schema says.
func (v *vehicle) Resolve(ctx huma.Context) []error {
	var f faults
	id := identity.VehicleID(ctx.Param("id"))
	sameID(&f, "id", v.ID, id)
	f.check("body.name", v.Name, textFault(v.Name))
	f.check("body.device", v.Device, textFault(v.Device))
	f.check("body.owner", string(v.Owner), textFault(string(v.Owner)))
	for i, o := range v.Owners {
		f.check(fmt.Sprintf("body.owners[%d]", i), string(o), idFault(string(o)))
	}
	if v.Owner != "" && len(v.Owners) > 0 && !slices.Contains(v.Owners, v.Owner) {
		f.add("body.owner", string(v.Owner), "expected one of owners, or owner alone")
	}
	for i, t := range v.Tags {
		f.check(fmt.Sprintf("body.tags[%d]", i), t, idFault(t))
	}
	return f
}

// owners is the list of owners, however it was given.
func (v vehicle) owners() []identity.OwnerID {
	if len(v.Owners) == 0 && v.Owner != "" {
		return []identity.OwnerID{v.Owner}
	}
	return v.Owners
}

// vehicleWarnings says what will keep alerts of the vehicle from being sent. Records may come in any order, so
// an owner who is not registered yet is no error.
func (g *registry) vehicleWarnings(v identity.Vehicle) []string {
	var warnings []string
	for _, id := range v.Owners {
		if _, ok := g.directory.Owner(v.Tenant, id); !ok {
			warnings = append(warnings, fmt.Sprintf("owner %q is not registered yet: alerts of this vehicle reach them once they are", id))
		}
	}
	for other := range g.directory.Carriers(v.Tenant, v.Device) {
		if other != v.ID {
			warnings = append(warnings, fmt.Sprintf("device %q is also registered for vehicle %q: its positions go to the vehicle registered last", v.Device, other))
		}
	}
	return warnings
}

func showVehicle(v identity.Vehicle, last *telemetry.Fix) vehicle {
	out := vehicle{
		ID: v.ID, Name: v.Name, Owners: v.Owners, Tags: v.Tags, Device: v.Device, Claimed: true,
		LastFix: showFix(last), Updated: moment(v.Updated),
	}
	if len(v.Owners) > 0 {
		out.Owner = v.Owners[0]
	}
	return out
}

func showSeen(f telemetry.Fix) vehicle {
	return vehicle{ID: identity.VehicleID(f.Vehicle), LastFix: showFix(&f)}
}

func showFix(f *telemetry.Fix) *fix {
	if f == nil {
		return nil
	}
	out := &fix{
		T: f.Time.UTC(), Received: f.Received.UTC(), Lat: f.Point.Lat(), Lon: f.Point.Lon(),
		Acc: number(f.Accuracy), Spd: number(f.Speed), Hdg: number(f.Heading), Alt: number(f.Altitude), HDOP: number(f.HDOP), Batt: number(f.Battery),
	}
	if f.Ignition != telemetry.UnknownState {
		on := f.Ignition == telemetry.Yes
		out.Ign = &on
	}
	return out
}
