package geofence

import (
	"maps"
	"slices"
)

// With returns an index without the fences to remove and then with the fences to put, which replace those
// with the same id. ix itself does not change. Ids to remove that ix does not hold are ignored.
func (ix *Index) With(put []Fence, remove []FenceID) *Index {
	next := &Index{
		fences: slices.Clone(ix.fences), free: slices.Clone(ix.free), refs: maps.Clone(ix.refs),
		tree: *ix.tree.Copy(), revision: ix.revision,
	}
	if next.refs == nil {
		next.refs = make(map[FenceID]Ref, len(put))
	}
	for _, id := range remove {
		next.remove(id)
	}
	for i := range put {
		if put[i].Shape != nil {
			next.put(put[i])
		}
	}
	return next
}

// put adds a fence or replaces the one with its id. It is used while ix is not yet shared.
func (ix *Index) put(f Fence) {
	ix.revision = max(ix.revision, f.Revision)
	ref, known := ix.refs[f.ID]
	switch {
	case known:
		ix.hang(ref, false)
	case len(ix.free) > 0:
		ref = ix.free[len(ix.free)-1]
		ix.free = ix.free[:len(ix.free)-1]
	default:
		ref = Ref(len(ix.fences))
		ix.fences = append(ix.fences, Fence{})
	}
	ix.refs[f.ID], ix.fences[ref] = ref, f
	ix.hang(ref, true)
}

func (ix *Index) remove(id FenceID) {
	if ref, ok := ix.refs[id]; ok {
		ix.hang(ref, false)
		delete(ix.refs, id)
		ix.fences[ref] = Fence{}
		ix.free = append(ix.free, ref)
	}
}

// hang puts a fence's boxes into the tree, or takes them out.
func (ix *Index) hang(ref Ref, in bool) {
	for _, b := range ix.fences[ref].Shape.Bounds() {
		if in {
			ix.tree.Insert(b.Min, b.Max, ref)
		} else {
			ix.tree.Delete(b.Min, b.Max, ref)
		}
	}
}
