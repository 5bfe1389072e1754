package codec

import (
	"strings"

	"outrider/telemetry"
)

// scalarTopic is what the topic of one value says.
type scalarTopic struct {
	vehicle telemetry.VehicleID
	field   scalarField
	world   Codec // who publishes so: "ovms" or "teslamate"
}

// scalarField says which value a topic holds.
type scalarField byte

const (
	otherScalar scalarField = iota // holds nothing that is read
	latScalar
	lonScalar
	locationScalar // {"latitude":…,"longitude":…}
	speedScalar    // km/h
	headingScalar  // degrees
	altitudeScalar // metres
	hdopScalar
	timeScalar
	lockScalar // whether the receiver has a position; holds until it changes
	scalarFields
)

// scalarTopics are the filters of the worlds that publish one value per topic.
func scalarTopics() []string { return []string{"ovms/+/+/metric/v/p/+", "teslamate/cars/+/+"} }

// readScalarTopic reads a topic of one value.
//
//	ovms/{user}/{vehicle}/metric/v/p/{value}    vehicle "user/vehicle"
//	teslamate/cars/{number}/{value}             vehicle "teslamate/number"
func readScalarTopic(topic string) (scalarTopic, bool) {
	world, rest, _ := strings.Cut(topic, "/")
	switch world {
	case "ovms":
		at := strings.Index(rest, "/metric/")
		if at < 0 || strings.Count(rest[:at], "/") != 1 {
			return scalarTopic{}, false
		}
		return scalarTopic{telemetry.VehicleID(rest[:at]), ovmsField(rest[at+len("/metric/"):]), "ovms"}, true
	case "teslamate":
		number, name, ok := strings.Cut(strings.TrimPrefix(rest, "cars/"), "/")
		if !ok || !strings.HasPrefix(rest, "cars/") || number == "" {
			return scalarTopic{}, false
		}
		return scalarTopic{telemetry.VehicleID("teslamate/" + number), teslaMateField(name), "teslamate"}, true
	}
	return scalarTopic{}, false
}

func ovmsField(metric string) scalarField {
	switch metric {
	case "v/p/latitude":
		return latScalar
	case "v/p/longitude":
		return lonScalar
	case "v/p/gpsspeed", "v/p/speed":
		return speedScalar
	case "v/p/direction":
		return headingScalar
	case "v/p/altitude":
		return altitudeScalar
	case "v/p/gpshdop":
		return hdopScalar
	case "v/p/gpstime":
		return timeScalar
	case "v/p/gpslock":
		return lockScalar
	}
	return otherScalar
}

func teslaMateField(name string) scalarField {
	switch name {
	case "location":
		return locationScalar
	case "latitude":
		return latScalar
	case "longitude":
		return lonScalar
	case "speed":
		return speedScalar
	case "heading":
		return headingScalar
	case "elevation":
		return altitudeScalar
	}
	return otherScalar
}

// teslaMateLocation reads the place in one object.
var teslaMateLocation = mustForm(field{role: latRole, path: "latitude"}, field{role: lonRole, path: "longitude"})

// maxScalar is how long a value may be, in bytes.
const maxScalar = 512

// read reads the payload of a topic.
func (s *scalarTopic) read(m telemetry.Message) (scalarValue, *telemetry.Refusal) {
	out := scalarValue{kind: s.field}
	if fault := idFault(string(s.vehicle)); fault != "" {
		return out, telemetry.Refuse(telemetry.ReasonTopic, "vehicle", "%s %s", quote(string(s.vehicle)), fault)
	}
	if s.field == otherScalar {
		return out, nil
	}
	if len(m.Payload) > maxScalar {
		return out, telemetry.Refuse(telemetry.ReasonTooLarge, "", "%d bytes, at most %d are one value", len(m.Payload), maxScalar)
	}
	v := value{kind: stringKind, raw: []byte(strings.Trim(strings.TrimSpace(string(m.Payload)), `"`))}
	if text := string(v.raw); text == "null" || text == "nil" {
		v.raw = nil
	}
	var refusal *telemetry.Refusal
	switch s.field {
	case locationScalar:
		out.point, refusal = readLocation(m.Payload)
	case lockScalar:
		out.truth = truth(&v)
	case timeScalar:
		if len(v.raw) > 0 {
			out.time, refusal = anyClock.read(&v, "gpstime", nil)
		}
	default:
		out.number, refusal = s.field.number(&v)
	}
	return out, refusal
}

func readLocation(payload []byte) ([2]float64, *telemetry.Refusal) {
	r := recordReader{form: teslaMateLocation}
	r.scanner = scanner{b: payload}
	nowhere := [2]float64{telemetry.Unknown(), telemetry.Unknown()}
	if strings.TrimSpace(string(payload)) == "null" {
		return nowhere, nil
	}
	if r.peek() != '{' || !r.record() || !r.end() {
		return nowhere, telemetry.Refuse(telemetry.ReasonMalformed, "location", `%s, expected such as {"latitude":48.1,"longitude":11.5}`, quote(string(clip(payload))))
	}
	var f telemetry.Fix
	if refusal := r.point(&f); refusal != nil {
		return nowhere, refusal
	}
	return f.Point, nil
}

// number reads a number in the unit of the field.
func (f scalarField) number(v *value) (float64, *telemetry.Refusal) {
	q := quantity{}
	switch f {
	case latScalar, lonScalar:
		q = quantityOf(map[scalarField]role{latScalar: latRole, lonScalar: lonRole}[f], "", "", 1)
		q.zeroMeans0 = true
	case speedScalar:
		q = quantityOf(speedRole, "", "km/h", 1/3.6)
	case headingScalar:
		q = quantityOf(headingRole, "", "", 1)
	case altitudeScalar:
		q = quantityOf(altitudeRole, "", "", 1)
	case hdopScalar:
		q = quantityOf(hdopRole, "", "", 1)
	}
	return q.number(v, true)
}
