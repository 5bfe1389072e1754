package codec

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"outrider/telemetry"
)

// Queclink is what trackers of Queclink send by themselves, one report or several, live (+RESP) or from their buffer (+BUFF):
//
//	+RESP:GTFRI,020102,869000000000007,,0,0,1,1,36.0,270,519.0,11.575490,48.137430,20260101000000,0262,0002,0F12,4E21,,20260101000005,11F0$
//
// A position is HDOP, km/h, course, altitude, longitude before latitude, and UTC; it stands elsewhere in each report and model, and is found
// by the form of its last three. A report may hold several. HDOP 0 repeats the last place that was known. The last time of a report is
// when it was sent, and is not read. Reports of another kind (GTINF, GTHBD) and answers to commands (+ACK) hold no position.
var queclink = &format{name: Queclink, form: mustForm(field{role: vehicleRole, path: "imei"}), read: (*recordReader).queclink}

// isQueclink reports whether a payload begins as a report does.
func isQueclink(b []byte) bool {
	return bytes.HasPrefix(b, []byte("+RESP:GT")) || bytes.HasPrefix(b, []byte("+BUFF:GT")) || bytes.HasPrefix(b, []byte("+ACK:GT"))
}

func (r *recordReader) queclink() {
	rest := bytes.TrimSpace(r.b)
	if len(rest) == 0 {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty, expected reports such as +RESP:GTFRI,…$"))
	}
	var columns [][]byte
	for n := 1; len(rest) > 0 && !r.refusals.full(); n++ {
		report, after, whole := bytes.Cut(rest, []byte("$"))
		var refusal *telemetry.Refusal
		switch {
		case !isQueclink(report):
			refusal = telemetry.Refuse(telemetry.ReasonMalformed, "", "%s is no report, expected such as +RESP:GTFRI,…$", quote(string(clip(report))))
		case !whole:
			refusal = telemetry.Refuse(telemetry.ReasonMalformed, "", "the report is cut, expected $ at its end")
		case report[1] != 'A':
			columns = columns[:0]
			for column := range bytes.SplitSeq(report, []byte(",")) {
				columns = append(columns, column)
			}
			refusal = r.queclinkReport(columns)
		}
		if refusal != nil {
			where := fmt.Sprintf("report %d", n)
			if refusal.Field != "" {
				where += ", " + refusal.Field
			}
			refusal.Field = where
			r.refusals.add(refusal)
		}
		rest = bytes.TrimSpace(after)
	}
}

// queclinkReport reads the positions of one report.
func (r *recordReader) queclinkReport(columns [][]byte) *telemetry.Refusal {
	_, kind, _ := bytes.Cut(columns[0], []byte(":GT"))
	f := r.model
	if f.Vehicle == "" {
		if len(columns) < 3 || len(columns[2]) == 0 {
			return r.nobody()
		}
		if fault := idFault(string(columns[2])); fault != "" {
			return telemetry.Refuse(telemetry.ReasonTopic, "field 3", "%s %s", quote(string(columns[2])), fault)
		}
		f.Vehicle = telemetry.VehicleID(columns[2])
	}
	switch string(kind) {
	case "IGN":
		f.Ignition = telemetry.Yes
	case "IGF":
		f.Ignition = telemetry.No
	}
	found := false
	var fault *telemetry.Refusal
	for i := 8; i < len(columns); i++ {
		if !isDegrees(columns[i-2]) || !isDegrees(columns[i-1]) || !isDigits(columns[i], 14) {
			continue
		}
		found = true
		fix := f
		if refusal := queclinkPosition(columns[i-6:i+1], i-5, &fix); refusal != nil {
			fault = refusal
			continue
		}
		r.fixes = append(r.fixes, fix)
	}
	if !found {
		switch string(kind) {
		case "FRI", "RTL", "ERI", "IGN", "IGF", "STT", "SOS", "GEO", "SPD", "HBM":
			return telemetry.Refuse(telemetry.ReasonNoFix, "", "GT%s without a position: the tracker has none", kind)
		}
	}
	return fault
}

// queclinkPosition reads the seven columns of a position, of which the first is the nth of its report.
func queclinkPosition(columns [][]byte, n int, f *telemetry.Fix) *telemetry.Refusal {
	m := newMeasured()
	for i, of := range [...]role{hdopRole, speedRole, headingRole, altitudeRole, lonRole, latRole} {
		if len(columns[i]) == 0 {
			continue
		}
		v, err := strconv.ParseFloat(string(clip(columns[i])), 64)
		if err != nil {
			return telemetry.Refuse(telemetry.ReasonType, fmt.Sprintf("field %d", n+i), "%s, expected a number", quote(string(columns[i])))
		}
		m[of] = v
	}
	if m[hdopRole] == 0 {
		return telemetry.Refuse(telemetry.ReasonNoFix, fmt.Sprintf("field %d", n), "HDOP 0: the place is the last one that was known")
	}
	m[speedRole] /= 3.6
	at, err := time.Parse("20060102150405", string(columns[6]))
	if err != nil {
		return telemetry.Refuse(telemetry.ReasonType, fmt.Sprintf("field %d", n+6), "%s, expected yyyymmddhhmmss", quote(string(columns[6])))
	}
	f.Time = at
	return m.fix(f)
}

// isDegrees reports whether a column has the form of a coordinate: six digits behind the point.
func isDegrees(b []byte) bool {
	whole, part, _ := bytes.Cut(bytes.TrimPrefix(b, []byte("-")), []byte("."))
	return isDigits(part, 6) && len(whole) > 0 && len(whole) <= 3 && isDigits(whole, len(whole))
}

func isDigits(b []byte, n int) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) == n
}
