package console

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"outrider/geofence"
	"outrider/identity"
)

// IDPath names a record in a path. It is exported for binding only.
type IDPath struct {
	ID string `path:"id" doc:"The record's id, percent-encoded: user%2Fdevice is the id user/device. At most 128 bytes."`
}

// Resolve implements huma.Resolver.
func (p IDPath) Resolve(huma.Context) []error {
	var f faults
	f.check("path.id", p.ID, idFault(p.ID))
	return f
}

// OfVehicle selects by vehicle. It is exported for binding only.
type OfVehicle struct {
	Vehicle identity.VehicleID `query:"vehicle" doc:"Only of this vehicle."`
}

// Resolve implements huma.Resolver.
func (v OfVehicle) Resolve(huma.Context) []error { return filterFaults("vehicle", string(v.Vehicle)) }

// OfFence selects by fence. It is exported for binding only.
type OfFence struct {
	Fence geofence.FenceID `query:"fence" doc:"Only of this fence."`
}

// Resolve implements huma.Resolver.
func (v OfFence) Resolve(huma.Context) []error { return filterFaults("fence", string(v.Fence)) }

func filterFaults(name, id string) []error {
	var f faults
	if id != "" {
		f.check("query."+name, id, idFault(id))
	}
	return f
}

// maxID is the longest id of a tenant, vehicle, owner or fence in bytes, as in topics.
const maxID = 128

// idFault says why id cannot name anything; empty: it can.
func idFault(id string) string {
	switch {
	case id == "":
		return "expected an id of 1 to 128 bytes, found none"
	case len(id) > maxID:
		return "expected an id of at most 128 bytes"
	case id == "." || id == "..":
		return "expected an id that can stand in a path, other than . and .."
	default:
		return textFault(id)
	}
}

// textFault says why s cannot be shown or stored as a line of text; empty: it can.
func textFault(s string) string {
	if !utf8.ValidString(s) {
		return "expected valid UTF-8"
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "expected text without control characters"
	}
	return ""
}
