package simulator

import (
	"math"

	"github.com/paulmach/orb"
)

// earthRadius is the mean radius of WGS84 in metres.
const earthRadius = 6371008.8

// plane maps metres east and north of an origin to longitude and latitude and back. It is affine, so straight
// in one is straight in the other; over a city its lengths are true to a few parts in ten thousand.
type plane struct {
	origin   orb.Point
	perEast  float64 // degrees of longitude per metre
	perNorth float64 // degrees of latitude per metre
}

func newPlane(origin orb.Point) plane {
	perNorth := 180 / (math.Pi * earthRadius)
	return plane{origin: origin, perNorth: perNorth, perEast: perNorth / math.Cos(radians(origin.Lat()))}
}

func (p plane) point(v vec) orb.Point {
	return orb.Point{p.origin.Lon() + v.x*p.perEast, p.origin.Lat() + v.y*p.perNorth}
}

func (p plane) vec(q orb.Point) vec {
	return vec{(q.Lon() - p.origin.Lon()) / p.perEast, (q.Lat() - p.origin.Lat()) / p.perNorth}
}

// vec is metres east and north.
type vec struct{ x, y float64 }

func (a vec) add(b vec) vec       { return vec{a.x + b.x, a.y + b.y} }
func (a vec) sub(b vec) vec       { return vec{a.x - b.x, a.y - b.y} }
func (a vec) times(f float64) vec { return vec{a.x * f, a.y * f} }
func (a vec) length() float64     { return math.Hypot(a.x, a.y) }
func (a vec) turned(angle float64) vec {
	sin, cos := math.Sincos(angle)
	return vec{a.x*cos - a.y*sin, a.x*sin + a.y*cos}
}

// heading is degrees clockwise from north.
func (a vec) heading() float64 {
	h := math.Atan2(a.x, a.y) * 180 / math.Pi
	if h < 0 {
		h += 360
	}
	return h
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// metresBetween is the great-circle distance, by the haversine formula.
func metresBetween(a, b orb.Point) float64 {
	lat1, lat2 := radians(a.Lat()), radians(b.Lat())
	s, t := math.Sin((lat2-lat1)/2), math.Sin(radians(b.Lon()-a.Lon())/2)
	return 2 * earthRadius * math.Asin(math.Sqrt(s*s+math.Cos(lat1)*math.Cos(lat2)*t*t))
}
