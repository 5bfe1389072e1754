package geofence

// timer is a moment of the arrival clock at which a vehicle wants to be looked at.
type timer struct {
	at      int64
	vehicle Vehicle
	kind    timerKind
}

// timerKind says what a timer is for.
type timerKind uint8

const (
	timerReplay timerKind = iota + 1 // late fixes have settled: put them in their place
	timerDwell                       // a stay may be long enough
	timerWatch                       // a watch may have something to tell, see [Tracker.arm]
)

// timers is a heap of timers, the earliest first; equal moments fire by vehicle, so that the order is a
// function of the input. Timers are never removed: one that no longer matters finds nothing to do.
type timers struct{ heap []timer }

func (ts *timers) less(i, j int) bool {
	a, b := &ts.heap[i], &ts.heap[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.vehicle != b.vehicle {
		return a.vehicle < b.vehicle
	}
	return a.kind < b.kind
}

// add puts a timer in.
func (ts *timers) add(x timer) {
	ts.heap = append(ts.heap, x)
	for i := len(ts.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !ts.less(i, parent) {
			return
		}
		ts.heap[i], ts.heap[parent] = ts.heap[parent], ts.heap[i]
		i = parent
	}
}

// next returns when the earliest timer is due.
func (ts *timers) next() (int64, bool) {
	if len(ts.heap) == 0 {
		return 0, false
	}
	return ts.heap[0].at, true
}

// pop takes the earliest timer out if it is due at now.
func (ts *timers) pop(now int64) (timer, bool) {
	if len(ts.heap) == 0 || ts.heap[0].at > now {
		return timer{}, false
	}
	top := ts.heap[0]
	last := len(ts.heap) - 1
	ts.heap[0] = ts.heap[last]
	ts.heap = ts.heap[:last]
	ts.sink(0)
	return top, true
}

// sink moves the timer at i down to its place.
func (ts *timers) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(ts.heap) {
			return
		}
		if child+1 < len(ts.heap) && ts.less(child+1, child) {
			child++
		}
		if !ts.less(child, i) {
			return
		}
		ts.heap[i], ts.heap[child] = ts.heap[child], ts.heap[i]
		i = child
	}
}
