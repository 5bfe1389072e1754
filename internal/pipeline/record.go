package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"outrider/geofence"
	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// crossingRecord says a crossing in the words of the fleet.
func crossingRecord(ts *tenantState, c *geofence.Crossing, received time.Time) store.Crossing {
	rec := store.Crossing{
		Tenant:     identity.TenantID(ts.id),
		Vehicle:    identity.VehicleID(ts.tracker.ID(c.Vehicle)),
		Fence:      c.Fence,
		FenceRev:   c.Revision,
		FenceName:  fenceName(ts.index, c.Fence),
		Kind:       c.Kind.String(),
		At:         time.UnixMilli(c.Time),
		Point:      c.Point,
		Confidence: int(c.Confidence),
		Why:        c.Why.String(),
		Late:       c.Late,
		Received:   received,
	}
	if ts != ts.base {
		rec.Reading, rec.FenceRev = ts.key, fenceRevision(ts.base.index, c.Fence)
	}
	rec.ID = crossingID(rec)
	return rec
}

func fenceName(ix *geofence.Index, id geofence.FenceID) string {
	if ref, ok := ix.Lookup(id); ok {
		if fence, ok := ix.Fence(ref); ok && fence.Name != "" {
			return fence.Name
		}
	}
	return string(id)
}

// fenceOwner is whose fence it is alone; empty: everybody's.
func fenceOwner(ix *geofence.Index, id geofence.FenceID) identity.OwnerID {
	if ref, ok := ix.Lookup(id); ok {
		if fence, ok := ix.Fence(ref); ok {
			return identity.OwnerID(fence.Owner)
		}
	}
	return ""
}

// fenceRevision is the version of the fence itself.
func fenceRevision(ix *geofence.Index, id geofence.FenceID) uint64 {
	if ref, ok := ix.Lookup(id); ok {
		fence, _ := ix.Fence(ref)
		return fence.Revision
	}
	return 0
}

// fenceUsual is what the fence itself asks for.
func fenceUsual(ix *geofence.Index, id geofence.FenceID) notify.Reading {
	if ref, ok := ix.Lookup(id); ok {
		fence, _ := ix.Fence(ref)
		return usual(&fence)
	}
	return notify.Reading{}
}

func fenceTags(ix *geofence.Index, id geofence.FenceID) []string {
	ref, ok := ix.Lookup(id)
	if !ok {
		return nil
	}
	fence, _ := ix.Fence(ref)
	return fence.Tags
}

// crossingID is the same for the same crossing however often it is found: a hash of tenant, vehicle, fence,
// fence revision, kind and event time, and of the reading if it is a rule's own.
func crossingID(c store.Crossing) string {
	h := sha256.New()
	for _, part := range []string{string(c.Tenant), string(c.Vehicle), string(c.Fence), c.Kind} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], c.FenceRev)
	binary.BigEndian.PutUint64(n[8:], uint64(c.At.UnixMilli()))
	h.Write(n[:])
	h.Write([]byte(c.Reading))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// event says a crossing in notify's words.
func event(c store.Crossing) notify.Event {
	return notify.Event{
		ID: c.ID, Tenant: c.Tenant, Vehicle: c.Vehicle, Fence: string(c.Fence), FenceName: c.FenceName,
		Kind: notify.Kind(c.Kind), At: c.At, Point: c.Point, Late: c.Late, Received: c.Received,
		Confidence: c.Confidence,
	}
}
