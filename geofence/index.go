package geofence

import (
	"slices"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"
)

// Index holds the fences of one tenant and finds those around a point or a way. It is immutable and safe for
// any number of goroutines; [Index.With] gives a changed copy that shares what did not change.
//
// The searches append to dst in ascending order of Ref, each fence once, and allocate nothing when dst has
// room. Points and ways are within ±180° and ±90°; a way does not cross the 180° meridian: cut it there.
type Index struct {
	fences   []Fence // by Ref; a fence without a Shape is a free place
	free     []Ref   // free places, the next to be used last
	refs     map[FenceID]Ref
	tree     rtree.RTreeG[Ref]
	revision uint64
}

// Ref is a dense number of a fence in an Index and in the indexes derived from it by With. A changed fence
// keeps its Ref; that of a removed one is given to a later fence.
type Ref uint32

// NewIndex returns an index of fences. Of several with one id the last counts; one without a shape is left out.
func NewIndex(fences []Fence) *Index {
	return (&Index{}).With(fences, nil)
}

// Len returns the number of fences.
func (ix *Index) Len() int { return len(ix.refs) }

// Revision returns the highest revision of a fence that was ever put.
func (ix *Index) Revision() uint64 { return ix.revision }

// Fence returns the fence with a number, false if there is none.
func (ix *Index) Fence(r Ref) (Fence, bool) {
	if int(r) >= len(ix.fences) || ix.fences[r].Shape == nil {
		return Fence{}, false
	}
	return ix.fences[r], true
}

// Lookup returns the number of the fence with an id, false if there is none.
func (ix *Index) Lookup(id FenceID) (Ref, bool) {
	r, ok := ix.refs[id]
	return r, ok
}

// Containing appends the fences that hold p, inside or on their boundary.
func (ix *Index) Containing(dst []Ref, p orb.Point) []Ref {
	start := len(dst)
	for _, q := range twins(p) {
		ix.tree.Search(q, q, func(_, _ [2]float64, r Ref) bool {
			if ix.fences[r].Shape.Contains(p) {
				dst = append(dst, r)
			}
			return true
		})
		if q[0] != 180 {
			break
		}
	}
	return tidy(dst, start)
}

// twins returns p, and its other name when it lies on the 180° meridian.
func twins(p orb.Point) [2]orb.Point {
	if p[0] == -180 || p[0] == 180 {
		return [2]orb.Point{{180, p[1]}, {-180, p[1]}}
	}
	return [2]orb.Point{p, p}
}

// Near appends the fences that hold p or have a boundary within so many metres of it.
func (ix *Index) Near(dst []Ref, p orb.Point, metres float64) []Ref {
	return ix.Along(dst, p, p, metres)
}

// Along appends the fences that have a point on the segment from a to b or within so many metres of it.
func (ix *Index) Along(dst []Ref, a, b orb.Point, metres float64) []Ref {
	start := len(dst)
	around := boxOf(a, b)
	if metres > 0 {
		around = around.around(metres)
	}
	for _, s := range foldBoxes(around) {
		ix.tree.Search(s.Min, s.Max, func(_, _ [2]float64, r Ref) bool {
			if ix.fences[r].Shape.touches(a, b, metres) {
				dst = append(dst, r)
			}
			return true
		})
	}
	return tidy(dst, start)
}

// tidy sorts dst[start:] and drops repeats.
func tidy(dst []Ref, start int) []Ref {
	found := dst[start:]
	if len(found) < 2 {
		return dst
	}
	slices.Sort(found)
	return dst[:start+len(slices.Compact(found))]
}

// FreeBox returns a box around p that no boundary enters or touches, as large as is convenient and reaching
// at most so many metres from p to each side. All points of it, and so all ways within it, are inside of the
// same fences as p. When p lies on a boundary the box is p alone. It does not reach across the 180° meridian.
func (ix *Index) FreeBox(p orb.Point, metres float64) orb.Bound {
	f := freeBox{p: p, box: boxOf(p, p).around(metres).and(world)}
	ix.tree.Search([2]float64{f.box.x0, f.box.y0}, [2]float64{f.box.x1, f.box.y1}, func(_, _ [2]float64, r Ref) bool {
		ix.fences[r].Shape.bar(&f)
		return !f.closed()
	})
	return f.box.bound()
}
