package codec

import (
	"strconv"
	"time"

	"outrider/telemetry"
)

// JT808 is the Chinese standard JT/T 808 as the gateway of EMQX hands it on:
//
//	{"header":{"msg_id":512,"phone":"013900000001","msg_sn":7},"body":{"alarm":0,"status":3,"latitude":31230416,"longitude":121473701,
//	 "altitude":12,"speed":360,"direction":90,"time":"260101080000","extra":{"gnss_sat_num":9}}}
//
// Degrees come in millionths, always positive: bits of status say south and west. speed is in tenths of km/h, time in
// local digits, of UTC+8 unless Options says otherwise. 512 is a report, 513 one that was asked for, 1796 several in
// body.location; other messages (registration, heartbeat) hold no position.
var jt808 = &format{name: JT808, form: jt808Form(), marks: [][]string{{"header.msg_id", "body"}}}

// chinaTime is the zone of JT/T 808 where nothing else is said.
var chinaTime = time.FixedZone("UTC+8", 8*3600)

// The bits of status.
const (
	jt808Ignition = 1 << iota
	jt808Valid
	jt808South
	jt808West
)

func jt808Form() *form {
	f := jt808Report("body.", "body.params.")
	mustAdd(f, field{role: vehicleRole, path: "header.phone"}, field{role: otherRole, path: "header.msg_id"})
	f.listed("body.location")
	f.inner = jt808Report("")
	f.skip = func(r *recordReader) bool {
		switch string(r.other(len(r.form.sources[otherRole]) - 1).raw) {
		case "512", "513", "1796", "":
			return false
		}
		return true
	}
	return f
}

// jt808Report is the form of a report whose members stand behind one of several prefixes.
func jt808Report(prefixes ...string) *form {
	f := mustForm()
	for _, p := range prefixes {
		mustAdd(f,
			field{role: timeRole, path: p + "time", clock: bcdClock},
			field{role: latRole, path: p + "latitude", unit: "1e-6 deg"},
			field{role: lonRole, path: p + "longitude", unit: "1e-6 deg"},
			field{role: altitudeRole, path: p + "altitude"},
			field{role: speedRole, path: p + "speed", unit: "0.1 km/h"},
			field{role: headingRole, path: p + "direction"},
			field{role: otherRole, path: p + "status"},
		)
	}
	f.refine = jt808Fix
	return f
}

// jt808Fix reads what the bits of status say.
func jt808Fix(r *recordReader, f *telemetry.Fix) *telemetry.Refusal {
	v, name := r.other(0), r.nameOf(otherRole)
	if asked := r.form.sources[otherRole]; v.kind == absent && len(asked) > 1 {
		v = r.other(1)
	}
	status, err := strconv.ParseUint(string(v.raw), 10, 32)
	switch {
	case v.kind == absent:
		return telemetry.Refuse(telemetry.ReasonMissing, name, "absent, expected a whole number")
	case err != nil:
		return telemetry.Refuse(telemetry.ReasonType, name, "%s, expected a whole number", describe(v))
	case status&jt808Valid == 0:
		return telemetry.Refuse(telemetry.ReasonNoFix, name, "bit 1 is not set: the tracker says it has no position")
	}
	if status&jt808South != 0 {
		f.Point[1] = -f.Point[1]
	}
	if status&jt808West != 0 {
		f.Point[0] = -f.Point[0]
	}
	f.Ignition = telemetry.Truth(status&jt808Ignition != 0)
	return nil
}
