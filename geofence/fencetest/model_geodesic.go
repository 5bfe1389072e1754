package fencetest

import (
	"math"

	"github.com/paulmach/orb"
)

// The WGS84 ellipsoid.
const (
	radius = 6378137.0
	ecc2   = 0.0066943799901413165
	rad    = math.Pi / 180
)

// Geodesic returns the length in metres of the shortest way from a to b on WGS84. It shoots: it follows the
// geodesic from a in some direction for some length, sees where it ends, and corrects both until it ends at
// b. Good to a part in 10¹¹ up to 10,000 km; not for almost opposite points or for a on a pole.
func Geodesic(a, b orb.Point) float64 {
	east := math.Remainder(b[0]-a[0], 360) * rad
	if math.Abs(a[1]) > math.Abs(b[1]) {
		a, b, east = b, a, -east
	}
	if a[1] == b[1] && east == 0 {
		return 0
	}
	lat1, lat2 := a[1]*rad, b[1]*rad
	azimuth, length := guess(lat1, lat2, east)
	for range 12 {
		e, n := miss(lat1, lat2, east, azimuth, length)
		if math.Hypot(e, n) < 1e-9 {
			break
		}
		const h = 1e-6
		ea, na := miss(lat1, lat2, east, azimuth+h, length)
		el, nl := miss(lat1, lat2, east, azimuth, length*(1+h))
		ea, na, el, nl = (ea-e)/h, (na-n)/h, (el-e)/(h*length), (nl-n)/(h*length)
		det := ea*nl - el*na
		if det == 0 {
			break
		}
		azimuth -= (e*nl - el*n) / det
		length -= (ea*n - e*na) / det
	}
	return length
}

// guess returns azimuth and length on a sphere.
func guess(lat1, lat2, east float64) (azimuth, length float64) {
	y := math.Sin(east) * math.Cos(lat2)
	x := math.Cos(lat1)*math.Sin(lat2) - math.Sin(lat1)*math.Cos(lat2)*math.Cos(east)
	z := math.Sin(lat1)*math.Sin(lat2) + math.Cos(lat1)*math.Cos(lat2)*math.Cos(east)
	return math.Atan2(y, x), max(radius*math.Atan2(math.Hypot(x, y), z), 1e-3)
}

// miss follows a geodesic and returns by how many metres east and north it misses its target.
func miss(lat, lat2, east, azimuth, length float64) (e, n float64) {
	steps := int(length/50_000) + 4
	s := course{lat: lat, azimuth: azimuth}
	for range steps {
		s = s.step(length / float64(steps))
	}
	n = (s.lat - lat2) * radius
	e = math.Remainder(s.east-east, 2*math.Pi) * radius * max(math.Cos(lat2), 1e-9)
	return e, n
}

// course is a state on a geodesic, in radians.
type course struct{ lat, east, azimuth float64 }

// slope returns the change of the state per metre.
func (c course) slope() course {
	sin, cos := math.Sincos(c.lat)
	w := math.Sqrt(1 - ecc2*sin*sin)
	n, m := radius/w, radius*(1-ecc2)/(w*w*w)
	sa, ca := math.Sincos(c.azimuth)
	return course{ca / m, sa / (n * cos), sa * sin / cos / n}
}

func (c course) plus(d course, h float64) course {
	return course{c.lat + h*d.lat, c.east + h*d.east, c.azimuth + h*d.azimuth}
}

// step goes h metres on (Runge and Kutta, fourth order).
func (c course) step(h float64) course {
	k1 := c.slope()
	k2 := c.plus(k1, h/2).slope()
	k3 := c.plus(k2, h/2).slope()
	k4 := c.plus(k3, h).slope()
	return c.plus(k1, h/6).plus(k2, h/3).plus(k3, h/3).plus(k4, h/6)
}
