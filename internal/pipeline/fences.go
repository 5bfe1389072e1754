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
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// FenceSet is the fences of every tenant, and how rules have them read, at one revision. It is immutable.
type FenceSet struct {
	Revision uint64
	tenants  map[telemetry.TenantID]*geofence.Index
	readings map[telemetry.TenantID][]*reading
}

// Index returns the tenant's fences; an empty index if it has none.
func (s *FenceSet) Index(tenant telemetry.TenantID) *geofence.Index {
	if ix, ok := s.tenants[tenant]; ok {
		return ix
	}
	return noFences
}

// index returns the tenant's fences as a reading has them, and how it is tracked; false if no rule has that reading.
func (s *FenceSet) index(tenant telemetry.TenantID, key notify.Reading, preset geofence.Preset) (*geofence.Index, geofence.Options, bool) {
	if key == (notify.Reading{}) {
		return s.Index(tenant), geofence.Options{Preset: preset}, true
	}
	r := find(s.readings[tenant], key)
	if r == nil {
		return nil, geofence.Options{}, false
	}
	return r.index, r.options(preset), true
}

var noFences = geofence.NewIndex(nil)

// fenceStore keeps fences and rules.
type fenceStore interface {
	store.Geofences
	store.Rules
	OldestRevision(ctx context.Context) (uint64, error) // of the lanes, see store.Lanes
}

// Fences holds the fences in force and follows changes in the store. It is safe for many goroutines.
type Fences struct {
	store   fenceStore
	logger  *slog.Logger
	current atomic.Pointer[FenceSet]
	mu      sync.Mutex // serialises Refresh
}

// NewFences loads all fences.
func NewFences(ctx context.Context, s fenceStore, logger *slog.Logger) (*Fences, error) {
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
	rules, err := f.store.RulesAt(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("pipeline: load rules at revision %d: %w", at, err)
	}
	set := &FenceSet{Revision: at, tenants: map[telemetry.TenantID]*geofence.Index{}}
	for tenant, fences := range byTenant {
		set.tenants[tenant] = geofence.NewIndex(fences)
	}
	set.read(rules, nil)
	return set, nil
}

// read makes the readings that rules want; those of old that nothing changed for are kept.
func (s *FenceSet) read(rules []notify.Rule, old map[telemetry.TenantID][]*reading) {
	s.readings = map[telemetry.TenantID][]*reading{}
	for tenant, list := range rulesByTenant(rules) {
		if all := readingsOf(s.Index(tenant), list, old[tenant]); len(all) > 0 {
			s.readings[tenant] = all
		}
	}
}

// Refresh takes over what changed in the store since the set in force.
func (f *Fences) Refresh(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.current.Load()
	newest, err := f.store.Revision(ctx)
	if err != nil || newest == old.Revision {
		return err
	}
	changes, err := f.store.GeofenceChanges(ctx, old.Revision)
	if err != nil {
		return fmt.Errorf("pipeline: load fence changes since revision %d: %w", old.Revision, err)
	}
	// A process that slept has missed what others forgot meanwhile, deletions among it. This is asked last: what is not
	// forgotten now was not when the changes were read.
	oldest, err := f.store.OldestRevision(ctx)
	if err != nil {
		return err
	}
	if oldest > old.Revision {
		set, err := f.At(ctx, store.Latest)
		if err == nil {
			f.current.Store(set)
		}
		return err
	}
	rules, err := f.store.RulesAt(ctx, newest)
	if err != nil {
		return fmt.Errorf("pipeline: load rules at revision %d: %w", newest, err)
	}
	changes = slices.DeleteFunc(changes, func(g store.Geofence) bool { return g.Revision > newest }) // next time, with their rules
	f.current.Store(f.apply(old, newest, changes, rules))
	return nil
}

// edit is what changes in one tenant. Of several changes to one fence the last counts.
type edit struct {
	put    map[geofence.FenceID]geofence.Fence
	remove map[geofence.FenceID]bool
}

func (f *Fences) apply(old *FenceSet, newest uint64, changes []store.Geofence, rules []notify.Rule) *FenceSet {
	set := &FenceSet{Revision: newest, tenants: maps.Clone(old.tenants)}
	edits := map[telemetry.TenantID]*edit{}
	for _, g := range changes {
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
	readings := maps.Clone(old.readings)
	for tenant, e := range edits {
		set.tenants[tenant] = set.Index(tenant).With(slices.Collect(maps.Values(e.put)), slices.Collect(maps.Keys(e.remove)))
		edited := slices.Clone(readings[tenant])
		for i := range edited {
			edited[i] = edited[i].edited(e)
		}
		readings[tenant] = edited
	}
	set.read(rules, readings)
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
