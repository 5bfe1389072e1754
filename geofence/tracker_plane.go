package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// plane measures metres around a place: a flat map of the WGS84 ellipsoid, good to 0.1 % within 50 km
// outside the polar circles.
type plane struct{ x, y float64 } // metres per degree of longitude and of latitude

// planeAt returns the plane at latitude lat.
func planeAt(lat float64) plane {
	c := math.Cos(lat * math.Pi / 180)
	c2 := 2*c*c - 1
	c4 := 2*c2*c2 - 1
	c3 := c * (4*c*c - 3)
	return plane{
		x: math.Max(111412.84*c-93.5*c3, 1),
		y: 111132.954 - 559.822*c2 + 1.175*c4,
	}
}

// vector returns the way from a to b in metres east and north, the short way round the globe.
func (m plane) vector(a, b orb.Point) (dx, dy float64) {
	return shortLon(b[0]-a[0]) * m.x, (b[1] - a[1]) * m.y
}

// distance returns the metres from a to b.
func (m plane) distance(a, b orb.Point) float64 {
	dx, dy := m.vector(a, b)
	return math.Sqrt(dx*dx + dy*dy)
}

// metres returns the distance from a to b.
func metres(a, b orb.Point) float64 { return planeAt((a[1]+b[1])/2).distance(a, b) }

// shortLon brings a difference of longitudes into -180 to 180.
func shortLon(d float64) float64 {
	switch {
	case d > 180:
		return d - 360
	case d < -180:
		return d + 360
	}
	return d
}

// between returns the point at fraction f of the way from a to b.
func between(a, b orb.Point, f float64) orb.Point {
	lon := a[0] + f*shortLon(b[0]-a[0])
	return orb.Point{shortLon(lon), a[1] + f*(b[1]-a[1])}
}
