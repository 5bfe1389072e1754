package geofence

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// nodeFan is the most entries of a node of the R-tree.
const nodeFan = 16

// node is a node of the R-tree. Nodes are immutable once an index is shared: a change copies the way from the
// root to the leaf. Boxes are one flat array, single precision and rounded outward; the pages know better.
type node struct {
	boxes [nodeFan]box32
	n     int
	leaf  bool
	kids  [nodeFan]*node // of an inner node, beside boxes
	pages [nodeFan]*page // of a leaf
}

// box32 is a box in single precision that is never smaller than what it stands for. Rounding is monotonic, so
// a point in the box is also in the rounded box once rounded itself. The edges of tiles need no rounding.
type box32 struct{ x0, y0, x1, y1 float32 }

func roundOut(b box) box32 {
	down := func(f float64) float32 {
		if g := float32(f); float64(g) <= f {
			return g
		}
		return math.Nextafter32(float32(f), float32(math.Inf(-1)))
	}
	up := func(f float64) float32 { return -down(-f) }
	return box32{down(b.x0), down(b.y0), up(b.x1), up(b.y1)}
}

func (b box32) meets(o box32) bool {
	return b.x0 <= o.x1 && o.x0 <= b.x1 && b.y0 <= o.y1 && o.y0 <= b.y1
}

func (b box32) or(o box32) box32 {
	return box32{min(b.x0, o.x0), min(b.y0, o.y0), max(b.x1, o.x1), max(b.y1, o.y1)}
}

func (b box32) area() float64 { return float64(b.x1-b.x0) * float64(b.y1-b.y0) }

func (n *node) box() box32 {
	b := n.boxes[0]
	for _, o := range n.boxes[1:n.n] {
		b = b.or(o)
	}
	return b
}

// tileAt returns the tile that holds p, nil if there is none. Of two that share the edge on which p lies any
// one will do: they agree about it.
func (n *node) tileAt(p orb.Point) *page {
	if n == nil {
		return nil
	}
	return n.tileIn(p, float32(p[0]), float32(p[1]))
}

func (n *node) tileIn(p orb.Point, x, y float32) *page {
	for i := range n.boxes[:n.n] {
		b := &n.boxes[i]
		if x < b.x0 || x > b.x1 || y < b.y0 || y > b.y1 {
			continue
		}
		if !n.leaf {
			if pg := n.kids[i].tileIn(p, x, y); pg != nil {
				return pg
			}
		} else if n.pages[i].box.holds(p) {
			return n.pages[i]
		}
	}
	return nil
}

// containing appends the fences around p of all pages, in no order.
func (n *node) containing(dst []Ref, p orb.Point) []Ref {
	if n == nil {
		return dst
	}
	x, y := float32(p[0]), float32(p[1])
	for i := range n.boxes[:n.n] {
		b := &n.boxes[i]
		switch {
		case x < b.x0 || x > b.x1 || y < b.y0 || y > b.y1:
		case !n.leaf:
			dst = n.kids[i].containing(dst, p)
		case n.pages[i].box.holds(p):
			dst = n.pages[i].containing(dst, p)
		}
	}
	return dst
}

// along appends the candidates along a way.
func (n *node) along(dst []Ref, w *way) []Ref {
	if n == nil {
		return dst
	}
	return n.alongIn(dst, w, roundOut(w.box))
}

func (n *node) alongIn(dst []Ref, w *way, around box32) []Ref {
	for i := range n.boxes[:n.n] {
		switch {
		case !n.boxes[i].meets(around):
		case !n.leaf:
			dst = n.kids[i].alongIn(dst, w, around)
		case w.meets(n.pages[i].box):
			dst = n.pages[i].along(dst, w)
		}
	}
	return dst
}

// bounded reports whether a boundary of a large fence may be in a box.
func (n *node) bounded(b box32) bool {
	for i := range n.boxes[:n.n] {
		switch {
		case !n.boxes[i].meets(b):
		case !n.leaf:
			if n.kids[i].bounded(b) {
				return true
			}
		case len(n.pages[i].pieces) > 0:
			return true
		}
	}
	return false
}

// bar keeps f clear of the boundaries of large fences.
func (n *node) bar(f *freeBox) {
	if n == nil {
		return
	}
	for i := range n.boxes[:n.n] {
		switch {
		case !n.boxes[i].meets(roundOut(f.box)):
		case !n.leaf:
			n.kids[i].bar(f)
		default:
			for k := range n.pages[i].pieces {
				n.pages[i].pieces[k].bar(f)
			}
		}
	}
}

// packNodes builds a tree over pages by sorting and tiling (Leutenegger, Lopez and Edgington 1997).
func packNodes(pages []*page) *node {
	if len(pages) == 0 {
		return nil
	}
	pages = slices.Clone(pages)
	slices.SortStableFunc(pages, func(a, b *page) int { return cmp.Compare(a.box.x0+a.box.x1, b.box.x0+b.box.x1) })
	leaves := (len(pages) + nodeFan - 1) / nodeFan
	strip := nodeFan * int(math.Ceil(math.Sqrt(float64(leaves))))
	var level []*node
	for s := range slices.Chunk(pages, strip) {
		slices.SortStableFunc(s, func(a, b *page) int { return cmp.Compare(a.box.y0+a.box.y1, b.box.y0+b.box.y1) })
		for c := range slices.Chunk(s, nodeFan) {
			level = append(level, newLeaf(c))
		}
	}
	for len(level) > 1 {
		var above []*node
		for c := range slices.Chunk(level, nodeFan) {
			above = append(above, newInner(c))
		}
		level = above
	}
	return level[0]
}

func newLeaf(pages []*page) *node {
	n := &node{n: len(pages), leaf: true}
	for i, p := range pages {
		n.boxes[i], n.pages[i] = roundOut(p.box), p
	}
	return n
}

func newInner(kids []*node) *node {
	n := &node{n: len(kids)}
	for i, k := range kids {
		n.boxes[i], n.kids[i] = k.box(), k
	}
	return n
}

// with returns a tree with one more page.
func (n *node) with(p *page) *node {
	if n == nil {
		return newLeaf([]*page{p})
	}
	a, b := n.insert(p)
	if b == nil {
		return a
	}
	return newInner([]*node{a, b})
}

// insert returns a copy of n with p, in two halves when it does not fit into one.
func (n *node) insert(p *page) (a, b *node) {
	if n.leaf {
		return splitLeaf(append(slices.Clone(n.pages[:n.n]), p))
	}
	i := n.choose(roundOut(p.box))
	kids := slices.Clone(n.kids[:n.n])
	var more *node
	kids[i], more = kids[i].insert(p)
	if more != nil {
		kids = append(kids, more)
	}
	return splitInner(kids)
}

// choose returns the child that has to grow least for b.
func (n *node) choose(b box32) int {
	best, growth, area := 0, math.Inf(1), math.Inf(1)
	for i, o := range n.boxes[:n.n] {
		a := o.area()
		if g := o.or(b).area() - a; g < growth || g == growth && a < area {
			best, growth, area = i, g, a
		}
	}
	return best
}

func splitLeaf(pages []*page) (a, b *node) {
	if len(pages) <= nodeFan {
		return newLeaf(pages), nil
	}
	halve(pages, func(p *page) box32 { return roundOut(p.box) })
	half := len(pages) / 2
	return newLeaf(pages[:half]), newLeaf(pages[half:])
}

func splitInner(kids []*node) (a, b *node) {
	if len(kids) <= nodeFan {
		return newInner(kids), nil
	}
	halve(kids, (*node).box)
	half := len(kids) / 2
	return newInner(kids[:half]), newInner(kids[half:])
}

// halve sorts items along the longer side of what they cover.
func halve[T any](items []T, boxOf func(T) box32) {
	all := boxOf(items[0])
	for _, it := range items[1:] {
		all = all.or(boxOf(it))
	}
	wide := all.x1-all.x0 > all.y1-all.y0
	slices.SortStableFunc(items, func(a, b T) int {
		p, q := boxOf(a), boxOf(b)
		if wide {
			return cmp.Compare(p.x0+p.x1, q.x0+q.x1)
		}
		return cmp.Compare(p.y0+p.y1, q.y0+q.y1)
	})
}

// replace returns a tree with the page old replaced by next, which has the same box; without it if next is
// nil. The tree must hold old.
func (n *node) replace(old, next *page) *node {
	if m := n.swap(roundOut(old.box), old, next); m.n > 0 {
		return m
	}
	return nil
}

// swap returns a copy of n, nil if old is not under it.
func (n *node) swap(b box32, old, next *page) *node {
	for i := range n.boxes[:n.n] {
		if !n.boxes[i].meets(b) {
			continue
		}
		if n.leaf {
			if n.pages[i] == old {
				return n.swapPage(i, next)
			}
			continue
		}
		k := n.kids[i].swap(b, old, next)
		if k == nil {
			continue
		}
		kids := slices.Clone(n.kids[:n.n])
		if kids[i] = k; k.n == 0 {
			kids = slices.Delete(kids, i, i+1)
		}
		return newInner(kids)
	}
	return nil
}

func (n *node) swapPage(i int, next *page) *node {
	pages := slices.Clone(n.pages[:n.n])
	if pages[i] = next; next == nil {
		pages = slices.Delete(pages, i, i+1)
	}
	return newLeaf(pages)
}

// find returns the first page with exactly this box that is wanted, nil if there is none.
func (n *node) find(b box, wanted func(*page) bool) *page {
	if n == nil {
		return nil
	}
	r := roundOut(b)
	for i := range n.boxes[:n.n] {
		switch {
		case !n.boxes[i].meets(r):
		case !n.leaf:
			if p := n.kids[i].find(b, wanted); p != nil {
				return p
			}
		case n.pages[i].box == b && wanted(n.pages[i]):
			return n.pages[i]
		}
	}
	return nil
}
