package codec

import (
	"bytes"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"outrider/telemetry"
)

// Sparkplug is Sparkplug B, the protobuf of edge nodes and their devices:
//
//	spBv1.0/{group}/{NBIRTH|NDATA}/{edge} or spBv1.0/{group}/{DBIRTH|DDATA}/{edge}/{device}, which is the vehicle group/edge/device
//	Payload{timestamp, metrics{name:"GPS/Latitude", timestamp, double_value:48.13743}, metrics{name:"GPS/Longitude", …}, seq}
//
// Names of metrics are free; what counts is the part behind the last slash, dot or colon, see sparkplugRole. Metrics of one folder within half
// a second are one position, so that a payload may hold a buffer of them. A metric that is null, or whose quality is not good, is no
// position. A speed has no unit there, and is read only where its name says one.
//
// The decoder has no state: metrics by alias alone, whose names only the last birth told, are refused, and so is a latitude without a
// longitude, which an edge node sends that reports what changed alone.
var sparkplug = &format{name: Sparkplug, form: mustForm(), read: (*recordReader).sparkplug}

const (
	sparkplugBurst     = 500 // milliseconds
	sparkplugPositions = 256 // that one payload may hold
	qualityGood        = 192
)

// metric is one metric of a payload.
type metric struct {
	name       []byte
	aliased    bool
	at         uint64 // unix milliseconds
	datatype   uint64
	null, poor bool
	number     float64
}

// spot is a position whose metrics are being collected.
type spot struct {
	folder []byte
	at     float64
	m      measured
	has    [roles]bool
	fault  string // why it is no position
}

func (r *recordReader) sparkplug() {
	switch {
	case r.model.Vehicle == "":
		r.refusals.add(r.nobody())
		return
	case len(r.b) == 0:
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty, expected a Sparkplug B payload"))
		return
	}
	var sent uint64
	for p := (protobuf{b: r.b}); p.next(); {
		if p.integer(1) {
			sent = p.bits
		}
	}
	var spots []spot
	aliases := 0
	p := protobuf{b: r.b}
	for p.next() {
		if !p.message(2) {
			continue
		}
		x := metric{at: sent, number: math.NaN()}
		if !x.read(p.bytes) {
			p.bad = true
			break
		}
		if len(x.name) == 0 && x.aliased {
			aliases++
		}
		spots = gather(spots, &x)
	}
	for i := range spots {
		if refusal := r.sparkplugFix(&spots[i]); refusal != nil {
			r.refusals.add(refusal)
		}
	}
	switch {
	case p.bad:
		r.refusals.add(telemetry.Refuse(telemetry.ReasonMalformed, "", "not protobuf, or cut"))
	case len(spots) == 0 && aliases > 0:
		r.refusals.add(telemetry.Refuse(telemetry.ReasonUnsupported, "metrics",
			"%d of them have an alias and no name: have the edge node send names", aliases))
	}
}

// read reads a metric.
func (x *metric) read(b []byte) bool {
	p := protobuf{b: b}
	var whole uint64
	hasWhole := false
	for p.next() {
		switch {
		case p.message(1):
			x.name = p.bytes
		case p.integer(2):
			x.aliased = true
		case p.integer(3):
			x.at = p.bits
		case p.integer(4):
			x.datatype = p.bits
		case p.integer(7):
			x.null = p.bits != 0
		case p.message(9):
			x.poor = poorQuality(p.bytes)
		case p.integer(10), p.integer(11):
			whole, hasWhole = p.bits, true
		case p.is(12, protowire.Fixed32Type), p.is(13, protowire.Fixed64Type):
			x.number = p.float()
		case p.integer(14):
			x.number = float64(min(p.bits, 1))
		case p.message(15):
			x.number = textNumber(p.bytes)
		}
	}
	if hasWhole {
		x.number = signed(x.datatype, whole)
	}
	return !p.bad
}

// signed is a whole number of a data type: the wire has all of them without a sign.
func signed(datatype, n uint64) float64 {
	switch datatype {
	case 1:
		return float64(int8(n))
	case 2:
		return float64(int16(n))
	case 3:
		return float64(int32(n))
	case 4:
		return float64(int64(n))
	}
	return float64(n)
}

// poorQuality reports whether the property Quality of a metric says something else than good: stale, or bad.
func poorQuality(b []byte) bool {
	key, place := 0, -1
	for p := (protobuf{b: b}); p.next(); {
		if p.message(1) {
			if string(p.bytes) == "Quality" || string(p.bytes) == "quality" {
				place = key
			}
			key++
		}
	}
	value := 0
	for p := (protobuf{b: b}); p.next(); {
		if !p.message(2) {
			continue
		}
		if value == place {
			for v := (protobuf{b: p.bytes}); v.next(); {
				if v.integer(3) || v.integer(4) {
					return v.bits != qualityGood
				}
			}
		}
		value++
	}
	return false
}

// gather puts a metric to the position it belongs to: the one of its folder that is nearest in time and lacks it.
func gather(spots []spot, x *metric) []spot {
	cut := bytes.LastIndexAny(x.name, "/.:") + 1
	folder := x.name[:cut]
	of, perUnit := sparkplugRole(x.name[cut:])
	if of == otherRole {
		return spots
	}
	at, best, nearest := float64(x.at), -1, float64(sparkplugBurst)
	for i := range spots {
		s := &spots[i]
		if apart := math.Abs(s.at - at); !s.has[of] && apart <= nearest && bytes.Equal(s.folder, folder) && (best < 0 || apart < nearest) {
			best, nearest = i, apart
		}
	}
	if best < 0 {
		if len(spots) == sparkplugPositions {
			spots[len(spots)-1].fault = "more positions than one payload may hold"
			return spots
		}
		best = len(spots)
		spots = append(spots, spot{folder: folder, at: at, m: newMeasured()})
	}
	s := &spots[best]
	s.has[of], s.m[of] = true, x.number*perUnit
	if of == latRole || of == lonRole {
		switch {
		case x.null:
			s.fault = "null: the tracker has no position"
		case x.poor:
			s.fault = "its quality is not good: the place is the last one that was known"
		}
	}
	return spots
}

// sparkplugRole is what a name means, and how many SI units one is; otherRole when it is not known.
func sparkplugRole(name []byte) (role, float64) {
	var lower [24]byte
	if len(name) > len(lower) {
		return otherRole, 0
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	switch string(lower[:len(name)]) {
	case "lat", "latitude":
		return latRole, 1
	case "lon", "lng", "long", "longitude":
		return lonRole, 1
	case "alt", "altitude":
		return altitudeRole, 1
	case "heading", "course", "bearing":
		return headingRole, 1
	case "accuracy", "horizontal_accuracy", "horizontalaccuracy":
		return accuracyRole, 1
	case "hdop":
		return hdopRole, 1
	case "satellites", "sats":
		return satellitesRole, 1
	case "valid", "fix_valid", "gps_valid":
		return validRole, 1
	case "ignition":
		return ignitionRole, 1
	case "battery_level", "batterylevel":
		return batteryRole, 1
	case "speed_kmh", "speed_kph", "speedkmh", "speedkph":
		return speedRole, 1 / 3.6
	case "speed_mps", "speed_ms", "speedmps":
		return speedRole, 1
	case "speed_kn", "speed_knots", "speedknots":
		return speedRole, 1852.0 / 3600
	}
	return otherRole, 0
}

func (r *recordReader) sparkplugFix(s *spot) (refusal *telemetry.Refusal) {
	if !s.has[latRole] && !s.has[lonRole] {
		return nil
	}
	f := r.model
	where := string(s.folder) + "latitude"
	switch {
	case s.fault != "":
		return telemetry.Refuse(telemetry.ReasonNoFix, where, "%s", s.fault)
	case !s.has[latRole] || !s.has[lonRole]:
		return telemetry.Refuse(telemetry.ReasonMissing, where,
			"latitude and longitude have to come together, within half a second: have the edge node send both when one changed")
	case s.at == 0:
		return telemetry.Refuse(telemetry.ReasonMissing, "timestamp", "absent, expected unix milliseconds")
	}
	if f.Time, refusal = seconds(s.at, "timestamp"); refusal != nil {
		return refusal
	}
	if refusal = s.m.fix(&f); refusal != nil {
		refusal.Field = string(s.folder) + refusal.Field
		return refusal
	}
	r.fixes = append(r.fixes, f)
	return nil
}
