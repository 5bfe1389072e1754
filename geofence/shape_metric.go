package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// The WGS84 ellipsoid.
const (
	earthA  = 6378137.0             // equatorial radius, metres
	earthF  = 1 / 298.257223563     // flattening
	earthB  = earthA * (1 - earthF) // polar radius, metres
	earthE2 = earthF * (2 - earthF) // first eccentricity squared
	degree  = math.Pi / 180
)

// metric is the scale of the ellipsoid at one latitude: metres per degree of longitude and of latitude.
// Measured with the scale at the middle latitude of two points, their distance is off by less than 5 µm at
// 1 km and 5 mm at 10 km up to 60° of latitude, growing with the third power; by ten times that up to 80°.
type metric struct{ x, y float64 }

func metricAt(lat float64) metric {
	sin, cos := math.Sincos(lat * degree)
	w2 := 1 - earthE2*sin*sin
	n := earthA / math.Sqrt(w2)
	return metric{n * max(cos, 0) * degree, n * (1 - earthE2) / w2 * degree}
}

// distance returns the metres between two points as m sees them.
func (m metric) distance(a, b orb.Point) float64 {
	dx, dy := (b[0]-a[0])*m.x, (b[1]-a[1])*m.y
	return math.Sqrt(dx*dx + dy*dy)
}

// toBox returns the square of the metres from p to b; 0 inside.
func (m metric) toBox(p orb.Point, b *box) float64 {
	dx := max(b.x0-p[0], p[0]-b.x1, 0) * m.x
	dy := max(b.y0-p[1], p[1]-b.y1, 0) * m.y
	return dx*dx + dy*dy
}

// toEdge returns the square of the metres from p to the edge from a to b and the nearest point's fraction.
func (m metric) toEdge(p, a, b orb.Point) (d2, at float64) {
	ax, ay := (a[0]-p[0])*m.x, (a[1]-p[1])*m.y
	dx, dy := (b[0]-a[0])*m.x, (b[1]-a[1])*m.y
	if l2 := dx*dx + dy*dy; l2 > 0 {
		at = min(max(-(ax*dx+ay*dy)/l2, 0), 1)
	}
	ax, ay = ax+at*dx, ay+at*dy
	return ax*ax + ay*ay, at
}

// edgeDistance returns the metres from p to the edge from a to b, measured with the scale half way between.
func edgeDistance(p, a, b orb.Point, m metric) float64 {
	_, at := m.toEdge(p, a, b)
	near := lerp(a, b, at)
	m = metricAt((p[1] + near[1]) / 2)
	var d2 float64
	d2, at = m.toEdge(p, a, b)
	if d2 < flatMost*flatMost {
		return math.Sqrt(d2)
	}
	return geodesic(p, lerp(a, b, at))
}

// flatMost is the distance in metres up to which a flat map with the right scale is good enough.
const flatMost = 50_000

// lerp returns the point at fraction f of the way from a to b; exactly b at 1.
func lerp(a, b orb.Point, f float64) orb.Point {
	if f == 1 {
		return b
	}
	return orb.Point{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])}
}

// geodesic returns the length in metres of the shortest way from a to b on the ellipsoid, by Vincenty's
// inverse formula: exact to 0.1 mm. For almost opposite points, where it does not converge, it falls back to
// the sphere and is off by up to 0.6 %.
func geodesic(a, b orb.Point) float64 {
	u1, u2 := math.Atan((1-earthF)*math.Tan(a[1]*degree)), math.Atan((1-earthF)*math.Tan(b[1]*degree))
	v := vincenty{l: math.Abs(shortLon(b[0]-a[0])) * degree}
	v.sinU1, v.cosU1 = math.Sincos(u1)
	v.sinU2, v.cosU2 = math.Sincos(u2)
	lambda := v.l
	for range 100 {
		next := v.step(lambda)
		if math.Abs(next-lambda) < 1e-13 {
			return v.length()
		}
		lambda = next
	}
	return haversine(a, b)
}

// vincenty holds the terms of the inverse formula; the names are those of Vincenty (1975).
type vincenty struct {
	l                          float64
	sinU1, cosU1, sinU2, cosU2 float64
	sinS, cosS, sigma          float64
	cos2A, cos2M               float64
}

// step returns the next approximation of λ.
func (v *vincenty) step(lambda float64) float64 {
	sinL, cosL := math.Sincos(lambda)
	p, q := v.cosU2*sinL, v.cosU1*v.sinU2-v.sinU1*v.cosU2*cosL
	v.sinS, v.cosS = math.Sqrt(p*p+q*q), v.sinU1*v.sinU2+v.cosU1*v.cosU2*cosL
	if v.sinS == 0 {
		v.sigma, v.cos2A, v.cos2M = 0, 1, 0
		return lambda
	}
	v.sigma = math.Atan2(v.sinS, v.cosS)
	sinA := v.cosU1 * v.cosU2 * sinL / v.sinS
	v.cos2A = 1 - sinA*sinA
	v.cos2M = 0
	if v.cos2A > 0 {
		v.cos2M = v.cosS - 2*v.sinU1*v.sinU2/v.cos2A
	}
	c := earthF / 16 * v.cos2A * (4 + earthF*(4-3*v.cos2A))
	return v.l + (1-c)*earthF*sinA*(v.sigma+c*v.sinS*(v.cos2M+c*v.cosS*(2*v.cos2M*v.cos2M-1)))
}

func (v *vincenty) length() float64 {
	u2 := v.cos2A * (earthA*earthA - earthB*earthB) / (earthB * earthB)
	a := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
	b := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
	m2 := v.cos2M * v.cos2M
	delta := b * v.sinS * (v.cos2M + b/4*(v.cosS*(2*m2-1)-b/6*v.cos2M*(4*v.sinS*v.sinS-3)*(4*m2-3)))
	return earthB * a * (v.sigma - delta)
}

// haversine returns the great-circle distance in metres on the sphere of the mean radius.
func haversine(a, b orb.Point) float64 {
	s1, s2 := math.Sin((b[1]-a[1])*degree/2), math.Sin((b[0]-a[0])*degree/2)
	h := s1*s1 + math.Cos(a[1]*degree)*math.Cos(b[1]*degree)*s2*s2
	return 2 * (2*earthA + earthB) / 3 * math.Asin(math.Sqrt(min(h, 1)))
}
