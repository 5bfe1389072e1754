package codec

import (
	"net/url"
	"strings"

	"outrider/telemetry"
)

// OsmAnd is the protocol of the Traccar client and of many apps. Older ones send a query or form:
//
//	id=van-7&lat=48.13743&lon=11.57549&timestamp=1767225600&speed=19.4&bearing=270&altitude=519&accuracy=5
//
// in which speed is in knots, timestamp in unix seconds or milliseconds or ISO 8601, and location=lat,lon may stand
// for lat and lon. Without a timestamp the time of arrival counts, as it does at Traccar. Newer ones send JSON:
//
//	{"device_id":"van-7","location":{"timestamp":"2026-01-01T00:00:00Z","coords":{"latitude":48.13743,"longitude":11.57549,"speed":10,"heading":270}}}
//
// in which speed is in m/s and a negative one is unknown.
var osmAnd = &format{name: OsmAnd, form: osmAndForm, marks: [][]string{{"location.coords"}}, read: (*recordReader).osmAnd}

var osmAndForm = mustForm(
	field{role: vehicleRole, path: "device_id"},
	field{role: timeRole, path: "location.timestamp"},
	field{role: latRole, path: "location.coords.latitude"},
	field{role: lonRole, path: "location.coords.longitude"},
	field{role: accuracyRole, path: "location.coords.accuracy"},
	field{role: speedRole, path: "location.coords.speed"},
	field{role: headingRole, path: "location.coords.heading"},
	field{role: altitudeRole, path: "location.coords.altitude"},
	field{role: batteryRole, path: "location.battery.level", unit: "0-1"},
)

var osmAndQuery = mustForm(
	field{role: vehicleRole, path: "id"},
	field{role: vehicleRole, path: "deviceid"},
	field{role: timeRole, path: "timestamp"},
	field{role: timeRole, clock: arrivalClock},
	field{role: placeRole, path: "location"},
	field{role: latRole, path: "lat"},
	field{role: lonRole, path: "lon"},
	field{role: accuracyRole, path: "accuracy"},
	field{role: speedRole, path: "speed", unit: "knots"},
	field{role: headingRole, path: "bearing"},
	field{role: headingRole, path: "heading"},
	field{role: altitudeRole, path: "altitude"},
	field{role: hdopRole, path: "hdop"},
	field{role: batteryRole, path: "batt"},
	field{role: validRole, path: "valid"},
)

// osmAnd reads JSON, or a query.
func (r *recordReader) osmAnd() {
	if c := r.peek(); c == '{' || c == '[' || c == 0 {
		r.records()
		return
	}
	r.form = osmAndQuery
	if refusal := r.query(strings.TrimSpace(string(r.b))); refusal != nil {
		r.refusals.add(refusal)
		return
	}
	r.take(alone)
}

// query reads name=value pairs into the slots. Of names that come twice the last one counts.
func (r *recordReader) query(text string) *telemetry.Refusal {
	_, after, _ := strings.Cut(text, "?") // a whole request line's path before it
	if after != "" {
		text = after
	}
	for pair := range strings.SplitSeq(text, "&") {
		name, content, ok := strings.Cut(pair, "=")
		if !ok {
			return telemetry.Refuse(telemetry.ReasonMalformed, "", "%s is no name=value, expected such as id=7&lat=48.1&lon=11.5&timestamp=1767225600", quote(pair))
		}
		l := r.form.layout.find([]byte(name))
		if l == nil {
			continue
		}
		plain, err := url.QueryUnescape(content)
		if err != nil {
			return telemetry.Refuse(telemetry.ReasonMalformed, name, "%s holds a broken %% escape", quote(content))
		}
		r.values[l.slot-1] = value{kind: stringKind, raw: []byte(plain)}
		if plain == "" {
			r.values[l.slot-1] = value{}
		}
	}
	return nil
}
