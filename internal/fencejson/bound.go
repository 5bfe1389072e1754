package fencejson

import (
	"github.com/paulmach/orb"

	"outrider/geofence"
)

// BoundOf is the box around a shape; of one that crosses the 180° meridian its west is beyond its east, as RFC 7946
// has it.
func BoundOf(shape geofence.Shape) orb.Bound {
	bounds := shape.Bounds()
	if len(bounds) == 2 {
		a, b := bounds[0], bounds[1]
		if a.Min[0] < b.Min[0] {
			a, b = b, a
		}
		if a.Max[0] == 180 && b.Min[0] == -180 {
			south, north := min(a.Min[1], b.Min[1]), max(a.Max[1], b.Max[1])
			return orb.Bound{Min: orb.Point{a.Min[0], south}, Max: orb.Point{b.Max[0], north}}
		}
	}
	bound := bounds[0]
	for _, b := range bounds[1:] {
		bound = bound.Union(b)
	}
	return bound
}

// CloseRings lets every ring of the feature end where it began, as RFC 7946 asks of those who read what is stored.
func (f *Feature) CloseRings() { closeRings(f.Geometry) }

func closeRings(g orb.Geometry) {
	switch g := g.(type) {
	case orb.Polygon:
		for i, ring := range g {
			if n := len(ring); n > 0 && ring[0] != ring[n-1] {
				g[i] = append(ring, ring[0])
			}
		}
	case orb.MultiPolygon:
		for _, polygon := range g {
			closeRings(polygon)
		}
	}
}
