package codec

import "outrider/telemetry"

// GeoJSON is a Feature whose geometry is a Point (RFC 7946), a FeatureCollection of them, an array of them, and the
// batch of the Overland app, {"locations":[…]}:
//
//	{"type":"Feature","geometry":{"type":"Point","coordinates":[11.57549,48.13743,519]},
//	 "properties":{"timestamp":"2026-01-01T00:00:00Z","speed":10,"course":270,"horizontal_accuracy":5,"device_id":"phone"}}
//
// Coordinates are longitude, latitude, altitude. speed is in m/s; -1 is unknown. A geometry of null is a place that
// is not known. Properties without a place, such as the visits and trips of Overland, are of other types.
var geoJSON = &format{
	name: GeoJSON, form: geoJSONForm(),
	marks: [][]string{{"type", "geometry"}, {"type", "features"}, {"locations"}},
}

const (
	geoJSONType = iota
	geoJSONGeometry
	geoJSONShape
	geoJSONPlace
)

func geoJSONForm() *form {
	f := mustForm(
		field{role: vehicleRole, path: "properties.device_id"},
		field{role: timeRole, path: "properties.timestamp"},
		field{role: timeRole, path: "properties.time"},
		field{role: accuracyRole, path: "properties.horizontal_accuracy"},
		field{role: accuracyRole, path: "properties.accuracy"},
		field{role: speedRole, path: "properties.speed"},
		field{role: headingRole, path: "properties.course"},
		field{role: headingRole, path: "properties.heading"},
		field{role: altitudeRole, path: "properties.altitude"},
		field{role: batteryRole, path: "properties.battery_level", unit: "0-1"},
		field{role: otherRole, path: "type"},
		field{role: otherRole, path: "geometry"},
		field{role: otherRole, path: "geometry.type"},
		field{role: otherRole, path: "geometry.coordinates"},
	).listed("features", "locations")
	f.point = geoJSONPoint
	return f
}

func geoJSONPoint(r *recordReader, f *telemetry.Fix) *telemetry.Refusal {
	if v := r.other(geoJSONType); string(v.raw) != "Feature" {
		return telemetry.Refuse(telemetry.ReasonUnsupported, "type", `%s, expected "Feature"`, describe(v))
	}
	if v := r.other(geoJSONGeometry); v.kind == nullKind {
		return telemetry.Refuse(telemetry.ReasonNoFix, "geometry", "null: the place is not known")
	}
	if v := r.other(geoJSONShape); string(v.raw) != "Point" {
		return telemetry.Refuse(telemetry.ReasonUnsupported, "geometry.type", `%s, expected "Point"`, describe(v))
	}
	return geoJSONCoordinates(r.other(geoJSONPlace), f)
}

func geoJSONCoordinates(v *value, f *telemetry.Fix) *telemetry.Refusal {
	const name = "geometry.coordinates"
	if v.kind != arrayKind {
		return telemetry.Refuse(telemetry.ReasonType, name, "%s, expected [longitude, latitude]", describe(v))
	}
	parts, n := [3]quantity{longitude, latitude, nativeAlt}, 0
	s := scanner{b: v.raw}
	for first := s.enter(); s.more(']', first); first = false {
		var number value
		if !s.value(&number) || n == len(parts) {
			break
		}
		parts[n].name = name
		x, refusal := parts[n].required(&number, false)
		if refusal != nil {
			return refusal
		}
		if n < 2 {
			f.Point[n] = x
		} else {
			f.Altitude = x
		}
		n++
	}
	if n < 2 {
		return telemetry.Refuse(telemetry.ReasonMissing, name, "%d numbers, expected [longitude, latitude]", n)
	}
	return nil
}
