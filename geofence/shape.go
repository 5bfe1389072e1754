package geofence

import "github.com/paulmach/orb"

// Shape is the geometry of a fence, prepared for fast questions. It is immutable and safe for many
// goroutines. The implementations are [Circle], [Polygon], [Corridor] and [Tripwire].
type Shape interface {
	// Bounds returns boxes that together cover the shape; two when it crosses the 180° meridian.
	Bounds() []orb.Bound
	// Contains reports whether p is inside or on the boundary.
	Contains(p orb.Point) bool
	// Distance returns how far p is from the boundary in metres: positive inside, negative outside, exact
	// near the boundary and at least of the right sign and order far from it.
	Distance(p orb.Point) float64
	// Stretches appends the parts of the straight segment from a to b that are inside, as fractions 0 to 1
	// of the way in increasing order.
	Stretches(dst []Stretch, a, b orb.Point) []Stretch
}

// Stretch is a part of a segment, as fractions of its length.
type Stretch struct{ From, To float64 }
