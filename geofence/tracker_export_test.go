package geofence

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/paulmach/orb"
)

// VehicleState is what a tracker keeps per vehicle.
type VehicleState = vehicle

// Sealed returns a snapshot's bytes with the checksum put right, so that fuzzing gets past it.
func Sealed(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	body := b[:len(b)-4]
	return binary.LittleEndian.AppendUint32(append([]byte(nil), body...), crc32.Checksum(body, castagnoli))
}

// Timers returns how many timers wait.
func Timers(t *Tracker) int { return len(t.timers.heap) }

// NextAbsence returns the first moment after a time at which vehicles have to be inside.
func NextAbsence(a *Absence, after int64) int64 { return a.next(after) }

// Box returns the box that a vehicle skips in, after bringing it up to the index in force; false for none.
func Box(t *Tracker, v Vehicle) (orb.Bound, bool) {
	s := &t.vehicles[v].state
	t.reconcile(v, s)
	return s.box.bound(), s.box != box{}
}

// ForgetBoxes makes the tracker evaluate everything anew.
func ForgetBoxes(t *Tracker) {
	t.edition++
	t.edited.all = t.edition
}
