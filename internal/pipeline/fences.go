package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"outrider/geofence"
	"outrider/internal/fencejson"
	"outrider/store"
	"outrider/telemetry"
)

// FenceSet is the fences of every tenant at one revision. It is immutable.
type FenceSet struct {
	Revision uint64
	tenants  map[telemetry.TenantID]*geofence.Index
}

// Index returns the tenant's fences; an empty index if it has none.
func (s *FenceSet) Index(tenant telemetry.TenantID) *geofence.Index {
	if ix, ok := s.tenants[tenant]; ok {
		return ix
	}
	return noFences
}

var noFences = geofence.NewIndex(nil)

// Fences holds the fences in force and follows changes in the store. It is safe for many goroutines.
type Fences struct {
	store   store.Geofences
	logger  *slog.Logger
	current atomic.Pointer[FenceSet]
	mu      sync.Mutex // serialises Refresh
}

// NewFences loads all fences.
func NewFences(ctx context.Context, s store.Geofences, logger *slog.Logger) (*Fences, error) {
	f := &Fences{store: s, logger: logger}
	set, err := f.At(ctx, store.Latest)
	if err != nil {
		return nil, err
	}
	f.current.Store(set)
	return f, nil
}

// Current returns the set in force.
func (f *Fences) Current() *FenceSet { return f.current.Load() }

// At builds the set as it was at a revision.
func (f *Fences) At(ctx context.Context, revision uint64) (*FenceSet, error) {
	all, at, err := f.store.GeofencesAt(ctx, revision)
	if err != nil {
		return nil, fmt.Errorf("pipeline: load fences at revision %d: %w", revision, err)
	}
	byTenant := map[telemetry.TenantID][]geofence.Fence{}
	for _, g := range all {
		if fence, ok := f.prepare(g); ok {
			tenant := telemetry.TenantID(g.Tenant)
			byTenant[tenant] = append(byTenant[tenant], fence)
		}
	}
	set := &FenceSet{Revision: at, tenants: map[telemetry.TenantID]*geofence.Index{}}
	for tenant, fences := range byTenant {
		set.tenants[tenant] = geofence.NewIndex(fences)
	}
	return set, nil
}

// Refresh takes over what changed in the store since the set in force.
func (f *Fences) Refresh(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.current.Load()
	changes, err := f.store.GeofenceChanges(ctx, old.Revision)
	if err != nil {
		return fmt.Errorf("pipeline: load fence changes since revision %d: %w", old.Revision, err)
	}
	if len(changes) > 0 {
		f.current.Store(f.apply(old, changes))
	}
	return nil
}

// edit is what changes in one tenant. Of several changes to one fence the last counts.
type edit struct {
	put    map[geofence.FenceID]geofence.Fence
	remove map[geofence.FenceID]bool
}

func (f *Fences) apply(old *FenceSet, changes []store.Geofence) *FenceSet {
	set := &FenceSet{Revision: old.Revision, tenants: maps.Clone(old.tenants)}
	edits := map[telemetry.TenantID]*edit{}
	for _, g := range changes {
		set.Revision = max(set.Revision, g.Revision)
		tenant := telemetry.TenantID(g.Tenant)
		e := edits[tenant]
		if e == nil {
			e = &edit{map[geofence.FenceID]geofence.Fence{}, map[geofence.FenceID]bool{}}
			edits[tenant] = e
		}
		fence, ok := f.prepare(g)
		if ok {
			e.put[g.ID] = fence
			delete(e.remove, g.ID)
		} else {
			e.remove[g.ID] = true
			delete(e.put, g.ID)
		}
	}
	for tenant, e := range edits {
		set.tenants[tenant] = set.Index(tenant).With(slices.Collect(maps.Values(e.put)), slices.Collect(maps.Keys(e.remove)))
	}
	return set
}

// prepare makes a stored version ready for the engine; false for a deleted one. A version that cannot be
// prepared was accepted by an earlier release: it is left out, and said so, rather than stopping every fence.
func (f *Fences) prepare(g store.Geofence) (geofence.Fence, bool) {
	if g.Deleted {
		return geofence.Fence{}, false
	}
	feature, err := fencejson.Parse(g.Feature)
	if err == nil {
		var fence geofence.Fence
		if fence, err = feature.Fence(g.Revision); err == nil {
			fence.ID, fence.Name = g.ID, g.Name
			return fence, true
		}
	}
	f.logger.Error("geofence left out", "tenant", g.Tenant, "geofence", g.ID, "cause", err)
	return geofence.Fence{}, false
}
