package codec

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"outrider/telemetry"
)

// greenwich reads the line that trackers of OwnTracks' Greenwich edition send in place of JSON; false if the payload is none:
//
//	K2,6955B900,t,48100000,11500000,27,36,52,120,9871
//
// that is: tracker id, unix seconds in hexadecimal, what triggered it, latitude and longitude in millionths of a degree, course
// in tens of degrees, km/h, altitude in tens of metres, metres since the last one, and kilometres of the trip.
func (r *reader) greenwich() bool {
	if len(r.b) > greenwichLongest {
		return false
	}
	columns := strings.Split(strings.TrimSpace(string(r.b)), ",")
	if len(columns) != greenwichColumns || len(columns[1]) != 8 {
		return false
	}
	at, err := strconv.ParseUint(columns[1], 16, 32)
	if err != nil {
		return false
	}
	f := r.model
	f.Time = time.Unix(int64(at), 0).UTC()
	var lat, lon float64
	for _, c := range [...]struct {
		into        *float64
		column      int
		name        string
		unit, per   float64 // what one stands for is unit / per
		least, most float64
	}{
		{&lat, 3, "lat", 1, 1e6, -90, 90}, {&lon, 4, "lon", 1, 1e6, -180, 180}, {&f.Heading, 5, "cog", 10, 1, 0, 360},
		{&f.Speed, 6, "vel", 1, 3.6, 0, 1e4}, {&f.Altitude, 7, "alt", 10, 1, -12e3, 1e6},
	} {
		n, err := strconv.ParseInt(columns[c.column], 10, 64)
		v := float64(n) * c.unit / c.per
		switch {
		case err != nil:
			r.refusals.add(telemetry.Refuse(telemetry.ReasonType, c.name, "%s in column %d, expected a whole number", quote(columns[c.column]), c.column+1))
			return true
		case n == -1 && c.column > 4:
			v = math.NaN() // unknown
		case v < c.least || v > c.most:
			r.refusals.add(telemetry.Refuse(telemetry.ReasonRange, c.name, "column %d stands for %v, which is outside %v to %v", c.column+1, v, c.least, c.most))
			return true
		}
		*c.into = v
	}
	f.Point, f.Heading = orb.Point{lon, lat}, northIsZero(f.Heading)
	r.fixes = append(r.fixes, f)
	return true
}

const (
	greenwichColumns = 10
	greenwichLongest = 200 // bytes
)
