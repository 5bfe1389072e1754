package geofence

import (
	"maps"
	"slices"
)

// With returns an index without the fences to remove and then with the fences to put, which replace those
// with the same id. ix itself does not change. Ids to remove that ix does not hold are ignored. The cost
// grows with what changes and what lies near it, not with the number of fences.
func (ix *Index) With(put []Fence, remove []FenceID) *Index {
	if ix.Len() == 0 || len(put) > 1000 && len(put) > ix.Len()/4 {
		return ix.rebuilt(put, remove)
	}
	e := editIndex(ix)
	for _, id := range remove {
		e.remove(id)
	}
	for _, f := range put {
		if f.Shape != nil {
			e.put(f)
		}
	}
	next := e.finish()
	next.history = e.noted().after(ix.history)
	return next
}

// indexEdit changes a copy of an index.
type indexEdit struct {
	*tableEdit
	free     []Ref
	pages    *node // of tiles
	large    *node
	revision uint64
	tiles    map[tileKey]*tileEdit
	parts    []part
	change   *change
}

// tileEdit is what changes in one tile.
type tileEdit struct {
	leave []Ref
	join  map[Ref]bool // whether the fence covers the tile
}

func editIndex(ix *Index) *indexEdit {
	return &indexEdit{
		tableEdit: editTables(ix.fences, ix.ids),
		free:      slices.Clone(ix.free), pages: ix.tiles, large: ix.large, revision: ix.revision,
		tiles: map[tileKey]*tileEdit{}, change: &change{},
	}
}

// put adds a fence or replaces the one with its id.
func (e *indexEdit) put(f Fence) {
	ref, known := e.ids.get(f.ID)
	if known {
		e.takeDown(ref)
	} else {
		ref = e.place()
		e.name(f.ID, ref)
	}
	e.revision = max(e.revision, f.Revision)
	e.set(ref, f)
	e.hang(ref, f.Shape)
}

// place returns the place for a new fence.
func (e *indexEdit) place() Ref {
	if n := len(e.free); n > 0 {
		ref := e.free[n-1]
		e.free = e.free[:n-1]
		return ref
	}
	return Ref(e.fences.n)
}

func (e *indexEdit) remove(id FenceID) {
	if ref, ok := e.ids.get(id); ok {
		e.takeDown(ref)
		e.forget(id)
		e.set(ref, Fence{})
		e.free = append(e.free, ref)
	}
}

// takeDown takes a fence out of the tree.
func (e *indexEdit) takeDown(ref Ref) {
	e.change.refs = append(e.change.refs, ref)
	e.parts = appendParts(e.parts[:0], e.fences.at(ref).Shape)
	for _, p := range e.parts {
		if p.tile {
			t := e.tile(p.key)
			t.leave = append(t.leave, ref)
			delete(t.join, ref)
			continue
		}
		e.change.areas = append(e.change.areas, p.box)
		e.large = e.large.replace(e.large.find(p.box, func(pg *page) bool { return pg.isPartOf(ref) }), nil)
	}
}

// isPartOf reports whether a page is a part of one large fence.
func (pg *page) isPartOf(ref Ref) bool {
	if len(pg.covers) > 0 {
		return pg.covers[0] == ref
	}
	return pg.pieces[0].ref == ref
}

// hang puts a fence into the tree.
func (e *indexEdit) hang(ref Ref, s Shape) {
	e.change.refs = append(e.change.refs, ref)
	e.parts = appendParts(e.parts[:0], s)
	for _, p := range e.parts {
		if p.tile {
			e.tile(p.key).join[ref] = p.covers
			continue
		}
		e.change.areas = append(e.change.areas, p.box)
		e.large = e.large.with(newPage(p.box, false, []entry{{ref, s, p.covers}}))
	}
}

func (e *indexEdit) tile(k tileKey) *tileEdit {
	t := e.tiles[k]
	if t == nil {
		t = &tileEdit{join: map[Ref]bool{}}
		e.tiles[k] = t
	}
	return t
}

// noted returns what the edit touched.
func (e *indexEdit) noted() *change {
	e.change.tiles = slices.Sorted(maps.Keys(e.tiles))
	return e.change
}

// finish prepares the changed tiles.
func (e *indexEdit) finish() *Index {
	for _, key := range slices.Sorted(maps.Keys(e.tiles)) {
		e.finishTile(key, e.tiles[key])
	}
	return &Index{fences: e.fences, ids: e.ids, free: e.free, tiles: e.pages, large: e.large, revision: e.revision}
}

func (e *indexEdit) finishTile(key tileKey, t *tileEdit) {
	b := key.box()
	old := e.pages.find(b, func(*page) bool { return true })
	join := make([]entry, 0, len(t.join))
	for ref, covers := range t.join {
		join = append(join, entry{ref, e.fences.at(ref).Shape, covers})
	}
	slices.SortFunc(join, byRef)
	if old != nil {
		if next := old.amended(t.leave, join); next != nil {
			e.pages = e.pages.replace(old, next)
			return
		}
		join = append(join, old.members(t.leave)...)
		slices.SortFunc(join, byRef)
	}
	switch {
	case old == nil && len(join) == 0:
	case old == nil:
		e.pages = e.pages.with(newPage(b, true, join))
	case len(join) == 0:
		e.pages = e.pages.replace(old, nil)
	default:
		e.pages = e.pages.replace(old, newPage(b, true, join))
	}
}
