package codec

import (
	"strings"

	"outrider/telemetry"
)

// OwnTracks JSON, from the phone apps and from gateways that speak like them: an object with a _type, of which
// "location" holds a position. vel is in km/h, tst in unix seconds. Numbers may be strings, as some gateways
// send them; null, "", a negative acc, vel or cog, and an acc of 0 mean unknown. The member ign, where a gateway
// adds it, is a boolean or 0 or 1.
var (
	ownTracksTst = quantity{name: "tst", unit: "unix seconds", min: -leastMicros * 1e9, max: leastMicros * 1e9}
	ownTracksAcc = quantity{name: "acc", unit: "metres", max: 1e7, perUnit: 1, unsigned: true}
	ownTracksVel = quantity{name: "vel", unit: "km/h", max: 36e3, perUnit: 1 / 3.6, unsigned: true, zeroMeans0: true}
	ownTracksCog = quantity{name: "cog", unit: "degrees", max: 360, perUnit: 1, unsigned: true, zeroMeans0: true}
	ownTracksAlt = quantity{name: "alt", unit: "metres", min: -12e3, max: 1e6, perUnit: 1, zeroMeans0: true}
)

// ownTracksRoute reads {user}/{device} and the subtopics that the apps publish beside it.
func ownTracksRoute(rest string) (route, bool) {
	user, device, _ := strings.Cut(rest, "/")
	device, sub, deeper := strings.Cut(device, "/")
	if user == "" || device == "" {
		return route{}, false
	}
	r := route{tenant: telemetry.DefaultTenant, ownTracks: true, vehicle: telemetry.VehicleID(rest[:len(user)+1+len(device)])}
	if !deeper {
		return r, true
	}
	switch sub {
	case "event", "waypoint", "waypoints", "cmd", "status", "step", "info", "dump", "beacon", "request", "response":
		r.silent = true
		return r, true
	}
	return route{}, false
}

// ownTracks interprets an object as OwnTracks JSON.
func (r *reader) ownTracks(m *members) *telemetry.Refusal {
	switch m.typ.kind {
	case stringKind:
	case absent, nullKind:
		return telemetry.Refuse(telemetry.ReasonMissing, "_type", `absent, expected "location"`)
	default:
		return telemetry.Refuse(telemetry.ReasonType, "_type", `%s, expected "location"`, describe(&m.typ))
	}
	switch string(m.typ.text()) {
	case "location":
		return r.ownTracksLocation(m)
	case "transition", "waypoint", "waypoints", "lwt", "status", "cmd", "card", "configuration", "dump", "beacon",
		"steps", "request", "cards", "motion":
		return nil // understood: the gateway has fences of its own
	case "encrypted":
		return telemetry.Refuse(telemetry.ReasonUnsupported, "_type",
			"the payload is encrypted by OwnTracks, which is not supported: clear the encryption key in the app and protect the connection with TLS")
	}
	return telemetry.Refuse(telemetry.ReasonUnsupported, "_type", `%s is not known, expected "location"`, quote(string(m.typ.raw)))
}

func (r *reader) ownTracksLocation(m *members) *telemetry.Refusal {
	f := r.model
	n, refusal := ownTracksTst.required(&m.tst, true)
	if refusal != nil {
		return refusal
	}
	if f.Time, refusal = seconds(n, "tst"); refusal != nil {
		return refusal
	}
	if f.Point, refusal = point(m, true); refusal != nil {
		return refusal
	}
	for _, o := range [...]struct {
		into *float64
		of   *quantity
		v    *value
	}{
		{&f.Accuracy, &ownTracksAcc, &m.acc}, {&f.Speed, &ownTracksVel, &m.vel},
		{&f.Heading, &ownTracksCog, &m.cog}, {&f.Altitude, &ownTracksAlt, &m.alt},
	} {
		if *o.into, refusal = o.of.number(o.v, true); refusal != nil {
			return refusal
		}
	}
	f.Heading = northIsZero(f.Heading)
	f.Battery = charge(&m.batt)
	f.Ignition = looseTruth(&m.ign)
	r.fixes = append(r.fixes, f)
	return nil
}

// looseTruth reads a truth that is an extra of some gateways: what is not understood is unknown.
func looseTruth(v *value) telemetry.Tristate {
	switch {
	case v.kind == trueKind, string(v.raw) == "1":
		return telemetry.Yes
	case v.kind == falseKind, string(v.raw) == "0":
		return telemetry.No
	}
	return telemetry.UnknownState
}
