package codec

import (
	"time"

	"github.com/paulmach/orb"

	"outrider/telemetry"
)

// Native JSON is the gateway's own format:
//
//	{"t": 1767225600.5, "lat": 48.1, "lon": 11.5, "acc": 5, "spd": 13.9, "hdg": 270, "alt": 520, "hdop": 0.9, "batt": 80, "ign": true}
//
// t is unix seconds (a number, with fraction) or RFC 3339 (a string); acc in metres, spd in m/s, hdg in degrees
// clockwise from north, alt in metres, batt in percent (anything but 0 to 100 is unknown), ign a boolean. t, lat and lon have to be there. null, and a negative acc,
// spd, hdg, hdop or batt, mean unknown, and so do an acc or hdop of 0.
var (
	nativeAcc  = quantity{name: "acc", unit: "metres", max: 1e7, perUnit: 1, unsigned: true}
	nativeSpd  = quantity{name: "spd", unit: "metres per second", max: 1e4, perUnit: 1, unsigned: true, zeroMeans0: true}
	nativeHdg  = quantity{name: "hdg", unit: "degrees", max: 360, perUnit: 1, unsigned: true, zeroMeans0: true}
	nativeAlt  = quantity{name: "alt", unit: "metres", min: -12e3, max: 1e6, perUnit: 1, zeroMeans0: true}
	nativeHDOP = quantity{name: "hdop", unit: "a ratio", max: 1e4, perUnit: 1, unsigned: true}
	percent    = quantity{name: "batt", unit: "percent", max: 100, perUnit: 1, unsigned: true, zeroMeans0: true}
)

// native interprets an object as native JSON.
func (r *reader) native(m *members) *telemetry.Refusal {
	f := r.model
	var refusal *telemetry.Refusal
	if f.Time, refusal = nativeTime(&m.t); refusal != nil {
		return refusal
	}
	if f.Point, refusal = point(m, false); refusal != nil {
		return refusal
	}
	for _, o := range [...]struct {
		into *float64
		of   *quantity
		v    *value
	}{
		{&f.Accuracy, &nativeAcc, &m.acc}, {&f.Speed, &nativeSpd, &m.spd}, {&f.Heading, &nativeHdg, &m.hdg},
		{&f.Altitude, &nativeAlt, &m.alt}, {&f.HDOP, &nativeHDOP, &m.hdop},
	} {
		if *o.into, refusal = o.of.number(o.v, false); refusal != nil {
			return refusal
		}
	}
	f.Heading = northIsZero(f.Heading)
	f.Battery = charge(&m.batt)
	switch m.ign.kind {
	case absent, nullKind:
	case trueKind:
		f.Ignition = telemetry.Yes
	case falseKind:
		f.Ignition = telemetry.No
	default:
		return telemetry.Refuse(telemetry.ReasonType, "ign", "%s, expected true or false", describe(&m.ign))
	}
	r.fixes = append(r.fixes, f)
	return nil
}

// charge reads a battery's charge in percent. What is none, such as the volts that some gateways write as a text, is
// unknown: nobody loses a position for it.
func charge(v *value) float64 {
	n, refusal := percent.number(v, false)
	if refusal != nil {
		return telemetry.Unknown()
	}
	return n
}

func nativeTime(v *value) (time.Time, *telemetry.Refusal) {
	const expected = "expected unix seconds as a number or RFC 3339 as a string"
	switch v.kind {
	case absent, nullKind:
		return time.Time{}, telemetry.Refuse(telemetry.ReasonMissing, "t", "absent, %s", expected)
	case numberKind:
		q := quantity{name: "t", unit: "unix seconds", min: -leastMicros * 1e9, max: leastMicros * 1e9}
		n, refusal := q.required(v, false)
		if refusal != nil {
			return time.Time{}, refusal
		}
		return seconds(n, "t")
	case stringKind:
		var t time.Time
		if err := t.UnmarshalText(v.text()); err != nil {
			return time.Time{}, telemetry.Refuse(telemetry.ReasonType, "t", "%s, %s such as 2026-01-01T00:00:00Z", describe(v), expected)
		}
		return t.Round(time.Millisecond).UTC(), nil
	}
	return time.Time{}, telemetry.Refuse(telemetry.ReasonType, "t", "%s, %s", describe(v), expected)
}

// point reads lat and lon.
func point(m *members, texts bool) (orb.Point, *telemetry.Refusal) {
	lat, refusal := latitude.required(&m.lat, texts)
	if refusal != nil {
		return orb.Point{}, refusal
	}
	lon, refusal := longitude.required(&m.lon, texts)
	if refusal != nil {
		return orb.Point{}, refusal
	}
	return orb.Point{lon, lat}, nil
}

// northIsZero keeps headings below 360.
func northIsZero(degrees float64) float64 {
	if degrees == 360 {
		return 0
	}
	return degrees
}
