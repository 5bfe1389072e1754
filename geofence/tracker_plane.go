package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// plane measures metres around a place: a flat map of the WGS84 ellipsoid, good to 0.1 % within 50 km
// outside the polar circles.
type plane struct{ x, y float64 } // metres per degree of longitude and of latitude

// planeAt returns the plane at latitude lat, by a table: it differs by less than a part in a million from [planeOf], and at
// the very poles by a hundred-thousandth.
func planeAt(lat float64) plane {
	at := min(max((lat+90)*planesPer, 0), 180*planesPer-1)
	i := int(at)
	a, b, f := &planes[i], &planes[i+1], at-float64(i)
	return plane{a.x + f*(b.x-a.x), a.y + f*(b.y-a.y)}
}

const planesPer = 8 // in a degree

var planes = func() (t [180*planesPer + 1]plane) {
	for i := range t {
		t[i] = planeOf(float64(i)/planesPer - 90)
	}
	return t
}()

// planeOf computes the plane at latitude lat.
func planeOf(lat float64) plane {
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
