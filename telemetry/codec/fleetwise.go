package codec

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"outrider/telemetry"
)

// FleetWise is the last known state of a vehicle as AWS IoT FleetWise hands it on over MQTT, a protobuf message whose signals have the
// names of the COVESA Vehicle Signal Specification:
//
//	LastKnownState{time_ms, signals{name:"Vehicle.CurrentLocation.Latitude", double_value:48.13743}…}
//
// The vehicle has to stand in the topic. Vehicle.Speed is km/h. What vehicles send to AWS (VehicleData) numbers its signals by a decoder
// manifest that only AWS has, and is refused as such.
var fleetWise = &format{name: FleetWise, form: mustForm(), read: (*recordReader).fleetWise}

// vssRoot is what every name of the Vehicle Signal Specification begins with.
const vssRoot = "Vehicle."

func (r *recordReader) fleetWise() {
	if refusal := r.lastKnownState(); refusal != nil {
		r.refusals.add(refusal)
	}
}

func (r *recordReader) lastKnownState() (refusal *telemetry.Refusal) {
	f := r.model
	switch {
	case len(r.b) == 0:
		return telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty, expected a LastKnownState")
	case f.Vehicle == "":
		return r.nobody()
	}
	var at uint64
	m := newMeasured()
	p := protobuf{b: r.b}
	for p.next() {
		switch {
		case p.message(1), p.message(5):
			return telemetry.Refuse(telemetry.ReasonUnsupported, "",
				"VehicleData, whose signals are numbered by a decoder manifest: send a last known state, whose signals have names")
		case p.integer(1):
			at = p.bits
		case p.message(3):
			signal := protobuf{b: p.bytes}
			signal.vssSignal(&m)
			p.bad = p.bad || signal.bad
		}
	}
	switch {
	case p.bad:
		return telemetry.Refuse(telemetry.ReasonMalformed, "", "not protobuf, or cut")
	case math.IsNaN(m[latRole]) && math.IsNaN(m[lonRole]):
		return nil
	case at == 0:
		return telemetry.Refuse(telemetry.ReasonMissing, "time_ms", "absent, expected unix milliseconds")
	}
	if f.Time, refusal = seconds(float64(at), "time_ms"); refusal != nil {
		return refusal
	}
	if refusal = m.fix(&f); refusal == nil {
		r.fixes = append(r.fixes, f)
	}
	return refusal
}

// vssSignal reads one signal into the numbers it is known by.
func (p *protobuf) vssSignal(m *measured) {
	var name []byte
	n := math.NaN()
	for p.next() {
		switch {
		case p.message(1):
			name = p.bytes
		case p.is(2, protowire.Fixed64Type), p.is(12, protowire.Fixed32Type):
			n = p.float()
		case p.kind == protowire.VarintType:
			switch p.number {
			case 3, 5, 7, 9, 11:
				n = float64(p.bits)
			case 4, 6, 8, 10:
				n = float64(protowire.DecodeZigZag(p.bits))
			}
		case p.message(13):
			n = textNumber(p.bytes)
		}
	}
	switch string(name) {
	case "Vehicle.CurrentLocation.Latitude":
		m[latRole] = n
	case "Vehicle.CurrentLocation.Longitude":
		m[lonRole] = n
	case "Vehicle.CurrentLocation.Heading":
		m[headingRole] = n
	case "Vehicle.CurrentLocation.Altitude":
		m[altitudeRole] = n
	case "Vehicle.CurrentLocation.HorizontalAccuracy":
		m[accuracyRole] = n
	case "Vehicle.Speed":
		m[speedRole] = n / 3.6
	}
}

// textNumber reads a number that is written as a text; NaN when it is none.
func textNumber(b []byte) float64 {
	if n, err := strconv.ParseFloat(string(clip(b)), 64); err == nil && !math.IsInf(n, 0) {
		return n
	}
	return math.NaN()
}
