package geofence

import "github.com/paulmach/orb"

// Shape is the geometry of a fence, prepared for fast questions. It is immutable and safe for many
// goroutines. The implementations are [Circle], [Polygon], [Corridor] and [Tripwire]; there can be no others.
//
// Segments are straight in longitude and latitude and do not cross the 180° meridian: cut them there.
type Shape interface {
	// Bounds returns boxes that together cover the shape; two when it crosses the 180° meridian.
	Bounds() []orb.Bound
	// Contains reports whether p is inside or on the boundary.
	Contains(p orb.Point) bool
	// Distance returns how far p is from the boundary in metres: positive inside, negative outside, exact
	// near the boundary and at least of the right sign and order far from it.
	Distance(p orb.Point) float64
	// Stretches appends the parts of the straight segment from a to b that are inside, as fractions 0 to 1
	// of the way in increasing order. A touch in a single point is a stretch for a [Tripwire] only.
	Stretches(dst []Stretch, a, b orb.Point) []Stretch

	// depth returns how far p is from the boundary in metres, on either side, if that is less than most; else
	// most or more.
	depth(p orb.Point, most float64) float64
	// touches reports whether the segment from a to b comes within so many metres of the shape.
	touches(a, b orb.Point, metres float64) bool
	// relate says how the shape lies to a box. It may answer crosses where the truth is another.
	relate(b box) relation
	// raster tells for every cell of a grid how the shape lies to it; all are apart when r comes.
	raster(r *raster)
}

// Stretch is a part of a segment, as fractions of its length.
type Stretch struct{ From, To float64 }

// Repairs are sentences about what was put right in a shape, and about what was read in a way its author may
// not expect. None of them changes what a careful reader would have understood.
type Repairs []string

// relation is how a shape lies to a box.
type relation uint8

const (
	apart   relation = iota // no point in common
	crosses                 // the boundary may run through the box or touch it
	covers                  // every point of the box is inside the shape, and none on its boundary
)
