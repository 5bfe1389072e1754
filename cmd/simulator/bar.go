package main

import (
	"fmt"
	"io"
	"math"

	"github.com/schollz/progressbar/v3"

	"outrider/simulator"
)

// bar returns what draws how far the fleet has come. Without a duration nobody knows the end, and it only turns.
func (f *fleetFlags) bar(w io.Writer) func(simulator.Stats) {
	total := f.expected()
	b := progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("driving"), progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("fixes"),
		progressbar.OptionSetPredictTime(total > 0),
	)
	return func(s simulator.Stats) {
		done := int64(s.Acknowledged)
		if total > 0 {
			done = min(done, total)
		}
		b.Describe(fmt.Sprintf("%d connected", s.Connected))
		_ = b.Set64(done) // a terminal that cannot be written to is nobody's loss
	}
}

// expected is about how many fixes there will be; -1: nobody knows. Vehicles drive on for a little at the end.
func (f *fleetFlags) expected() int64 {
	o := f.options
	if o.Publisher.Duration == 0 {
		return -1
	}
	interval := o.Fleet.Interval.Seconds()
	if interval == 0 {
		interval = 1
	}
	return int64(math.Ceil(o.Publisher.Duration.Seconds()/interval)) * int64(o.Fleet.Vehicles)
}
