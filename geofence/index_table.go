package geofence

import (
	"maps"
	"slices"
)

// chunk is a part of a [fenceTable].
type chunk [256]Fence

// fenceTable is an array of fences by Ref whose copies share what did not change.
type fenceTable struct {
	chunks []*chunk
	n      int   // places in use, free ones included
	timed  []Ref // ascending: the fences that do something at a time of their own, see [Watch.timed]
}

// at returns the place of a fence, nil if there is none.
func (t *fenceTable) at(r Ref) *Fence {
	if int(r) >= t.n {
		return nil
	}
	return &t.chunks[r/Ref(len(chunk{}))][r%Ref(len(chunk{}))]
}

// idTable finds fences by id, in shards, so that a copy is cheap to change.
type idTable struct {
	shards []map[FenceID]Ref // a power of two of them
	n      int
}

// shardLoad is how many ids a shard holds before there are more shards.
const shardLoad = 512

func (t *idTable) get(id FenceID) (Ref, bool) {
	if t.n == 0 {
		return 0, false
	}
	r, ok := t.shards[t.shard(id)][id]
	return r, ok
}

// shard hashes an id (FNV-1a).
func (t *idTable) shard(id FenceID) int {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return int((h ^ h>>15) & uint32(len(t.shards)-1))
}

// tableEdit changes a copy of both tables, copying each part once.
type tableEdit struct {
	fences fenceTable
	ids    idTable
	chunks map[int]bool // copied already
	shards map[int]bool
}

func editTables(fences fenceTable, ids idTable) *tableEdit {
	fences.chunks, ids.shards = slices.Clone(fences.chunks), slices.Clone(ids.shards)
	fences.timed = slices.Clone(fences.timed)
	return &tableEdit{fences, ids, map[int]bool{}, map[int]bool{}}
}

// set puts a fence into its place, growing the table if it is the next one.
func (e *tableEdit) set(r Ref, f Fence) {
	i := int(r) / len(chunk{})
	switch {
	case i == len(e.fences.chunks):
		e.fences.chunks = append(e.fences.chunks, new(chunk))
	case !e.chunks[i]:
		c := *e.fences.chunks[i]
		e.fences.chunks[i] = &c
	}
	e.chunks[i] = true
	e.fences.n = max(e.fences.n, int(r)+1)
	*e.fences.at(r) = f
	e.fences.noteTimed(r, f.Watch)
}

// name gives an id to a place.
func (e *tableEdit) name(id FenceID, r Ref) {
	if e.ids.n >= len(e.ids.shards)*shardLoad {
		e.spread(max(len(e.ids.shards)*8, 1))
	}
	m := e.own(e.ids.shard(id))
	if _, known := m[id]; !known {
		e.ids.n++
	}
	m[id] = r
}

func (e *tableEdit) forget(id FenceID) {
	m := e.own(e.ids.shard(id))
	delete(m, id)
	e.ids.n--
}

// own returns a shard that is not shared.
func (e *tableEdit) own(i int) map[FenceID]Ref {
	if !e.shards[i] {
		e.ids.shards[i], e.shards[i] = maps.Clone(e.ids.shards[i]), true
	}
	return e.ids.shards[i]
}

// spread distributes the ids over so many shards.
func (e *tableEdit) spread(n int) {
	old := e.ids.shards
	e.ids.shards = make([]map[FenceID]Ref, n)
	for i := range e.ids.shards {
		e.ids.shards[i], e.shards[i] = map[FenceID]Ref{}, true
	}
	for _, m := range old {
		for id, r := range m {
			e.ids.shards[e.ids.shard(id)][id] = r
		}
	}
}
