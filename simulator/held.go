package simulator

import (
	"container/heap"
	"time"
)

// heldFix is a fix that was taken and is to be sent later, by the fleet's time.
type heldFix struct {
	at      time.Time
	order   int
	vehicle int
	n       int
	again   bool // it was sent once already
}

// heldFixes is a heap, the next to be sent first.
type heldFixes []heldFix

var _ heap.Interface = (*heldFixes)(nil)

// Len implements heap.Interface.
func (h heldFixes) Len() int { return len(h) }

// Less implements heap.Interface.
func (h heldFixes) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].order < h[j].order
}

// Swap implements heap.Interface.
func (h heldFixes) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *heldFixes) Push(x any) { *h = append(*h, x.(heldFix)) }

// Pop implements heap.Interface.
func (h *heldFixes) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
