package simulator

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"outrider/telemetry"
)

// Format is the form in which fixes are published.
type Format string

// The formats.
const (
	Native    Format = "native"    // fleet/{tenant}/{vehicle}/fix, the gateway's own JSON
	OwnTracks Format = "owntracks" // owntracks/{user}/{device}: vehicle ids are "user/device", times whole seconds
)

// UserDevice names vehicles as OwnTracks wants: "van-001/tracker". It is a value for FleetOptions.Name.
func UserDevice(number int) telemetry.VehicleID {
	return telemetry.VehicleID(fmt.Sprintf("van-%03d/tracker", number+1))
}

// check reports whether a fleet can be published in the format.
func (f Format) check(fleet *Fleet) error {
	switch f {
	case Native:
		return nil
	case OwnTracks:
	default:
		return fmt.Errorf("simulator: unknown format %q: want %q or %q", string(f), Native, OwnTracks)
	}
	if !fleet.options.WholeSeconds {
		return fmt.Errorf("simulator: format %s knows whole seconds only: set FleetOptions.WholeSeconds", f)
	}
	for _, id := range fleet.Vehicles() {
		if strings.Count(string(id), "/") != 1 {
			return fmt.Errorf("simulator: format %s wants vehicle ids of the form user/device, got %q", f, id)
		}
	}
	return nil
}

// topic is where a vehicle publishes.
func (f Format) topic(tenant telemetry.TenantID, vehicle telemetry.VehicleID) string {
	if f == OwnTracks {
		return "owntracks/" + string(vehicle)
	}
	return "fleet/" + string(tenant) + "/" + string(vehicle) + "/fix"
}

// encode appends a fix's payload to dst.
func (f Format) encode(dst []byte, fix telemetry.Fix) []byte {
	if f == OwnTracks {
		return appendOwnTracks(dst, fix)
	}
	return appendNative(dst, fix)
}

func appendNative(dst []byte, fix telemetry.Fix) []byte {
	ms := fix.Time.UnixMilli()
	dst = fmt.Appendf(dst, `{"t":%d.%03d`, ms/1000, ms%1000)
	dst = number(dst, "lat", fix.Point.Lat(), 7)
	dst = number(dst, "lon", fix.Point.Lon(), 7)
	dst = number(dst, "acc", fix.Accuracy, 1)
	dst = number(dst, "spd", fix.Speed, 2)
	dst = number(dst, "hdg", fix.Heading, 1)
	if fix.Ignition != telemetry.UnknownState {
		dst = append(dst, `,"ign":`...)
		dst = strconv.AppendBool(dst, fix.Ignition == telemetry.Yes)
	}
	return append(dst, '}')
}

func appendOwnTracks(dst []byte, fix telemetry.Fix) []byte {
	dst = fmt.Appendf(dst, `{"_type":"location","t":"t","tid":"sv","tst":%d`, fix.Time.Unix())
	dst = number(dst, "lat", fix.Point.Lat(), 7)
	dst = number(dst, "lon", fix.Point.Lon(), 7)
	dst = number(dst, "acc", math.Ceil(fix.Accuracy), 0)
	dst = number(dst, "vel", fix.Speed*3.6, 0)
	dst = number(dst, "cog", fix.Heading, 0)
	return append(dst, '}')
}

// number appends a field unless its value is unknown.
func number(dst []byte, name string, v float64, digits int) []byte {
	if math.IsNaN(v) {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return strconv.AppendFloat(dst, v, 'f', digits, 64)
}
