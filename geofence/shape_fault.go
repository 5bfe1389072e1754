package geofence

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// ErrShape is what every [Fault] wraps.
var ErrShape = errors.New("geofence: invalid shape")

// Fault says what is wrong with the geometry of a fence, in a sentence for the person who drew it.
type Fault struct {
	// Path leads to the place: indexes into the geometry that was given, outermost first. For a polygon they
	// are polygon, ring, vertex; for lines line, vertex. It is cut short when the fault is of the whole.
	Path   []int
	Detail string // lower case, no full stop
}

// Error returns the sentence with its place, as "geofence: invalid shape: at [0][3]: …".
func (f *Fault) Error() string {
	if len(f.Path) == 0 {
		return ErrShape.Error() + ": " + f.Detail
	}
	var b strings.Builder
	for _, i := range f.Path {
		b.WriteString("[" + strconv.Itoa(i) + "]")
	}
	return ErrShape.Error() + ": at " + b.String() + ": " + f.Detail
}

// Unwrap returns [ErrShape].
func (f *Fault) Unwrap() error { return ErrShape }

func fault(path []int, format string, args ...any) *Fault {
	return &Fault{Path: path, Detail: fmt.Sprintf(format, args...)}
}

// checkPoint refuses coordinates that name no place.
func checkPoint(p orb.Point, path ...int) error {
	for axis, name := range [2]string{"longitude", "latitude"} {
		most := [2]float64{180, 90}[axis]
		if v := p[axis]; !(v >= -most && v <= most) {
			return fault(path, "%s %s is outside %g to %g", name, number(v), -most, most)
		}
	}
	return nil
}

// at writes a point as people read it: "(11.5755 48.1374)".
func at(p orb.Point) string { return "(" + number(p[0]) + " " + number(p[1]) + ")" }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
