package quality

import "math"

// Class says what was hard around a second of the path: "grazing" when the vehicle was within 6 m of the
// boundary, "reflected" when a fix near it was not good, "sparse" when good fixes were more than 25 s apart, and
// "plain" when there is no excuse.
func (w *World) Class(fence string, at float64) string {
	near, before, after := math.Inf(1), math.Inf(-1), math.Inf(1)
	bad := false
	for _, x := range w.Fixes {
		if !x.good && math.Abs(x.t-at) < max(20, 2*w.device.interval) {
			bad = true
		}
		if x.good && x.t <= at {
			before = max(before, x.t)
		}
		if x.good && x.t > at {
			after = min(after, x.t)
		}
	}
	for _, f := range w.Fences {
		if f.ID == fence {
			for s := at - 6; s <= at+6; s++ {
				near = min(near, math.Abs(f.depth(w.path.where(s))))
			}
		}
	}
	switch {
	case bad:
		return "reflected"
	case after-before > 25:
		return "sparse"
	case near < 6:
		return "grazing"
	}
	return "plain"
}
