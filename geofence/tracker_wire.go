package geofence

import "math"

// Side is the side of a tripwire that a vehicle went to, as seen along the line's direction.
type Side uint8

// The sides. Only passes of tripwires have one.
const (
	NoSide Side = iota
	ToLeft
	ToRight
)

// String returns "", "left" or "right".
func (s Side) String() string {
	switch s {
	case ToLeft:
		return "left"
	case ToRight:
		return "right"
	}
	return ""
}

// cross decides whether the way crossed a tripwire. A crossing waits until the vehicle is beyond the line by
// the same margin as beyond a boundary; going back before that undoes it.
func (c *crossing) cross(wire *Tripwire) {
	legs, n := c.w.legs()
	for _, l := range legs[:n] {
		c.t.work.passages = wire.Passages(c.t.work.passages[:0], l.a, l.b)
		for _, p := range c.t.work.passages {
			c.meetWire(p, l)
		}
	}
	if !c.tie.pending || c.w.gap() && c.w.stop {
		return
	}
	if away := -wire.Distance(c.w.b); away >= c.wireMargin(away) {
		c.passWire()
	}
}

// meetWire begins a pending crossing, or undoes one in the other direction.
func (c *crossing) meetWire(p Passage, l leg) {
	side := ToLeft
	if p.Rightward {
		side = ToRight
	}
	switch {
	case !c.tie.pending:
		f := l.from + p.At*(l.to-l.from)
		c.tie.pending, c.tie.side = true, side
		c.tie.at, c.tie.point = c.w.timeAt(f), c.w.at(f)
	case c.tie.side != side:
		c.tie.clear()
	}
}

// wireMargin returns how far beyond the line the vehicle must be, in metres.
func (c *crossing) wireMargin(away float64) float64 {
	m := &c.t.margins
	d := metres(c.tie.point, c.w.b)
	if c.w.stop || d < 2*c.w.sigma {
		return m.along * c.w.sigma
	}
	steep := min(away/math.Max(d, 1), 1)
	return (m.along + (m.across-m.along)*steep) * c.w.sigma
}

// passWire tells the pending crossing of a tripwire.
func (c *crossing) passWire() {
	why := c.w.reason()
	at := c.tie.at + c.t.vehicles[c.s.vehicle].clock.shift()
	c.tell(Pass, at, why)
	c.t.work.told[len(c.t.work.told)-1].Side = c.tie.side
	c.tie.clear()
}
