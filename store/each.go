package store

import (
	"context"
	"iter"

	"outrider/geofence"
	"outrider/identity"
)

// eachLimit is how many fences are read at once.
const eachLimit = 1000

// EachGeofence reads the current versions of a tenant's fences after an id, in order of id, page by page. An error ends it.
func EachGeofence(ctx context.Context, s interface {
	Geofences(ctx context.Context, tenant identity.TenantID, after geofence.FenceID, limit int) ([]Geofence, error)
}, tenant identity.TenantID, after geofence.FenceID) iter.Seq2[*Geofence, error] {
	return func(yield func(*Geofence, error) bool) {
		for {
			page, err := s.Geofences(ctx, tenant, after, eachLimit)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			if len(page) < eachLimit {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}
