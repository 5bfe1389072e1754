package geofence

import "slices"

// change is what one edit touched: enough to tell for any place whether the fences there are still the same.
// It is immutable; its address tells it from every other.
type change struct {
	tiles []tileKey // whose pages were replaced
	areas []box     // of parts of large fences
	refs  []Ref     // of the fences put or removed
}

// mostChanges is how many edits back an index remembers.
const mostChanges = 64

// after returns the history of an index that was made from one with history h by one more edit.
func (c *change) after(h []*change) []*change {
	h = h[max(len(h)-mostChanges+1, 0):]
	return append(append(make([]*change, 0, len(h)+1), h...), c)
}

// changesBetween returns the edits that made one of two indexes and not the other, false if it is not known
// which: they have no ancestor in common, or it is too long ago.
func changesBetween(a, b *Index) ([]*change, bool) {
	if a == b {
		return nil, true
	}
	for i := len(a.history) - 1; i >= 0; i-- {
		if j := slices.Index(b.history, a.history[i]); j >= 0 {
			return append(slices.Clone(a.history[i+1:]), b.history[j+1:]...), true
		}
	}
	return nil, false
}
