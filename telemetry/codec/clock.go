package codec

import (
	"strconv"
	"strings"
	"time"

	"outrider/telemetry"
)

// clock is the form in which a field tells the time.
type clock byte

// The forms. Numbers are unix seconds, or milliseconds from 10^11 on; texts are ISO 8601 or date and time with a
// space, in UTC where they name no zone.
const (
	anyClock     clock = iota // a number, a number in a string, or a text
	numberClock               // a number, or a number in a string
	textClock                 // a text
	bcdClock                  // YYMMDDhhmmss in the zone of the field
	arrivalClock              // no field: the time of arrival
)

// read reads a value that is neither absent nor null.
func (c clock) read(v *value, name string, zone *time.Location) (time.Time, *telemetry.Refusal) {
	if c == bcdClock {
		return bcdTime(v, name, zone)
	}
	text := strings.TrimSpace(string(clip(v.raw)))
	if v.kind == numberKind || v.kind == stringKind && c != textClock && isDecimal(text) {
		q := quantity{name: name, unit: "unix seconds or milliseconds", min: -leastMicros * 1e9, max: leastMicros * 1e9}
		n, refusal := q.required(v, true)
		if refusal != nil {
			return time.Time{}, refusal
		}
		return seconds(n, name)
	}
	if v.kind == stringKind && c != numberClock {
		if t, ok := parseTime(text); ok {
			return t, nil
		}
	}
	return time.Time{}, telemetry.Refuse(telemetry.ReasonType, name, "%s, expected %s", describe(v), c.expected())
}

func (c clock) expected() string {
	switch c {
	case numberClock:
		return "unix seconds or milliseconds"
	case textClock:
		return "a time such as 2026-01-01T00:00:00Z"
	case bcdClock:
		return "twelve digits YYMMDDhhmmss"
	}
	return "unix seconds or milliseconds, or a time such as 2026-01-01T00:00:00Z"
}

func isDecimal(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.-+eE") == ""
}

// parseTime reads a text as one of the forms that trackers use, to milliseconds.
func parseTime(text string) (time.Time, bool) {
	for _, form := range [...]string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00",
		"2006-01-02 15:04:05 MST",
	} {
		t, err := time.ParseInLocation(form, text, time.UTC)
		if err == nil && (t.Location() == time.UTC || !strings.HasSuffix(form, "MST")) { // of named zones only UTC is known
			return t.Round(time.Millisecond).UTC(), true
		}
	}
	return time.Time{}, false
}

// bcdTime reads YYMMDDhhmmss.
func bcdTime(v *value, name string, zone *time.Location) (time.Time, *telemetry.Refusal) {
	digits := string(clip(v.raw))
	if _, err := strconv.ParseUint(digits, 10, 64); err == nil && len(digits) == 12 && v.kind == stringKind {
		if t, err := time.ParseInLocation("060102150405", digits, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, telemetry.Refuse(telemetry.ReasonType, name, "%s, expected twelve digits YYMMDDhhmmss", describe(v))
}
