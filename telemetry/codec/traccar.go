package codec

import "outrider/telemetry"

// Traccar is the JSON that a Traccar server forwards, over MQTT too:
//
//	{"position":{"protocol":"gl200","fixTime":"2026-01-01T00:00:00.000+00:00","valid":true,"latitude":48.13743,"longitude":11.57549,
//	 "altitude":519,"speed":19.438,"course":270,"accuracy":5,"attributes":{"ignition":true}},"device":{"uniqueId":"van-7"}}
//
// speed is in knots. fixTime is when the place was taken; deviceTime, when the message was made, is only read where
// fixTime is absent. A position that is outdated repeats the last one. Events may come without a position.
var traccar = &format{
	name: Traccar, form: traccarForm(),
	marks: [][]string{{"position.fixTime"}, {"position.deviceId"}, {"event.type", "device.uniqueId"}},
}

func traccarForm() *form {
	f := mustForm(
		field{role: vehicleRole, path: "device.uniqueId"},
		field{role: timeRole, path: "position.fixTime"},
		field{role: timeRole, path: "position.deviceTime"},
		field{role: validRole, path: "position.valid"},
		field{role: latRole, path: "position.latitude"},
		field{role: lonRole, path: "position.longitude"},
		field{role: accuracyRole, path: "position.accuracy"},
		field{role: speedRole, path: "position.speed", unit: "knots"},
		field{role: headingRole, path: "position.course"},
		field{role: altitudeRole, path: "position.altitude"},
		field{role: hdopRole, path: "position.attributes.hdop"},
		field{role: batteryRole, path: "position.attributes.batteryLevel"},
		field{role: ignitionRole, path: "position.attributes.ignition"},
		field{role: satellitesRole, path: "position.attributes.sat"},
		field{role: otherRole, path: "position.outdated"},
		field{role: otherRole, path: "event"},
	)
	f.skip = func(r *recordReader) bool { return r.other(1).kind == objectKind && !r.hasPlace() }
	f.refine = func(r *recordReader, _ *telemetry.Fix) *telemetry.Refusal {
		if r.other(0).kind == trueKind {
			return telemetry.Refuse(telemetry.ReasonNoFix, "position.outdated", "true: the place is the last one that was known")
		}
		return nil
	}
	return f
}
