package codec

import "outrider/telemetry"

// Teltonika Codec JSON, as the trackers of that maker publish it in the form of an AWS shadow:
//
//	{"state":{"reported":{"ts":1767225600000,"latlng":"48.137430,11.575490","alt":"519","ang":"270","sat":"11","sp":"36","evt":"239","239":"1"}}}
//
// ts is unix milliseconds, latlng a text with latitude first, sp km/h; members that are numbers are AVL ids: 239
// ignition, 24 speed, 182 HDOP in tenths, 69 state of the receiver. Numbers may be strings. Without a position the
// tracker sends 0,0 or its last place with no satellites. Answers to commands, {"RSP":…}, hold no position.
var teltonika = &format{
	name: Teltonika, form: teltonikaForm(),
	marks: [][]string{{"state.reported.latlng"}, {"state.reported.ts", "state.reported.evt"}, {"RSP"}, {"CMD"}},
}

// What the record says beside the roles, in the order of the form.
const (
	teltonikaReceiver = iota // 69: 0 off, 1 with a fix, 2 without, 3 asleep
	teltonikaAnswer
	teltonikaCommand
)

func teltonikaForm() *form {
	f := mustForm(
		field{role: timeRole, path: "state.reported.ts"},
		field{role: placeRole, path: "state.reported.latlng"},
		field{role: altitudeRole, path: "state.reported.alt"},
		field{role: headingRole, path: "state.reported.ang"},
		field{role: speedRole, path: "state.reported.sp", unit: "km/h"},
		field{role: speedRole, path: "state.reported.24", unit: "km/h"},
		field{role: satellitesRole, path: "state.reported.sat"},
		field{role: hdopRole, path: "state.reported.182", unit: "0.1"},
		field{role: ignitionRole, path: "state.reported.239"},
		field{role: otherRole, path: "state.reported.69"},
		field{role: otherRole, path: "RSP"},
		field{role: otherRole, path: "CMD"},
	)
	f.skip = func(r *recordReader) bool {
		return r.other(teltonikaAnswer).kind != absent || r.other(teltonikaCommand).kind != absent
	}
	f.refine = teltonikaFix
	return f
}

func teltonikaFix(r *recordReader, _ *telemetry.Fix) *telemetry.Refusal {
	switch v := r.other(teltonikaReceiver); string(v.raw) {
	case "0", "2":
		return telemetry.Refuse(telemetry.ReasonNoFix, "state.reported.69", "%s: the receiver is off or without a fix", describe(v))
	}
	return nil
}
