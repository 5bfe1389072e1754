package geofence

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// vehicle is all a tracker knows of one vehicle.
type vehicle struct {
	state
	clock clock
	past  *past // recent fixes, for late ones to be put in their place; nil while standing
}

// state is what the fixes so far have shown. A past keeps copies of it.
type state struct {
	p      orb.Point // last accepted position; the mean of the stop while standing
	anchor orb.Point // mean of the slow fixes since stillSince
	t      int64     // of the last accepted fix
	newest int64     // of the newest fix, accepted or not
	still  int64     // since when slow
	moved  int64     // when the position last changed; t unless the receiver is frozen
	dwell  int64     // when the next dwell is full, true time; 0 for none
	rev    uint64    // fences of a higher revision are new to this vehicle

	speed  float32 // m/s at t, reported or derived; NaN unknown
	course float32 // degrees at t, reported or derived; NaN unknown
	sigma  float32 // metres, of p
	claim  float32 // metres, the accuracy this tracker usually claims; 0 unknown
	noise  float32 // metres, σ of its fixes as seen while it stood; 0 unknown

	vehicle  Vehicle
	rests    uint16 // slow fixes in anchor
	accepted uint8  // accepted fixes, up to 255
	moves    uint8  // times it left its place since first sight, up to settledMoves
	seen     bool
	settled  bool // has moved beyond doubt since first sight; until then memberships are taken silently
	standing bool
	restored bool   // memberships came from the store, no fix yet
	watched  bool   // may be inside a fence with a watch
	edition  uint32 // of the fences it was reconciled with. Not part of a snapshot

	ties  []tie // ascending by ref
	box   box   // around p; no boundary enters it. Not part of a snapshot: it only saves work
	tile  *page // where it was looked for last, in the index of edition tiled. Not part of a snapshot
	tiled uint32
	aside *aside
}

// tie is a relation of a vehicle to one fence: inside it, or beyond its boundary without having been
// believed yet.
type tie struct {
	id    FenceID
	rev   uint64
	since int64     // since when inside
	at    int64     // pending: when the boundary was crossed
	point orb.Point // pending: where
	depth float32   // pending: deepest since, in metres
	ref   Ref

	inside  bool
	pending bool
	dwelt   bool  // inside: the dwell was told
	side    Side  // pending, of a tripwire: where the vehicle went
	told    told  // inside: what the watch told
	over    int64 // inside: since when faster than the limit, true time; 0 for not
}

// place takes over the position of a fix.
func (s *state) place(f *Fix) {
	if f.Point != s.p {
		s.moved = f.Time
	}
	s.p, s.t = f.Point, f.Time
	s.speed, s.course = f.Speed, f.Heading
	s.sigma = float32(s.sigmaOf(f))
	s.hearClaim(f)
	if s.accepted < math.MaxUint8 {
		s.accepted++
	}
}

// tie returns the place of ref in s.ties and whether it is there.
func (s *state) tie(ref Ref) (int, bool) {
	for i := range s.ties {
		if s.ties[i].ref >= ref {
			return i, s.ties[i].ref == ref
		}
	}
	return len(s.ties), false
}

// open returns the tie with ref, creating it.
func (s *state) open(ref Ref, f *Fence) *tie {
	i, ok := s.tie(ref)
	if !ok {
		s.ties = slices.Insert(s.ties, i, tie{ref: ref, id: f.ID, rev: f.Revision})
	}
	return &s.ties[i]
}

// prune drops ties that mean nothing any more.
func (s *state) prune() {
	s.ties = slices.DeleteFunc(s.ties, func(x tie) bool { return !x.inside && !x.pending })
}

// clear ends a pending crossing.
func (x *tie) clear() {
	x.pending, x.side, x.depth, x.at, x.point = false, NoSide, 0, 0, orb.Point{}
}
