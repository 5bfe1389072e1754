package identity

import (
	"cmp"
	"maps"
	"slices"
	"sync/atomic"
)

// Directory answers who is who from memory. It holds one immutable view, which [Directory.Load] replaces as a
// whole, so readers never wait and never see half of a change. All methods are safe for many goroutines.
//
// Lists are sorted by id. Records and their slices are shared: callers must not change them.
type Directory struct {
	view atomic.Pointer[view]
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.Load(Records{})
	return d
}

// Load replaces everything the directory knows by r, of which it keeps a copy.
func (d *Directory) Load(r Records) { d.view.Store(newView(r)) }

// Vehicle returns a registered vehicle.
func (d *Directory) Vehicle(tenant TenantID, id VehicleID) (Vehicle, bool) {
	return d.view.Load().vehicles.get(tenant, id)
}

// Vehicles lists the tenant's registered vehicles.
func (d *Directory) Vehicles(tenant TenantID) []Vehicle {
	return d.view.Load().vehicles.list(tenant)
}

// Resolve returns the vehicle whose tracker publishes as device: the one registered with that device, else the
// vehicle of the same id. When several are registered with it, the one registered last counts, so a
// tracker that moved to another vehicle reports for its new one.
func (d *Directory) Resolve(tenant TenantID, device string) VehicleID {
	if id, ok := d.view.Load().devices[deviceKey{tenant, device}]; ok {
		return id
	}
	return VehicleID(device)
}

// Owners lists the known owners of a vehicle, each once; none for a vehicle that nobody registered.
func (d *Directory) Owners(tenant TenantID, vehicle VehicleID) []Owner {
	v := d.view.Load()
	return v.owned[vehicleKey{tenant, vehicle}]
}

// Owner returns an owner.
func (d *Directory) Owner(tenant TenantID, id OwnerID) (Owner, bool) {
	return d.view.Load().owners.get(tenant, id)
}

// OwnerList lists the tenant's owners.
func (d *Directory) OwnerList(tenant TenantID) []Owner {
	return d.view.Load().owners.list(tenant)
}

// Page returns a registered page of any tenant.
func (d *Directory) Page(id PageID) (Page, bool) {
	p, ok := d.view.Load().pages[id]
	return p, ok
}

// Pages lists the tenant's pages.
func (d *Directory) Pages(tenant TenantID) []Page {
	return d.view.Load().pageLists[tenant]
}

// AllPages lists the pages of every tenant.
func (d *Directory) AllPages() []Page { return d.view.Load().allPages }

// Person returns the owner whom a contact reaches; of several the one with the least id.
func (d *Directory) Person(tenant TenantID, c Contact) (Owner, bool) {
	o, ok := d.view.Load().people[personKey{tenant, c}]
	return o, ok
}

// Locales lists the locales of the owners that a page has as contacts, each once.
func (d *Directory) Locales(page PageID) []string { return d.view.Load().locales[page] }

// Texts returns what the tenant says instead of the gateway; nil: nothing.
func (d *Directory) Texts(tenant TenantID) Texts { return d.view.Load().texts[tenant] }

// view is what a directory knows at one moment. Nothing in it changes after newView.
type view struct {
	vehicles  table[VehicleID, Vehicle]
	owners    table[OwnerID, Owner]
	devices   map[deviceKey]VehicleID
	owned     map[vehicleKey][]Owner
	pages     map[PageID]Page
	pageLists map[TenantID][]Page
	allPages  []Page
	locales   map[PageID][]string
	texts     map[TenantID]Texts
	people    map[personKey]Owner
}

type personKey struct {
	tenant TenantID
	Contact
}

type deviceKey struct {
	tenant TenantID
	device string
}

type vehicleKey struct {
	tenant  TenantID
	vehicle VehicleID
}

func newView(r Records) *view {
	vehicles := make([]Vehicle, len(r.Vehicles))
	for i, v := range r.Vehicles {
		v.Owners, v.Tags = slices.Clone(v.Owners), slices.Clone(v.Tags)
		vehicles[i] = v
	}
	owners := make([]Owner, len(r.Owners))
	for i, o := range r.Owners {
		o.Contacts, o.Mutes = slices.Clone(o.Contacts), slices.Clone(o.Mutes)
		owners[i] = o
	}
	v := &view{
		vehicles: newTable(vehicles, func(v Vehicle) (TenantID, VehicleID) { return v.Tenant, v.ID }),
		owners:   newTable(owners, func(o Owner) (TenantID, OwnerID) { return o.Tenant, o.ID }),
		devices:  devicesOf(vehicles),
	}
	v.link(vehicles)
	v.file(r.Pages)
	v.listen(owners)
	v.texts = make(map[TenantID]Texts, len(r.Texts))
	for tenant, texts := range r.Texts {
		v.texts[tenant] = texts.clone()
	}
	return v
}

// listen notes who a page's people are, and which languages they speak.
func (v *view) listen(owners []Owner) {
	v.locales = map[PageID][]string{}
	v.people = map[personKey]Owner{}
	for _, o := range owners {
		for _, c := range o.Contacts {
			v.locales[c.Page] = append(v.locales[c.Page], o.Locale)
			who := personKey{o.Tenant, c}
			if first, taken := v.people[who]; !taken || o.ID < first.ID {
				v.people[who] = o
			}
		}
	}
	for page, locales := range v.locales {
		slices.Sort(locales)
		v.locales[page] = slices.Compact(locales)
	}
}

// devicesOf maps devices to vehicles; of two with the same device the later registration counts, and of two
// registered at the same moment the greater id, so that the answer never depends on the order of records.
func devicesOf(vehicles []Vehicle) map[deviceKey]VehicleID {
	byAge := slices.SortedFunc(slices.Values(vehicles), func(a, b Vehicle) int {
		return cmp.Or(a.Updated.Compare(b.Updated), cmp.Compare(a.ID, b.ID))
	})
	devices := map[deviceKey]VehicleID{}
	for _, v := range byAge {
		if v.Device != "" {
			devices[deviceKey{v.Tenant, v.Device}] = v.ID
		}
	}
	return devices
}

// link prepares the owners of each vehicle. An owner that is named but not known yet is left out.
func (v *view) link(vehicles []Vehicle) {
	v.owned = make(map[vehicleKey][]Owner, len(vehicles))
	for _, vehicle := range vehicles {
		ids := slices.Compact(slices.Sorted(slices.Values(vehicle.Owners)))
		var owners []Owner
		for _, id := range ids {
			if o, ok := v.owners.get(vehicle.Tenant, id); ok {
				owners = append(owners, o)
			}
		}
		v.owned[vehicleKey{vehicle.Tenant, vehicle.ID}] = slices.Clip(owners)
	}
}

func (v *view) file(pages []Page) {
	v.pages = make(map[PageID]Page, len(pages))
	v.pageLists = map[TenantID][]Page{}
	for _, p := range pages {
		p.Templates, p.Routes = maps.Clone(p.Templates), slices.Clone(p.Routes)
		v.pages[p.ID] = p
	}
	v.allPages = slices.SortedFunc(maps.Values(v.pages), func(a, b Page) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range v.allPages {
		v.pageLists[p.Tenant] = append(v.pageLists[p.Tenant], p)
	}
}

// table is records of one kind by tenant and id, and each tenant's in order of id.
type table[K cmp.Ordered, V any] struct {
	byID  map[TenantID]map[K]V
	lists map[TenantID][]V
}

func newTable[K cmp.Ordered, V any](records []V, key func(V) (TenantID, K)) table[K, V] {
	t := table[K, V]{map[TenantID]map[K]V{}, map[TenantID][]V{}}
	for _, r := range records {
		tenant, id := key(r)
		if t.byID[tenant] == nil {
			t.byID[tenant] = map[K]V{}
		}
		t.byID[tenant][id] = r
	}
	for tenant, byID := range t.byID {
		for _, id := range slices.Sorted(maps.Keys(byID)) {
			t.lists[tenant] = append(t.lists[tenant], byID[id])
		}
	}
	return t
}

func (t table[K, V]) get(tenant TenantID, id K) (V, bool) {
	r, ok := t.byID[tenant][id]
	return r, ok
}

func (t table[K, V]) list(tenant TenantID) []V { return t.lists[tenant] }
