package codec

import (
	"math"
	"strconv"
	"strings"

	"outrider/telemetry"
)

// HFP is high-frequency positioning, version 2, of Helsinki's public transport:
//
//	{"VP":{"oper":12,"veh":1234,"tst":"2026-01-01T00:00:00.250Z","tsi":1767225600,"spd":10,"hdg":270,"lat":60.1841,"long":24.9384,"acc":-0.3,"loc":"GPS"}}
//
// spd is in m/s, and acc is an acceleration and therefore not read. lat and long are null while the vehicle does not
// know its place. The vehicle stands in the topic, since oper names who runs the line, not whose vehicle it is. The
// topic also holds the whole degrees of the place, which shows a feed that has lat and long the wrong way round.
var hfp = &format{name: HFP, form: hfpForm(), marks: [][]string{{"VP.veh"}, {"VP.tsi"}}}

func hfpForm() *form {
	f := mustForm(
		field{role: timeRole, path: "VP.tst", clock: textClock},
		field{role: timeRole, path: "VP.tsi", clock: numberClock},
		field{role: latRole, path: "VP.lat"},
		field{role: lonRole, path: "VP.long"},
		field{role: speedRole, path: "VP.spd"},
		field{role: headingRole, path: "VP.hdg"},
		field{role: otherRole, path: "VP.loc"},
	)
	f.refine = hfpFix
	return f
}

func hfpFix(r *recordReader, f *telemetry.Fix) *telemetry.Refusal {
	if v := r.other(0); string(v.raw) == "N/A" {
		return telemetry.Refuse(telemetry.ReasonNoFix, "VP.loc", "%s: the vehicle does not know its place", describe(v))
	}
	lat, lon, ok := wholeDegrees(r.topic)
	here := func(la, lo float64) bool { return math.Trunc(la) == lat && math.Trunc(lo) == lon }
	if ok && !here(f.Point[1], f.Point[0]) && here(f.Point[0], f.Point[1]) {
		return telemetry.Refuse(telemetry.ReasonImplausible, "VP.lat", "lat and long are the wrong way round: the topic says %v;%v", lat, lon)
	}
	return nil
}

// wholeDegrees finds the level 60;24 of a topic.
func wholeDegrees(topic string) (lat, lon float64, ok bool) {
	for level := range strings.SplitSeq(topic, "/") {
		a, b, two := strings.Cut(level, ";")
		if !two {
			continue
		}
		y, errY := strconv.Atoi(a)
		x, errX := strconv.Atoi(b)
		if errY == nil && errX == nil {
			return float64(y), float64(x), true
		}
	}
	return 0, 0, false
}
