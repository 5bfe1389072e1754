package fencetest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

// Kind is what a [Drawing] is.
type Kind uint8

// The kinds.
const (
	Circle Kind = iota
	Polygon
	Corridor
	Tripwire
)

// Drawing is a shape as it is drawn, before anything is made of it.
type Drawing struct {
	Kind   Kind
	Centre orb.Point // of a circle
	Radius float64   // of a circle, metres
	Areas  orb.MultiPolygon
	Lines  orb.MultiLineString
	Width  float64 // of a corridor, metres
}

// Shape returns the engine's shape of what was drawn.
func (d Drawing) Shape() (geofence.Shape, error) {
	switch d.Kind {
	case Circle:
		return geofence.NewCircle(d.Centre, d.Radius)
	case Polygon:
		s, _, err := geofence.NewPolygon(d.Areas)
		return s, err
	case Corridor:
		return geofence.NewCorridor(d.Lines, d.Width)
	}
	return geofence.NewTripwire(d.Lines)
}

// Draw returns a random valid drawing around a place, of the size in metres.
func Draw(r *rand.Rand, centre orb.Point, size float64) Drawing {
	switch r.IntN(4) {
	case 0:
		return Drawing{Kind: Circle, Centre: centre, Radius: size / 2}
	case 1:
		return DrawPolygon(r, centre, size, 3+r.IntN(40), r.IntN(2) == 0)
	case 2:
		return Drawing{Kind: Corridor, Lines: orb.MultiLineString{drawLine(r, centre, size)}, Width: size * (0.02 + 0.2*r.Float64())}
	}
	return Drawing{Kind: Tripwire, Lines: orb.MultiLineString{drawLine(r, centre, size)}}
}

// DrawPolygon returns a star-shaped polygon with so many corners, with a hole or without.
func DrawPolygon(r *rand.Rand, centre orb.Point, size float64, corners int, hole bool) Drawing {
	area := orb.Polygon{drawRing(r, centre, size/2, 0.5, corners)}
	if hole {
		area = append(area, drawRing(r, centre, size/6, 0.5, 3+corners/3))
	}
	return Drawing{Kind: Polygon, Areas: orb.MultiPolygon{area}}
}

// drawRing returns a ring of points at angles that grow, between inner and 1 times radius away.
func drawRing(r *rand.Rand, centre orb.Point, radius, inner float64, corners int) orb.Ring {
	var ring orb.Ring
	phase := r.Float64()
	for i := range corners {
		angle := 2 * math.Pi * (phase + float64(i)) / float64(corners)
		d := radius * (inner + (1-inner)*r.Float64())
		ring = append(ring, Offset(centre, d*math.Cos(angle), d*math.Sin(angle)))
	}
	return append(ring, ring[0])
}

func drawLine(r *rand.Rand, centre orb.Point, size float64) orb.LineString {
	line := orb.LineString{}
	for range 2 + r.IntN(6) {
		line = append(line, Offset(centre, size*(r.Float64()-0.5), size*(r.Float64()-0.5)))
	}
	return line
}

// Offset returns the point so many metres east and north of p, roughly, within ±180° and ±90°.
func Offset(p orb.Point, east, north float64) orb.Point {
	lat := min(max(p[1]+north/111_000, -90), 90)
	lon := p[0] + east/(111_000*max(math.Cos(p[1]*math.Pi/180), 0.01))
	return orb.Point{math.Remainder(lon, 360), lat}
}

// Fences returns n random fences spread over so many metres around a place, with ids f0, f1 …
func Fences(r *rand.Rand, n int, centre orb.Point, spread, size float64) []geofence.Fence {
	fences := make([]geofence.Fence, 0, n)
	for len(fences) < n {
		at := Offset(centre, spread*(r.Float64()-0.5), spread*(r.Float64()-0.5))
		s, err := Draw(r, at, size*(0.2+r.Float64())).Shape()
		if err != nil {
			continue // two random points on one spot
		}
		id := geofence.FenceID(fmt.Sprintf("f%d", len(fences)))
		fences = append(fences, geofence.Fence{ID: id, Revision: uint64(len(fences) + 1), Shape: s})
	}
	return fences
}

// Route returns n points of a way that wanders within so many metres of a place, a step of about so many
// metres apart.
func Route(r *rand.Rand, n int, centre orb.Point, spread, step float64) []orb.Point {
	x, y, course := spread*(r.Float64()-0.5), spread*(r.Float64()-0.5), 2*math.Pi*r.Float64()
	pts := make([]orb.Point, 0, n)
	for range n {
		pts = append(pts, Offset(centre, x, y))
		course += 0.4 * r.NormFloat64()
		x, y = x+step*math.Sin(course), y+step*math.Cos(course)
		if math.Abs(x) > spread/2 || math.Abs(y) > spread/2 {
			course = math.Atan2(-x, -y)
		}
	}
	return pts
}
