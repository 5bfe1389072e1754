package facebook

import (
	"strconv"
	"strings"
	"time"

	"outrider/internal/graph"
)

// flexString is an id or word that may come as a number.
type flexString = graph.Word

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
