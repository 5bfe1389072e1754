package messenger

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"outrider/internal/graph"
)

// flexString is an id or word that may come as a number.
type flexString = graph.Word

// flexTime is a moment in milliseconds or seconds since 1970, as number or string; zero when it is neither.
type flexTime struct{ time.Time }

// secondsBelow tells seconds from milliseconds: as milliseconds it is the year 2001.
const secondsBelow = 1_000_000_000_000

// latest is the end of the year 9999, in milliseconds: what is later is no time.
const latest = 253_402_300_799_999

// UnmarshalJSON implements json.Unmarshaler.
func (t *flexTime) UnmarshalJSON(text []byte) error {
	t.Time = time.Time{}
	var s flexString
	_ = s.UnmarshalJSON(text) // never fails
	n, err := strconv.ParseInt(string(s), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(s), 64)
		if err != nil || !(f > 0 && f <= latest) {
			return nil
		}
		n = int64(f)
	}
	if n < secondsBelow {
		n *= 1000
	}
	if n > 0 && n <= latest {
		t.Time = time.UnixMilli(n).UTC()
	}
	return nil
}

// flexBool is a truth that may come as a string or number.
type flexBool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *flexBool) UnmarshalJSON(text []byte) error {
	switch strings.Trim(string(text), `"`) {
	case "true", "1":
		*b = true
	default:
		*b = false
	}
	return nil
}

// flexPart is a part that reads as empty when it has another shape than expected: the event around it counts.
type flexPart[T any] struct{ v T }

// UnmarshalJSON implements json.Unmarshaler.
func (p *flexPart[T]) UnmarshalJSON(text []byte) error {
	var v T
	if json.Unmarshal(text, &v) == nil {
		p.v = v
	}
	return nil
}
