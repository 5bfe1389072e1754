package quality

import (
	"math"

	"github.com/paulmach/orb"
)

// Point is a place in metres east and north of a world's origin.
type Point struct{ X, Y float64 }

func (p Point) add(q Point) Point        { return Point{p.X + q.X, p.Y + q.Y} }
func (p Point) sub(q Point) Point        { return Point{p.X - q.X, p.Y - q.Y} }
func (p Point) times(k float64) Point    { return Point{p.X * k, p.Y * k} }
func (p Point) length() float64          { return math.Sqrt(p.X*p.X + p.Y*p.Y) }
func (p Point) distance(q Point) float64 { return p.sub(q).length() }
func mix(a, b Point, f float64) Point    { return a.add(b.sub(a).times(f)) }
func polar(length, degrees float64) Point {
	s, c := math.Sincos(degrees * math.Pi / 180)
	return Point{length * s, length * c}
}

// frame maps metres to degrees around an origin, linearly, so that straight lines stay straight.
type frame struct {
	origin orb.Point
	x, y   float64 // metres per degree
}

// frameAt returns the frame whose scale is exact on the WGS84 ellipsoid at origin.
func frameAt(origin orb.Point) frame {
	const a, e2 = 6378137.0, 6.69437999014e-3
	sin, cos := math.Sincos(origin[1] * math.Pi / 180)
	w := math.Sqrt(1 - e2*sin*sin)
	return frame{origin: origin, x: math.Pi / 180 * a * cos / w, y: math.Pi / 180 * a * (1 - e2) / (w * w * w)}
}

// Place returns p in degrees; longitudes stay within -180 to 180.
func (f frame) place(p Point) orb.Point {
	lon := f.origin[0] + p.X/f.x
	switch {
	case lon > 180:
		lon -= 360
	case lon < -180:
		lon += 360
	}
	return orb.Point{lon, f.origin[1] + p.Y/f.y}
}
