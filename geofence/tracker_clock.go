package geofence

// lateAfter is the age in milliseconds from which a fix is history: what it shows belongs in the record and
// not in a live alert.
const lateAfter = 120_000

// Numbers of the clock, in milliseconds unless said otherwise.
const (
	clockSpan    = 600_000 // the smallest delay is taken over the last one to two of these
	clockLatency = 1_000   // taken as usual between a tracker's clock and arrival
	clockAhead   = -1_000  // a delay below that is a clock that is ahead
	clockBehind  = 5_000   // a smallest delay above that is a clock that is behind …
	clockProof   = 3       // … when so many fixes after the first showed the same delay …
	clockSame    = 5_000   // … within so much …
	clockApart   = 4_000   // … and did not arrive together, as buffered ones do
)

// clock estimates the error of a device's clock: the smallest delay from fix to arrival over a while is
// latency and clock error together, and latency is short.
type clock struct {
	since    int64 // when the current span began, arrival clock
	last     int64 // arrival of the last fix that counted
	now, old int32 // smallest delays of this span and the one before, ms, bounded to ±24 days
	same     uint8 // fixes that showed the smallest delay again
	heard    bool
}

// hear takes one fix's arrival and time.
func (c *clock) hear(received, at int64) {
	delay := int32(min(max(received-at, -1<<31), 1<<31-1))
	switch {
	case !c.heard:
		*c = clock{since: received, last: received, now: delay, old: delay, heard: true}
		return
	case received-c.since > clockSpan:
		c.since, c.old, c.now = received, c.now, delay
	}
	switch smallest := c.delay(); {
	case int64(delay) < smallest-clockSame:
		c.same = 0
	case int64(delay) <= smallest+clockSame && received-c.last >= clockApart:
		c.last, c.same = received, min(c.same+1, clockProof)
	}
	c.now = min(c.now, delay)
}

// delay returns the smallest delay lately.
func (c *clock) delay() int64 { return int64(min(c.now, c.old)) }

// shift returns what has to be added to the device's times: 0 for a clock that is right as far as one can
// tell.
func (c *clock) shift() int64 {
	d := c.delay()
	if d < clockAhead || d > clockBehind && c.same >= clockProof {
		return d - clockLatency
	}
	return 0
}

// age returns how old a fix was at arrival, by the corrected clock.
func (c *clock) age(received, at int64) int64 { return received - at - c.shift() }
