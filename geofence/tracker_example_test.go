package geofence_test

import (
	"bytes"
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

// yard returns a round fence of 100 m.
func yard(revision uint64, center orb.Point) geofence.Fence {
	shape, err := geofence.NewCircle(center, 100)
	if err != nil {
		panic(err)
	}
	return geofence.Fence{ID: "yard", Revision: revision, Shape: shape}
}

// fixAt is a fix of a vehicle that drives east at 14 m/s, so many seconds after noon.
func fixAt(v geofence.Vehicle, seconds int64, lon float64) geofence.Fix {
	nan, at := float32(math.NaN()), 1_772_452_800_000+seconds*1000
	return geofence.Fix{
		Vehicle: v, Time: at, Received: at + 500, Point: orb.Point{lon, 48.137},
		Accuracy: 4, Speed: 14, Heading: 90, HDOP: nan,
	}
}

// A fence that is drawn around a vehicle tells nothing; leaving it does.
func ExampleTracker_SetIndex() {
	tracker := geofence.NewTracker(nil, geofence.Options{})
	van := tracker.Vehicle("van-7")
	told := tracker.Observe(nil, fixAt(van, 0, 11.5750))

	ix := geofence.NewIndex([]geofence.Fence{yard(1, orb.Point{11.575, 48.137})})
	told = tracker.SetIndex(told, ix, 1_772_452_805_000)
	for _, m := range tracker.Members(nil) {
		fmt.Println(tracker.ID(m.Vehicle), "is inside of", m.Fence)
	}

	told = tracker.Observe(told, fixAt(van, 10, 11.5769))
	for _, c := range told {
		fmt.Println(tracker.ID(c.Vehicle), c.Kind, c.Fence)
	}
	// Output:
	// van-7 is inside of yard
	// van-7 exit yard
}

// A tracker goes on where another one stopped.
func ExampleTracker_Snapshot() {
	ix := geofence.NewIndex([]geofence.Fence{yard(1, orb.Point{11.575, 48.137})})
	first := geofence.NewTracker(ix, geofence.Options{})
	van := first.Vehicle("van-7")
	first.Observe(nil, fixAt(van, 0, 11.5719))

	var saved bytes.Buffer
	if err := first.Snapshot(&saved); err != nil {
		fmt.Println(err)
		return
	}
	second := geofence.NewTracker(ix, geofence.Options{})
	if err := second.Restore(&saved); err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range second.Observe(nil, fixAt(second.Vehicle("van-7"), 15, 11.5747)) {
		fmt.Println(second.ID(c.Vehicle), c.Kind, c.Fence)
	}
	// Output: van-7 enter yard
}

func ExampleKinds() {
	for _, k := range geofence.Kinds() {
		fmt.Print(k, " ")
	}
	// Output: enter exit pass dwell overspeed overspeed_end stopped silent absent
}
