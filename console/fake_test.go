package console_test

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"outrider/console"
	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/people"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// fakeStore keeps everything in memory, as a store is to behave.
type fakeStore struct {
	now func() time.Time
	// fail, when set, is what every call returns.
	fail error
	// auditFail is fail for the audit log alone.
	auditFail error
	// beforeWrite, when set, is called before a fence is written.
	beforeWrite func()

	mu         sync.Mutex // guards all below
	revision   uint64
	fences     map[fakeKey]store.Geofence
	records    identity.Records
	whole      int             // how often all of records were read
	fixes      []telemetry.Fix // sorted by vehicle
	crossings  []store.Crossing
	deliveries []store.DeliveryRecord
	letters    []store.DeadLetter
	rules      []notify.Rule
	versions   []store.RuleVersion
	keys       []identity.APIKey
	users      []people.User
	sessions   []people.Session
	entries    []store.AuditEntry
	revisions  uint64 // of entries
	replies    map[string]store.Reply
}

var _ console.Store = (*fakeStore)(nil)

type fakeKey struct {
	tenant identity.TenantID
	id     geofence.FenceID
}

func newFakeStore(now func() time.Time) *fakeStore {
	return &fakeStore{now: now, fences: map[fakeKey]store.Geofence{}}
}

func (s *fakeStore) Unlink(_ context.Context, tenant identity.TenantID, owner identity.OwnerID) (identity.Erasure, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.records.Owners {
		if o.Tenant == tenant && o.ID == owner {
			s.records.Owners[i].Contacts = nil
			return identity.Erasure{Known: true}, s.fail
		}
	}
	return identity.Erasure{}, cmp.Or(s.fail, store.ErrNotFound)
}

func (s *fakeStore) PutGeofence(ctx context.Context, g store.Geofence, expect uint64) (store.Geofence, error) {
	return s.write(ctx, g, expect)
}

func (s *fakeStore) DeleteGeofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID, expect uint64) (store.Geofence, error) {
	if _, err := s.Geofence(ctx, tenant, id); err != nil {
		return store.Geofence{}, err
	}
	return s.write(ctx, store.Geofence{Tenant: tenant, ID: id, Deleted: true}, expect)
}

func (s *fakeStore) write(ctx context.Context, g store.Geofence, expect uint64) (store.Geofence, error) {
	if s.beforeWrite != nil {
		s.beforeWrite()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return store.Geofence{}, s.fail
	}
	if ctx.Err() != nil {
		return store.Geofence{}, ctx.Err()
	}
	old, exists := s.fences[fakeKey{g.Tenant, g.ID}]
	exists = exists && !old.Deleted
	if expect == store.ExpectAbsent && exists || expect != 0 && expect != store.ExpectAbsent && old.Revision != expect {
		return store.Geofence{}, store.ErrConflict
	}
	s.revision++
	g.Revision, g.Updated, g.Feature = s.revision, s.now(), slices.Clone(g.Feature)
	s.fences[fakeKey{g.Tenant, g.ID}] = g
	return g, nil
}

func (s *fakeStore) Geofence(_ context.Context, tenant identity.TenantID, id geofence.FenceID) (store.Geofence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.fences[fakeKey{tenant, id}]
	switch {
	case s.fail != nil:
		return g, s.fail
	case !ok || g.Deleted:
		return g, store.ErrNotFound
	}
	return g, nil
}

func (s *fakeStore) Geofences(_ context.Context, tenant identity.TenantID, after geofence.FenceID, limit int) ([]store.Geofence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []store.Geofence
	for k, g := range s.fences {
		if k.tenant == tenant && !g.Deleted && k.id > after {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b store.Geofence) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all[:min(limit, len(all))], s.fail
}

func (s *fakeStore) PutVehicle(_ context.Context, v identity.Vehicle) error {
	return s.put(func() {
		v.Updated = s.now()
		s.records.Vehicles = replace(s.records.Vehicles, v, func(o identity.Vehicle) bool { return o.Tenant == v.Tenant && o.ID == v.ID })
	})
}

func (s *fakeStore) PutOwner(_ context.Context, o identity.Owner) error {
	return s.put(func() {
		o.Updated = s.now()
		s.records.Owners = replace(s.records.Owners, o, func(p identity.Owner) bool { return p.Tenant == o.Tenant && p.ID == o.ID })
	})
}

func (s *fakeStore) PutPage(_ context.Context, p identity.Page) error {
	s.mu.Lock()
	taken := slices.ContainsFunc(s.records.Pages, func(o identity.Page) bool { return o.ID == p.ID && o.Tenant != p.Tenant })
	s.mu.Unlock()
	if taken {
		return store.ErrConflict
	}
	return s.put(func() {
		p.Updated = s.now()
		s.records.Pages = replace(s.records.Pages, p, func(o identity.Page) bool { return o.ID == p.ID })
	})
}

func (s *fakeStore) PutTexts(_ context.Context, tenant identity.TenantID, language string, texts map[string]string) error {
	return s.put(func() {
		all := map[identity.TenantID]identity.Texts{}
		for t, own := range s.records.Texts {
			all[t] = own
		}
		own := identity.Texts{language: texts}
		for l, t := range all[tenant] {
			if l != language {
				own[l] = t
			}
		}
		all[tenant] = own
		s.records.Texts = all
	})
}

func (s *fakeStore) put(change func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.mu.Unlock()
	for range 20 {
		runtime.Gosched() // others read meanwhile what this write replaces
	}
	s.mu.Lock()
	change()
	return nil
}

func replace[T any](all []T, one T, same func(T) bool) []T {
	return append(slices.DeleteFunc(slices.Clone(all), same), one)
}

func (s *fakeStore) Identities(context.Context) (identity.Records, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole++
	return s.records, s.fail
}

func (s *fakeStore) IdentitiesOf(_ context.Context, refs ...identity.Ref) (identity.Records, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	some := identity.Records{Texts: map[identity.TenantID]identity.Texts{}}
	for _, ref := range refs {
		some.Vehicles = append(some.Vehicles, only(s.records.Vehicles, ref, func(v identity.Vehicle) identity.Ref { return identity.VehicleRef(v.Tenant, v.ID) })...)
		some.Owners = append(some.Owners, only(s.records.Owners, ref, func(o identity.Owner) identity.Ref { return identity.OwnerRef(o.Tenant, o.ID) })...)
		some.Pages = append(some.Pages, only(s.records.Pages, ref, func(p identity.Page) identity.Ref { return identity.PageRef(p.ID) })...)
		if own, ok := s.records.Texts[ref.Tenant]; ok && ref.Kind == identity.KindTexts {
			some.Texts[ref.Tenant] = own
		}
	}
	return some, s.fail
}

// only are the records of all that are named.
func only[T any](all []T, named identity.Ref, ref func(T) identity.Ref) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return ref(one) != named })
}

func (s *fakeStore) LastFix(_ context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.fixes {
		if identity.TenantID(f.Tenant) == tenant && identity.VehicleID(f.Vehicle) == vehicle {
			return f, s.fail
		}
	}
	if s.fail != nil {
		return telemetry.Fix{}, s.fail
	}
	return telemetry.Fix{}, store.ErrNotFound
}

func (s *fakeStore) LastFixes(_ context.Context, tenant identity.TenantID, after identity.VehicleID, limit int) ([]telemetry.Fix, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var some []telemetry.Fix
	for _, f := range s.fixes {
		if identity.TenantID(f.Tenant) == tenant && identity.VehicleID(f.Vehicle) > after && len(some) < limit {
			some = append(some, f)
		}
	}
	return some, s.fail
}

// newest selects a page of a record that is kept oldest first.
func newest[T any](all []T, q store.Query, seq func(T) uint64, wanted func(T) bool) []T {
	var some []T
	for _, one := range slices.Backward(all) {
		if wanted(one) && (q.Before == 0 || seq(one) < q.Before) && len(some) < q.Limit {
			some = append(some, one)
		}
	}
	return some
}

func (s *fakeStore) Acknowledged(context.Context, identity.TenantID, []string) ([]store.Acknowledgement, error) {
	return nil, nil
}

func (s *fakeStore) Crossings(_ context.Context, q store.Query) ([]store.Crossing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newest(s.crossings, q, func(c store.Crossing) uint64 { return c.Seq }, func(c store.Crossing) bool {
		return c.Tenant == q.Tenant && (q.Vehicle == "" || c.Vehicle == q.Vehicle) && (q.Fence == "" || c.Fence == q.Fence)
	}), s.fail
}

func (s *fakeStore) Deliveries(_ context.Context, q store.Query) ([]store.DeliveryRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newest(s.deliveries, q, func(d store.DeliveryRecord) uint64 { return d.Seq }, func(d store.DeliveryRecord) bool {
		a := d.Alert
		return a.Tenant == q.Tenant && (q.Vehicle == "" || a.Vehicle == q.Vehicle) &&
			(q.Fence == "" || a.Fence == string(q.Fence)) && (q.State == "" || d.State == q.State)
	}), s.fail
}

func (s *fakeStore) Delivery(_ context.Context, tenant identity.TenantID, id string) (store.DeliveryRecord, error) {
	for _, d := range s.deliveries {
		if d.Alert.Tenant == tenant && d.Alert.ID == id {
			return d, s.fail
		}
	}
	return store.DeliveryRecord{}, store.ErrNotFound
}

func (s *fakeStore) DeadLetters(_ context.Context, q store.Query) ([]store.DeadLetter, error) {
	return newest(s.letters, q, func(d store.DeadLetter) uint64 { return d.Seq }, func(d store.DeadLetter) bool {
		return d.Tenant == q.Tenant && (q.Vehicle == "" || d.Vehicle == q.Vehicle)
	}), s.fail
}

func (s *fakeStore) PutRule(_ context.Context, r notify.Rule, expect uint64) (notify.Rule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return r, s.fail
	}
	i := slices.IndexFunc(s.rules, func(o notify.Rule) bool { return o.Tenant == r.Tenant && o.ID == r.ID })
	switch {
	case expect == store.ExpectAbsent && i >= 0, expect != 0 && expect != store.ExpectAbsent && (i < 0 || s.rules[i].Revision != expect):
		return r, store.ErrConflict
	}
	s.revision++
	r.Revision, r.Updated = s.revision, s.now()
	s.supersede(r.Tenant, r.ID)
	s.versions = append(s.versions, store.RuleVersion{Rule: r})
	if i >= 0 {
		s.rules[i] = r
	} else {
		s.rules = append(s.rules, r)
	}
	return r, nil
}

func (s *fakeStore) DeleteRule(_ context.Context, tenant identity.TenantID, id string, expect uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.rules, func(o notify.Rule) bool { return o.Tenant == tenant && o.ID == id })
	switch {
	case s.fail != nil:
		return s.fail
	case i < 0:
		return store.ErrNotFound
	case expect != 0 && s.rules[i].Revision != expect:
		return store.ErrConflict
	}
	s.rules = slices.Delete(s.rules, i, i+1)
	s.supersede(tenant, id)
	return nil
}

// supersede ends the version that is in force.
func (s *fakeStore) supersede(tenant identity.TenantID, id string) {
	for i := range s.versions {
		if v := &s.versions[i]; v.Tenant == tenant && v.ID == id && v.Ended.IsZero() {
			v.Ended = s.now()
		}
	}
}

func (s *fakeStore) RulesDuring(_ context.Context, tenant identity.TenantID, from, to time.Time) ([]store.RuleVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.versions), func(v store.RuleVersion) bool {
		return v.Tenant != tenant || v.Updated.After(to) || !v.Ended.IsZero() && !v.Ended.After(from)
	}), s.fail
}

func (s *fakeStore) allRules() []notify.Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rules)
}

func (s *fakeStore) PutAPIKey(_ context.Context, k identity.APIKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, k)
	return s.fail
}

func (s *fakeStore) APIKey(_ context.Context, hash string) (identity.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.Hash == hash {
			return k, s.fail
		}
	}
	return identity.APIKey{}, cmp.Or(s.fail, store.ErrNotFound)
}

func (s *fakeStore) APIKeys(_ context.Context, tenant identity.TenantID) ([]identity.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := slices.Clone(s.keys)
	return slices.DeleteFunc(mine, func(k identity.APIKey) bool { return k.Tenant != tenant }), s.fail
}

func (s *fakeStore) DropAPIKey(_ context.Context, tenant identity.TenantID, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.keys)
	s.keys = slices.DeleteFunc(s.keys, func(k identity.APIKey) bool { return k.Tenant == tenant && k.ID == id })
	if len(s.keys) == n {
		return cmp.Or(s.fail, store.ErrNotFound)
	}
	return s.fail
}

func (s *fakeStore) APIKeyUsed(_ context.Context, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		if s.keys[i].ID == id {
			s.keys[i].Used = at
		}
	}
	return s.fail
}

func (s *fakeStore) PutGeofences(ctx context.Context, all []store.Geofence) (int, error) {
	for _, g := range all {
		if _, err := s.write(ctx, g, 0); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}
