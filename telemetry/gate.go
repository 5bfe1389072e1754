package telemetry

import (
	"math"
	"strings"
	"time"
)

// GateOptions say what a gate lets through. The zero value is good.
type GateOptions struct {
	// FutureTolerance is how far a tracker's clock may run ahead of the gateway's. 0: 5 minutes. A fix further
	// ahead is quarantined: were it taken for the newest, everything true after it would seem late.
	FutureTolerance time.Duration
	// Window is how many fixes of a vehicle are remembered to recognise repetitions, at 8 bytes each. 0: 64.
	// What is repeated after more than Window others passes as late, which adds nothing it had not added.
	Window int
}

const (
	defaultFutureTolerance = 5 * time.Minute
	defaultWindow          = 64
)

// earliest is the first believable device time, 2000-01-01. A tracker that has lost its clock says 1970 or 1980.
const earliest = 946_684_800_000

// Gate judges fixes before the engine sees them. It has no clock: what it says is a function of the fixes it
// was given, in their order, so that a replay judges as the first time. It is not safe for many goroutines;
// each lane owns one.
type Gate struct {
	tolerance int64 // milliseconds
	window    int
	passed    map[passerby]*passage
}

// passerby is one vehicle, in the gate's memory.
type passerby struct {
	tenant  TenantID
	vehicle VehicleID
}

// passage is what the gate remembers of a vehicle.
type passage struct {
	newest int64    // device time of the newest admitted fix, in milliseconds
	marks  []uint64 // of the last fixes that passed, in a ring once it is as long as the window
	oldest int      // where the ring's oldest mark is
}

// NewGate returns a gate that has seen nothing.
func NewGate(o GateOptions) *Gate {
	if o.FutureTolerance <= 0 {
		o.FutureTolerance = defaultFutureTolerance
	}
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	return &Gate{tolerance: o.FutureTolerance.Milliseconds(), window: o.Window, passed: map[passerby]*passage{}}
}

// Admit judges the next fix. The reason is empty unless the verdict is Duplicate or Implausible; an implausible
// fix leaves no trace in the gate.
//
// A retained copy that is not newer than the newest fix is a duplicate: it is a state that is known, not
// history that was missing. A retained copy that is newer is admitted.
func (g *Gate) Admit(f *Fix) (Verdict, Reason) {
	if reason := g.doubt(f); reason != "" {
		return Implausible, reason
	}
	at, mark := f.Time.UnixMilli(), markOf(f)
	p, known := g.passed[passerby{f.Tenant, f.Vehicle}]
	switch {
	case !known:
		p = g.meet(f)
		p.newest = at
	case at > p.newest:
		p.newest = at
	case f.Retained || p.saw(mark):
		return Duplicate, ReasonDuplicate
	default:
		p.remember(mark, g.window)
		return Late, ""
	}
	p.remember(mark, g.window)
	return Admitted, ""
}

// doubt says why a fix cannot be true, "" when it can.
func (g *Gate) doubt(f *Fix) Reason {
	lon, lat := f.Point[0], f.Point[1]
	at := f.Time.UnixMilli()
	switch {
	case !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180): // also NaN
		return ReasonRange
	case lat == 0 && lon == 0: // what modules report that have no fix
		return ReasonNoFix
	case at < earliest:
		return ReasonTooOld
	case at > f.Received.UnixMilli()+g.tolerance:
		return ReasonFuture
	}
	return ""
}

// meet begins the memory of a vehicle. The ids are copied, because a decoder may cut them out of longer texts.
func (g *Gate) meet(f *Fix) *passage {
	p := &passage{}
	g.passed[passerby{TenantID(strings.Clone(string(f.Tenant))), VehicleID(strings.Clone(string(f.Vehicle)))}] = p
	return p
}

// Newest returns the device time of the newest fix of a vehicle that was admitted, false when there is none.
func (g *Gate) Newest(tenant TenantID, vehicle VehicleID) (time.Time, bool) {
	p, ok := g.passed[passerby{tenant, vehicle}]
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(p.newest).UTC(), true
}

func (p *passage) saw(mark uint64) bool {
	for i := range p.marks {
		if p.marks[i] == mark {
			return true
		}
	}
	return false
}

func (p *passage) remember(mark uint64, window int) {
	if len(p.marks) < window {
		p.marks = append(p.marks, mark)
		return
	}
	p.marks[p.oldest] = mark
	p.oldest = (p.oldest + 1) % window
}

// markOf names a fix by its time in milliseconds and its place in microdegrees (0.11 m), in 64 bits. It is part
// of the snapshot format. It is looked up only for fixes that are not newer than the newest, so that two fixes
// of one mark (about 1 in 10^17 for a window of 64) would cost one point of history.
func markOf(f *Fix) uint64 {
	lat := uint64(uint32(int32(math.Round(f.Point[1] * 1e6))))
	lon := uint64(uint32(int32(math.Round(f.Point[0] * 1e6))))
	return mix(mix(uint64(f.Time.UnixMilli())) ^ (lat<<32 | lon))
}

// mix is a bijection that spreads every bit over all of them (the finalizer of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
