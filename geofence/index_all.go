package geofence

import "iter"

// All gives every fence, in the order of their numbers.
func (ix *Index) All() iter.Seq[Fence] {
	return func(yield func(Fence) bool) {
		for r := range ix.fences.n {
			if f, ok := ix.Fence(Ref(r)); ok && !yield(f) {
				return
			}
		}
	}
}
