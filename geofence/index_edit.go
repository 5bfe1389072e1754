package geofence

import (
	"cmp"
	"slices"
)

// mostAmended is how many fences of a tile may change for it to be amended rather than prepared anew.
const mostAmended = 8

// amended returns a copy of a tile without some fences and then with others, whose cells are copied from it but for what
// changes; nil if it is to be prepared anew: when it has no cells, would have others, or too much changes.
func (pg *page) amended(leave []Ref, join []entry) *page {
	if pg.n == 0 || len(leave)+len(join) > mostAmended {
		return nil
	}
	next := &page{box: pg.box, shift: pg.shift, tile: true, n: pg.n, edges: pg.edges, gaps: pg.gaps}
	next.covers = slices.DeleteFunc(slices.Clone(pg.covers), func(r Ref) bool { return slices.Contains(leave, r) })
	next.pieces = slices.Grow(slices.Clone(pg.pieces), len(join))
	for i := range next.pieces {
		if pc := &next.pieces[i]; pc.shape != nil && slices.Contains(leave, pc.ref) {
			next.edges -= edgesIn(pc.shape, pg.box)
			next.gaps++
			pc.shape = nil
		}
	}
	var changed []int // the pieces that are new
	for _, m := range join {
		if m.covers {
			next.covers = append(next.covers, m.ref)
			continue
		}
		next.edges += edgesIn(m.shape, pg.box)
		i := slices.IndexFunc(next.pieces, func(pc piece) bool { return pc.shape == nil && pc.ref == m.ref })
		if i < 0 {
			i = len(next.pieces)
			next.pieces = append(next.pieces, piece{})
		} else {
			next.gaps--
		}
		next.pieces[i] = newPiece(m)
		changed = append(changed, i)
	}
	slices.Sort(next.covers)
	if live := len(next.pieces) - next.gaps; live == 0 || next.gaps > live || gridSize(live, next.edges) != pg.n {
		return nil
	}
	next.amend(pg, leave, changed)
	return next
}

// amend writes the lists of the cells: what those of old say of fences that stay, and the pieces that changed.
func (pg *page) amend(old *page, leave []Ref, changed []int) {
	g := newGrid(pg.box, pg.n)
	rasters := make([]raster, len(changed))
	more := 0
	for k, i := range changed {
		rasters[k] = raster{grid: &g, out: make([]relation, pg.n*pg.n)}
		pg.pieces[i].shape.raster(&rasters[k])
		more += len(rasters[k].hits) + len(rasters[k].out)
	}
	pg.starts = make([]uint32, 0, len(old.starts))
	pg.lists = make([]spot, 0, len(old.lists)+more)
	var redraw []int
	for c := range pg.n * pg.n {
		pg.starts = append(pg.starts, uint32(len(pg.lists)))
		w := pg.beginCell(c)
		rest := w.coverAgain(old.cell(c), leave)
		for k, i := range changed {
			if rasters[k].out[c] == covers {
				w.cover(pg.pieces[i].ref)
			}
		}
		w.boundAgain(rest, leave)
		for k, i := range changed {
			if rasters[k].out[c] == crosses {
				w.bound(&rasters[k], i)
				w.changed = true
			}
		}
		if w.end(); w.changed {
			redraw = append(redraw, c)
		}
	}
	pg.starts = append(pg.starts, uint32(len(pg.lists)))
	pg.ink = old.ink
	pg.ink.rows = slices.Clone(old.ink.rows)
	for _, c := range redraw {
		pg.ink.wipe(pg, c)
		pg.ink.draw(pg, c)
	}
}

// coverAgain adds the fences that cover the cell by another list, and returns the boundaries of that.
func (w *cellWriter) coverAgain(list []spot, leave []Ref) (boundaries []spot) {
	n, pairs, _, rest := readCell(list)
	for i := range n {
		r := Ref(pairs[i/2].x)
		if i%2 == 1 {
			r = Ref(pairs[i/2].y)
		}
		if !slices.Contains(leave, r) {
			w.cover(r)
		}
	}
	return rest
}

// boundAgain adds boundaries from another list.
func (w *cellWriter) boundAgain(list []spot, leave []Ref) {
	var cf cellFence
	for len(list) > 0 {
		rest := cf.read(list)
		if !slices.Contains(leave, cf.ref) {
			w.pg.lists = append(w.pg.lists, list[:len(list)-len(rest)]...)
			w.boundaries++
		} else {
			w.changed = true
		}
		list = rest
	}
}

// byRef orders entries.
func byRef(a, b entry) int { return cmp.Compare(a.ref, b.ref) }
