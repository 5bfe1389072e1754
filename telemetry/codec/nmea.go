package codec

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"outrider/telemetry"
)

// NMEA is NMEA 0183 as receivers write it, one sentence or many, of any constellation:
//
//	$GPRMC,000000.50,A,4808.2458,N,01134.5294,E,19.438,270.0,010126,,,A*5C
//	$GPGGA,000000.50,4808.2458,N,01134.5294,E,1,09,0.9,519.0,M,47.0,M,,*51
//
// RMC gives place, time, speed in knots and course; GGA of the same time adds altitude and HDOP. GGA alone has no
// date, which is refused rather than guessed. A status of V, a quality of 0, and positions that are typed in or
// simulated are no position. Checksums have to be there and right. Other sentences hold nothing that is read.
var nmea = &format{name: NMEA, form: mustForm(), read: (*recordReader).nmea}

// sentence is one sentence of NMEA, split at its commas.
type sentence struct {
	line   int // counted from 1
	fields []string
}

// kind is RMC, GGA and so on, without the two letters of the talker.
func (s *sentence) kind() string {
	if f := s.fields[0]; len(f) == 5 {
		return f[2:]
	}
	return ""
}

func (s *sentence) field(n int) string {
	if n < len(s.fields) {
		return s.fields[n]
	}
	return ""
}

// at is where a field stands, for people.
func (s *sentence) at(n int) string {
	return fmt.Sprintf("line %d, field %d", s.line, n)
}

func (r *recordReader) nmea() {
	if r.model.Vehicle == "" {
		r.refusals.add(r.nobody())
		return
	}
	var recommended []sentence
	fixData := map[string]sentence{} // GGA by time of day
	for line, text := range lines(r.b) {
		s, refusal := readSentence(line, text)
		if refusal != nil {
			r.refusals.add(refusal)
			continue
		}
		switch s.kind() {
		case "RMC":
			recommended = append(recommended, s)
		case "GGA":
			fixData[s.field(1)] = s
		}
	}
	for i := range recommended {
		s := &recommended[i]
		gga := fixData[s.field(1)]
		delete(fixData, s.field(1))
		if refusal := r.recommended(s, &gga); refusal != nil {
			r.refusals.add(refusal)
		}
	}
	r.undated(fixData)
	if len(bytes.TrimSpace(r.b)) == 0 {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty, expected NMEA sentences"))
	}
}

// lines yields the lines that hold something, with their number.
func lines(b []byte) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range bytes.Lines(b) {
			n++
			if text := strings.TrimSpace(string(line)); text != "" && !yield(n, text) {
				return
			}
		}
	}
}

func readSentence(line int, text string) (sentence, *telemetry.Refusal) {
	where := fmt.Sprintf("line %d", line)
	body, sum, summed := strings.Cut(text, "*")
	if strings.HasPrefix(body, "!") || strings.HasPrefix(body, "$P") {
		return sentence{line, []string{""}}, nil // AIS, and what makers keep for themselves
	}
	if !strings.HasPrefix(body, "$") {
		return sentence{}, telemetry.Refuse(telemetry.ReasonMalformed, where, "%s is no NMEA sentence, expected such as $GPRMC,…*hh", quote(text))
	}
	var want byte
	for i := 1; i < len(body); i++ {
		want ^= body[i]
	}
	got, err := strconv.ParseUint(sum, 16, 8)
	if !summed || err != nil || byte(got) != want {
		return sentence{}, telemetry.Refuse(telemetry.ReasonMalformed, where, "checksum %s, expected *%02X", quote(sum), want)
	}
	return sentence{line, strings.Split(body[1:], ",")}, nil
}

// recommended makes a fix of an RMC and, where there is one, the GGA of the same time.
func (r *recordReader) recommended(s, gga *sentence) *telemetry.Refusal {
	if status := s.field(2); status != "A" {
		return telemetry.Refuse(telemetry.ReasonNoFix, s.at(2), "status %s, expected A: the receiver has no position", quote(status))
	}
	switch mode := s.field(12); mode {
	case "N", "M", "S":
		return telemetry.Refuse(telemetry.ReasonNoFix, s.at(12), "mode %s: not measured, or typed in, or simulated", mode)
	}
	f := r.model
	var refusal *telemetry.Refusal
	if f.Time, refusal = nmeaTime(s); refusal != nil {
		return refusal
	}
	if f.Point[1], refusal = nmeaDegrees(s, 3, "N", "S", 90); refusal != nil {
		return refusal
	}
	if f.Point[0], refusal = nmeaDegrees(s, 5, "E", "W", 180); refusal != nil {
		return refusal
	}
	if f.Speed, refusal = nmeaNumber(s, 7, speedRole, 1852.0/3600); refusal != nil {
		return refusal
	}
	if f.Heading, refusal = nmeaNumber(s, 8, headingRole, 1); refusal != nil {
		return refusal
	}
	f.Heading = northIsZero(f.Heading)
	if refusal = gga.add(&f); refusal != nil {
		return refusal
	}
	if f.Point == [2]float64{} {
		return telemetry.Refuse(telemetry.ReasonNoFix, fmt.Sprintf("line %d", s.line), "0,0 is what a receiver sends that has no position")
	}
	r.fixes = append(r.fixes, f)
	return nil
}

// add adds what a GGA knows; a GGA that is not there knows nothing.
func (s *sentence) add(f *telemetry.Fix) (refusal *telemetry.Refusal) {
	if len(s.fields) == 0 {
		return nil
	}
	if refusal = s.quality(); refusal != nil {
		return refusal
	}
	if f.HDOP, refusal = nmeaNumber(s, 8, hdopRole, 1); refusal != nil {
		return refusal
	}
	f.Altitude, refusal = nmeaNumber(s, 9, altitudeRole, 1)
	return refusal
}

// quality refuses a GGA whose place was not measured.
func (s *sentence) quality() *telemetry.Refusal {
	switch q := s.field(6); q {
	case "", "0", "7", "8":
		return telemetry.Refuse(telemetry.ReasonNoFix, s.at(6), "quality %s: no position, or typed in, or simulated", quote(q))
	}
	return nil
}

// undated refuses the GGA that no RMC gives a date.
func (r *recordReader) undated(fixData map[string]sentence) {
	byLine := func(a, b sentence) int { return cmp.Compare(a.line, b.line) }
	for _, s := range slices.SortedFunc(maps.Values(fixData), byLine) {
		if refusal := s.quality(); refusal != nil {
			r.refusals.add(refusal)
			continue
		}
		r.refusals.add(telemetry.Refuse(telemetry.ReasonMissing, fmt.Sprintf("line %d", s.line),
			"GGA has no date: send RMC of the same time in the same message"))
	}
}

func nmeaTime(s *sentence) (time.Time, *telemetry.Refusal) {
	clock, date := s.field(1), s.field(9)
	t, err := time.Parse("020106150405", date+clock[:min(6, len(clock))])
	if err != nil || len(clock) < 6 {
		return t, telemetry.Refuse(telemetry.ReasonType, s.at(9), "date %s and time %s, expected ddmmyy and hhmmss", quote(date), quote(clock))
	}
	if part := clock[6:]; part != "" {
		fraction, err := strconv.ParseFloat("0"+part, 64)
		if err != nil || part[0] != '.' || fraction >= 1 {
			return t, telemetry.Refuse(telemetry.ReasonType, s.at(1), "time %s, expected hhmmss.sss", quote(clock))
		}
		t = t.Add(time.Duration(fraction * 1e9)).Round(time.Millisecond)
	}
	return t, nil
}

// nmeaDegrees reads ddmm.mmmm and the hemisphere behind it.
func nmeaDegrees(s *sentence, n int, positive, negative string, most float64) (float64, *telemetry.Refusal) {
	text, hemisphere := s.field(n), s.field(n+1)
	whole, _, _ := strings.Cut(text, ".")
	if len(whole) < 3 || len(whole) > 5 || strings.Trim(text, "0123456789.") != "" || hemisphere != positive && hemisphere != negative {
		return 0, telemetry.Refuse(telemetry.ReasonType, s.at(n), "%s %s, expected degrees and minutes such as 4808.2458 and %s or %s",
			quote(text), quote(hemisphere), positive, negative)
	}
	degrees, _ := strconv.ParseFloat(whole[:len(whole)-2], 64)
	minutes, err := strconv.ParseFloat(text[len(whole)-2:], 64)
	degrees += minutes / 60
	if err != nil || minutes >= 60 || degrees > most {
		return 0, telemetry.Refuse(telemetry.ReasonRange, s.at(n), "%s is outside 0 to %v degrees, or has minutes from 60 on", quote(text), most)
	}
	if hemisphere == negative {
		degrees = -degrees
	}
	return degrees, nil
}

func nmeaNumber(s *sentence, n int, of role, factor float64) (float64, *telemetry.Refusal) {
	q := quantityOf(of, s.at(n), "", factor)
	return q.number(&value{kind: stringKind, raw: []byte(s.field(n))}, true)
}
