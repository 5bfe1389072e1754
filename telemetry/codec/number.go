package codec

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"outrider/telemetry"
)

// quantity says which numbers a field may hold.
type quantity struct {
	name       string
	unit       string  // for people
	min, max   float64 // outside is refused
	perUnit    float64 // SI units in one unit of the field
	unsigned   bool    // a negative number means unknown, as -1 does on many trackers
	zeroMeans0 bool    // 0 is a value; without it 0 means unknown
}

// number reads an optional number: NaN when it is absent, null or says that it is unknown. Where texts is set,
// a number may also be written as a string, and an empty string means unknown.
func (q *quantity) number(v *value, texts bool) (float64, *telemetry.Refusal) {
	n, known, refusal := q.raw(v, texts)
	if !known || refusal != nil {
		return telemetry.Unknown(), refusal
	}
	return q.limit(n)
}

// limit judges an optional number; NaN is unknown, and so is 0 where it is no value. Degrees of a place may be 0.
func (q *quantity) limit(n float64) (float64, *telemetry.Refusal) {
	switch {
	case math.IsNaN(n), q.unsigned && n < 0, !q.zeroMeans0 && n == 0 && q.min >= 0:
		return telemetry.Unknown(), nil
	case n < q.min || n > q.max:
		return 0, telemetry.Refuse(telemetry.ReasonRange, q.name, "%v is outside %v to %v %s", n, q.min, q.max, q.unit)
	}
	return n * q.perUnit, nil
}

// required reads a number that has to be there.
func (q *quantity) required(v *value, texts bool) (float64, *telemetry.Refusal) {
	n, known, refusal := q.raw(v, texts)
	switch {
	case refusal != nil:
		return 0, refusal
	case !known:
		return 0, telemetry.Refuse(telemetry.ReasonMissing, q.name, "absent, expected %s", q.unit)
	case n < q.min || n > q.max:
		return 0, telemetry.Refuse(telemetry.ReasonRange, q.name, "%v is outside %v to %v %s", n, q.min, q.max, q.unit)
	}
	return n, nil
}

func (q *quantity) raw(v *value, texts bool) (n float64, known bool, refusal *telemetry.Refusal) {
	switch {
	case v.kind == absent || v.kind == nullKind:
		return 0, false, nil
	case v.kind == numberKind:
		n, err := parseFloat(v.raw)
		if err != nil { // the syntax is right, so it is too large
			return 0, false, telemetry.Refuse(telemetry.ReasonRange, q.name, "%s is too large a number", quote(string(v.raw)))
		}
		return n, true, nil
	case v.kind == stringKind && texts:
		return q.parse(v.text())
	}
	return 0, false, telemetry.Refuse(telemetry.ReasonType, q.name, "%s, expected %s", describe(v), q.unit)
}

// parse reads a number written as a string. NaN and Inf, which strconv would read, are no numbers.
func (q *quantity) parse(text []byte) (n float64, known bool, refusal *telemetry.Refusal) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return 0, false, nil
	}
	n, err := parseFloat(text)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false, telemetry.Refuse(telemetry.ReasonType, q.name, "%s is no number, expected %s", quote(string(text)), q.unit)
	}
	return n, true, nil
}

// What the flat formats hold.
var (
	latitude  = quantity{name: "lat", unit: "degrees", min: -90, max: 90}
	longitude = quantity{name: "lon", unit: "degrees", min: -180, max: 180}
)

// Times are numbers of seconds. A number of 10^11 or more would be after the year 5100 and is therefore taken
// for milliseconds, which some trackers send by mistake; 10^14 or more, microseconds or worse, is refused.
const (
	leastMillis = 1e11
	leastMicros = 1e14
)

// seconds reads a number of unix seconds, with fraction, to milliseconds.
func seconds(n float64, field string) (time.Time, *telemetry.Refusal) {
	switch {
	case math.Abs(n) < leastMillis:
		n *= 1000
	case math.Abs(n) >= leastMicros:
		return time.Time{}, telemetry.Refuse(telemetry.ReasonRange, field, "%.0f is too large for a time, expected unix seconds", n)
	}
	return time.UnixMilli(int64(math.Round(n))).UTC(), nil
}

// describe says what a value is, for people.
func describe(v *value) string {
	switch v.kind {
	case stringKind:
		return "the string " + quote(string(v.raw))
	case numberKind:
		return "the number " + string(clip(v.raw))
	}
	return v.kind.String()
}

// maxQuoted is how much of a strange text is repeated in a refusal, in bytes.
const maxQuoted = 64

func quote(s string) string {
	if len(s) > maxQuoted {
		return strconv.QuoteToASCII(s[:maxQuoted]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

func clip(b []byte) []byte { return b[:min(len(b), maxQuoted)] }
