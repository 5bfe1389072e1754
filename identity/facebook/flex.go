package facebook

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// flexString is an id that may come as a JSON number; anything else reads as empty.
type flexString string

// UnmarshalJSON implements json.Unmarshaler.
func (s *flexString) UnmarshalJSON(text []byte) error {
	*s = ""
	var word string
	var number json.Number
	switch {
	case json.Unmarshal(text, &word) == nil:
		*s = flexString(word)
	case json.Unmarshal(text, &number) == nil:
		*s = flexString(number)
	}
	return nil
}

// flexInt is a whole number that may come as a string; anything else reads as 0.
type flexInt int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *flexInt) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	if err != nil {
		v = 0
	}
	*n = flexInt(v)
	return nil
}

// time reads the number as unix seconds; 0 or what is out of range: never.
func (n flexInt) time() time.Time {
	if n <= 0 || n > 253_402_300_799 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
