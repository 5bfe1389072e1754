package codec

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"outrider/telemetry"
)

// maxID is the longest tenant or vehicle id, in bytes.
const maxID = 128

// Topics returns the topic filters that cover everything the decoder recognises, for a subscription at a broker.
func Topics() []string { return []string{"fleet/+/+/fix", "owntracks/+/+"} }

// TopicOwner says whom a topic names, without looking at a payload; two empty ids when it names nobody.
func TopicOwner(topic string) (telemetry.TenantID, telemetry.VehicleID) {
	r, refusal := routeOf(topic)
	if refusal != nil {
		return "", ""
	}
	return r.tenant, r.vehicle
}

// route is what a topic says about its messages.
type route struct {
	tenant    telemetry.TenantID
	vehicle   telemetry.VehicleID
	ownTracks bool // objects have to say their _type
	silent    bool // nothing published here holds a position
}

// routeOf reads a topic. The ids of the route share its memory.
func routeOf(topic string) (route, *telemetry.Refusal) {
	var r route
	var ok bool
	switch head, rest, _ := strings.Cut(topic, "/"); head {
	case "fleet":
		r, ok = nativeRoute(rest)
	case "owntracks":
		r, ok = ownTracksRoute(rest)
	}
	if !ok {
		return route{}, telemetry.Refuse(telemetry.ReasonTopic, "",
			"%s is neither fleet/{tenant}/{vehicle}/fix nor owntracks/{user}/{device}", quote(topic))
	}
	if fault := idFault(string(r.tenant)); fault != "" {
		return route{}, telemetry.Refuse(telemetry.ReasonTopic, "tenant", "%s %s", quote(string(r.tenant)), fault)
	}
	if fault := idFault(string(r.vehicle)); fault != "" {
		return route{}, telemetry.Refuse(telemetry.ReasonTopic, "vehicle", "%s %s", quote(string(r.vehicle)), fault)
	}
	return r, nil
}

// nativeRoute reads {tenant}/{vehicle}/fix.
func nativeRoute(rest string) (route, bool) {
	tenant, rest, _ := strings.Cut(rest, "/")
	vehicle, rest, _ := strings.Cut(rest, "/")
	return route{tenant: telemetry.TenantID(tenant), vehicle: telemetry.VehicleID(vehicle)},
		tenant != "" && vehicle != "" && rest == "fix"
}

// idFault says what is wrong with an id that came from outside, "" when it is good.
func idFault(id string) string {
	switch {
	case id == "":
		return "is empty"
	case len(id) > maxID:
		return "is longer than 128 bytes"
	case !utf8.ValidString(id):
		return "is not UTF-8"
	case strings.ContainsFunc(id, unicode.IsControl):
		return "holds a control character"
	case strings.ContainsAny(id, "+#"):
		return "holds a topic wildcard"
	}
	return ""
}
