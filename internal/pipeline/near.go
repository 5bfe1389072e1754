package pipeline

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/identity"
	"outrider/telemetry"
)

// Near returns up to n fences of a tenant within so many metres of a place, the nearest boundary first.
func (p *Pipeline) Near(tenant telemetry.TenantID, place orb.Point, metres float64, n int) []geofence.FenceID {
	ix := p.fences.Current().Index(tenant)
	type found struct {
		id       geofence.FenceID
		distance float64
	}
	var all []found
	for _, ref := range ix.Near(nil, place, metres) {
		if f, ok := ix.Fence(ref); ok {
			all = append(all, found{f.ID, math.Abs(f.Shape.Distance(place))})
		}
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.id, b.id)) })
	var ids []geofence.FenceID
	for _, f := range all[:min(n, len(all))] {
		ids = append(ids, f.id)
	}
	return ids
}

// FenceTags returns the tags of a fence in force, and whose it is alone; nothing of one that is not.
func (p *Pipeline) FenceTags(tenant identity.TenantID, id geofence.FenceID) ([]string, identity.OwnerID) {
	ix := p.fences.Current().Index(telemetry.TenantID(tenant))
	return fenceTags(ix, id), fenceOwner(ix, id)
}

// Fences returns the fences in force now.
func (p *Pipeline) Fences() *FenceSet { return p.fences.Current() }
