package geofence

import (
	"math"
	"math/bits"

	"github.com/paulmach/orb"
)

// Sizes of an [edited]. Tables are as large as the fences they stand for, within bounds.
const (
	editedLeast = 1 << 8
	editedMost  = 1 << 16
	areaTiles   = 64 // tiles to a side of an area
	areaTables  = 1 << 12
)

// edited remembers where fences were edited, by the edition of the tracker that took the edit over: so that an
// edit touches only the vehicles near it, and every other one keeps its box. Tables are hashed; two places that
// share a number are touched together, which costs an evaluation and changes nothing.
type edited struct {
	all   uint32   // the edition from before which nothing is known
	tiles []uint32 // a power of two of them
	areas []uint32 // squares of tiles, for parts of large fences; nil while none was edited
	refs  []uint32 // beside tiles
}

// note takes over what was edited, for an index of so many fences.
func (e *edited) note(changes []*change, fences int, edition uint32) {
	if e.tiles == nil {
		size := min(max(1<<bits.Len(uint(fences)), editedLeast), editedMost)
		e.tiles, e.refs = make([]uint32, size), make([]uint32, size)
	}
	for _, c := range changes {
		for _, k := range c.tiles {
			e.tiles[hash32(uint32(k))&uint32(len(e.tiles)-1)] = edition
		}
		for _, r := range c.refs {
			e.refs[uint32(r)&uint32(len(e.refs)-1)] = edition
		}
		for _, b := range c.areas {
			e.noteArea(b, edition)
		}
	}
}

// noteArea notes an edit of a part of a large fence.
func (e *edited) noteArea(b box, edition uint32) {
	c0, c1, r0, r1 := tileRange(b)
	c0, c1, r0, r1 = c0/areaTiles, c1/areaTiles, r0/areaTiles, r1/areaTiles
	if (c1-c0+1)*(r1-r0+1) >= areaTables {
		e.all = edition
		return
	}
	if e.areas == nil {
		e.areas = make([]uint32, areaTables)
	}
	for row := r0; row <= r1; row++ {
		for column := c0; column <= c1; column++ {
			e.areas[areaOf(column, row)] = edition
		}
	}
}

// areaOf returns the place of an area in the table.
func areaOf(column, row int) uint32 { return hash32(uint32(row<<16|column)) & (areaTables - 1) }

// hash32 mixes the bits of a number (Wang and Jenkins).
func hash32(x uint32) uint32 {
	x = (x ^ 61) ^ x>>16
	x *= 9
	x ^= x >> 4
	x *= 0x27d4eb2d
	return x ^ x>>15
}

// touched reports whether a fence that means something to a vehicle may have been edited since it was reconciled:
// one of those it has a tie with, or one near its position or its box.
func (e *edited) touched(s *state) bool {
	if s.edition < e.all || e.tiles == nil {
		return true
	}
	for i := range s.ties {
		if e.refs[uint32(s.ties[i].ref)&uint32(len(e.refs)-1)] > s.edition {
			return true
		}
	}
	if e.touchedIn(boxOf(s.p, s.p), s.edition) || math.Abs(s.p[0]) == 180 && e.touchedIn(boxOf(otherName(s.p), otherName(s.p)), s.edition) {
		return true
	}
	return s.box != box{} && e.touchedIn(s.box, s.edition)
}

// otherName returns the other name of a point of the 180° meridian.
func otherName(p orb.Point) orb.Point { return orb.Point{-p[0], p[1]} }

// touchedIn reports whether an edit after an edition touched one of the tiles of b.
func (e *edited) touchedIn(b box, edition uint32) bool {
	c0, c1, r0, r1 := tilesUnder(b)
	for row := r0; row <= r1; row++ {
		for column := c0; column <= c1; column++ {
			if e.tiles[hash32(uint32(keyOf(column, row)))&uint32(len(e.tiles)-1)] > edition {
				return true
			}
			if e.areas != nil && e.areas[areaOf(column/areaTiles, row/areaTiles)] > edition {
				return true
			}
		}
	}
	return false
}
