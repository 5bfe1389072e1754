package geofence

import (
	"slices"

	"github.com/paulmach/orb"
)

// Index holds the fences of one tenant and finds those around a point or a way. It is immutable and safe for
// any number of goroutines; [Index.With] gives a changed copy that shares what did not change.
//
// It is an R-tree. What hangs in its leaves are not whole fences but tiles of about two kilometres, in which
// boundaries are prepared on a grid: most answers are read off, and only a fence whose boundary runs through
// the cell of the grid around the point is measured. Fences too large for tiles hang in the tree by
// themselves, cut into pieces.
//
// The searches append to dst in ascending order of Ref, each fence once, and allocate nothing when dst has
// room. Points and ways are within ±180° and ±90°; a way does not cross the 180° meridian: cut it there.
type Index struct {
	fences   fenceTable
	ids      idTable
	free     []Ref // free places of fences, the next to be used last
	tiles    *node // an R-tree of tiles
	large    *node // an R-tree of parts of large fences
	revision uint64
	history  []*change // the edits that led here, the newest last; see [changesBetween]
}

// Ref is a dense number of a fence in an Index and in the indexes derived from it by With. A changed fence
// keeps its Ref; that of a removed one is given to a later fence. An index holds up to 2³⁰ fences.
type Ref uint32

// Len returns the number of fences.
func (ix *Index) Len() int { return ix.ids.n }

// Revision returns the highest revision of a fence that was ever put.
func (ix *Index) Revision() uint64 { return ix.revision }

// Fence returns the fence with a number, false if there is none.
func (ix *Index) Fence(r Ref) (Fence, bool) {
	f := ix.fences.at(r)
	if f == nil || f.Shape == nil {
		return Fence{}, false
	}
	return *f, true
}

// Lookup returns the number of the fence with an id, false if there is none.
func (ix *Index) Lookup(id FenceID) (Ref, bool) { return ix.ids.get(id) }

// Containing appends the fences that hold p, inside or on their boundary.
func (ix *Index) Containing(dst []Ref, p orb.Point) []Ref {
	return ix.containingIn(ix.tiles.tileAt(p), dst, p)
}

// containingIn appends the fences that hold p in a tile, nil if there is none around p.
func (ix *Index) containingIn(tile *page, dst []Ref, p orb.Point) []Ref {
	start := len(dst)
	dst = ix.at(tile, dst, p)
	if p[0] == 180 || p[0] == -180 { // a point of the 180° meridian has two names
		p[0] = -p[0]
		dst = ix.at(ix.tiles.tileAt(p), dst, p)
	}
	return tidy(dst, start)
}

// at appends the fences around p, in no order.
func (ix *Index) at(tile *page, dst []Ref, p orb.Point) []Ref {
	if tile != nil {
		dst = tile.containing(dst, p)
	}
	return ix.large.containing(dst, p)
}

// Near appends the fences that hold p or have a boundary within so many metres of it.
func (ix *Index) Near(dst []Ref, p orb.Point, metres float64) []Ref {
	return ix.Along(dst, p, p, metres)
}

// Along appends the fences that have a point on the segment from a to b or within so many metres of it.
func (ix *Index) Along(dst []Ref, a, b orb.Point, metres float64) []Ref {
	start := len(dst)
	if !(metres > 0) && a == b && a[0] != 180 && a[0] != -180 {
		return ix.Containing(dst, a)
	}
	var tile *page
	if !(metres > 0) {
		tile = ix.tiles.tileAt(a)
	}
	dst = ix.candidates(tile, dst, a, b, metres)
	for i := start; i < len(dst); i++ {
		dst[i] = dst[i].ref()
	}
	return dst
}

// candidate is a Ref with what is known of the way that leads along the fence.
type candidate = Ref

const (
	unconfirmed candidate = 1 << iota // the fence may have no point on the way
	met                               // its boundary may have
	marks       = iota                // bits
)

// ref returns the fence of a candidate.
func (c Ref) ref() Ref { return c >> marks }

// candidates appends the fences that have a point on the segment from a to b or within so many metres of it, in
// ascending order, each with the mark met if its boundary may have one. tile is the one that was found around a, or nil.
func (ix *Index) candidates(tile *page, dst []Ref, a, b orb.Point, metres float64) []Ref {
	start := len(dst)
	w := way{a: a, b: b, box: boxOf(a, b)}
	w.long = w.box.x1-w.box.x0 > 1 || w.box.y1-w.box.y0 > 1
	if metres > 0 {
		w.box, w.wide = w.box.around(metres), true
	}
	if tile != nil && !w.wide && tile.box.inner(a) && tile.box.inner(b) {
		dst = ix.large.along(tile.alongWithin(dst, &w), &w)
		return ix.confirm(dst, start, a, b, metres)
	}
	dst = ix.large.along(ix.tiles.along(dst, &w), &w)
	if w.box.x0 <= -180 { // what is near on the other side of the 180° meridian
		far := w.shifted(360)
		dst = ix.large.along(ix.tiles.along(dst, &far), &far)
	}
	if w.box.x1 >= 180 {
		far := w.shifted(-360)
		dst = ix.large.along(ix.tiles.along(dst, &far), &far)
	}
	return ix.confirm(dst, start, a, b, metres)
}

// way is a segment to be searched along.
type way struct {
	a, b orb.Point
	box  box  // what has to be looked at
	wide bool // all of box, not only what the segment runs through
	long bool // too long for whole numbers
}

func (w way) shifted(dx float64) way {
	w.a[0], w.b[0], w.box = w.a[0]+dx, w.b[0]+dx, w.box.shifted(dx)
	return w
}

// meets reports whether the way has to be looked at in b.
func (w *way) meets(b box) bool {
	if w.wide {
		return b.meets(w.box)
	}
	return b.meetsSegment(w.a, w.b)
}

// confirm leaves of the candidates dst[start:] those that are on the way, in order and each once.
func (ix *Index) confirm(dst []Ref, start int, a, b orb.Point, metres float64) []Ref {
	found := dst[start:]
	if len(found) > 1 {
		slices.Sort(found)
	}
	out := start
	for i := 0; i < len(found); {
		r, doubt, at := found[i].ref(), unconfirmed, candidate(0)
		for ; i < len(found) && found[i].ref() == r; i++ {
			doubt, at = doubt&found[i], at|found[i]&met
		}
		if doubt == 0 || ix.fences.at(r).Shape.touches(a, b, metres) {
			dst[out] = r<<marks | at
			out++
		}
	}
	return dst[:out]
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
