package fencejson

import (
	"errors"
	"fmt"
	"strconv"

	"outrider/geofence"
)

// Error says what is wrong with a feature, and where, in words for the person who wrote it.
type Error struct {
	Field  string // as "geometry.coordinates[0][3]"; empty for the feature as a whole
	Detail string // as "latitude 91 is outside -90 to 90"
}

// Error returns the place and the fault.
func (e *Error) Error() string {
	if e.Field == "" {
		return "fencejson: " + e.Detail
	}
	return "fencejson: " + e.Field + ": " + e.Detail
}

func wrong(field, format string, args ...any) *Error {
	return &Error{Field: field, Detail: fmt.Sprintf(format, args...)}
}

// placed turns a fault of a shape into an Error. skip is how many indexes of its path are not in the
// geometry, since it has fewer levels than the shape.
func placed(err error, skip int) error {
	f, ok := errors.AsType[*geofence.Fault](err)
	if !ok {
		return wrong("geometry", "%v", err)
	}
	field := "geometry.coordinates"
	for i, n := range f.Path {
		if i >= skip {
			field += "[" + strconv.Itoa(n) + "]"
		}
	}
	return &Error{Field: field, Detail: f.Detail}
}
