package identity

import (
	"iter"
	"sync"
	"sync/atomic"
)

// Directory answers who is who from memory. It holds one immutable view, which a change replaces as a whole, so readers
// never wait and never see half of a change. All methods are safe for many goroutines.
//
// Lists are sorted by id. Records and their slices are shared: callers must not change them.
type Directory struct {
	view    atomic.Pointer[view]
	changes sync.Mutex // one change after the other; guards no field
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.view.Store(newView())
	return d
}

// Load replaces everything the directory knows by r, of which it keeps a copy.
func (d *Directory) Load(r Records) {
	d.changes.Lock()
	defer d.changes.Unlock()
	v := newView()
	v.put(r)
	d.view.Store(v)
}

// Take replaces what the directory knows of the records that are named: r holds those of them that there are. Its cost
// does not depend on how many others there are.
func (d *Directory) Take(r Records, named ...Ref) {
	d.changes.Lock()
	defer d.changes.Unlock()
	v := d.view.Load().copy()
	for _, ref := range named {
		v.drop(ref)
	}
	v.put(r)
	d.view.Store(v)
}

// Vehicle returns a registered vehicle.
func (d *Directory) Vehicle(tenant TenantID, id VehicleID) (Vehicle, bool) {
	return d.view.Load().vehicles.get(tenant, id)
}

// Vehicles lists the tenant's registered vehicles behind an id; all behind an empty one.
func (d *Directory) Vehicles(tenant TenantID, after VehicleID) iter.Seq[Vehicle] {
	return d.view.Load().vehicles.after(tenant, after)
}

// Resolve returns the vehicle whose tracker publishes as device: the one registered with that device, else the
// vehicle of the same id. When several are registered with it, the one registered last counts, so a
// tracker that moved to another vehicle reports for its new one.
func (d *Directory) Resolve(tenant TenantID, device string) VehicleID {
	if id, ok := d.view.Load().devices.last(string(tenant), device); ok {
		return VehicleID(id)
	}
	return VehicleID(device)
}

// Carriers lists the vehicles that are registered with a device, in the order in which they were.
func (d *Directory) Carriers(tenant TenantID, device string) iter.Seq[VehicleID] {
	return func(yield func(VehicleID) bool) {
		for id := range d.view.Load().devices.all(string(tenant), device) {
			if !yield(VehicleID(id)) {
				return
			}
		}
	}
}

// Owners lists the known owners of a vehicle, each once; none for a vehicle that nobody registered. An owner that is
// named but not known yet is left out.
func (d *Directory) Owners(tenant TenantID, vehicle VehicleID) []Owner {
	return d.view.Load().ownersOf(tenant, vehicle)
}

// Owner returns an owner.
func (d *Directory) Owner(tenant TenantID, id OwnerID) (Owner, bool) {
	return d.view.Load().owners.get(tenant, id)
}

// OwnerList lists the tenant's owners behind an id; all behind an empty one.
func (d *Directory) OwnerList(tenant TenantID, after OwnerID) iter.Seq[Owner] {
	return d.view.Load().owners.after(tenant, after)
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
	v := d.view.Load()
	id, ok := v.people.first(string(tenant), string(c.Page), string(c.PSID))
	if !ok {
		return Owner{}, false
	}
	return v.owners.get(tenant, OwnerID(id))
}

// Locales lists the locales of the owners that a page has as contacts, each once.
func (d *Directory) Locales(page PageID) []string {
	return d.view.Load().locales.following(string(page))
}

// Texts returns what the tenant says instead of the gateway; nil: nothing.
func (d *Directory) Texts(tenant TenantID) Texts { return d.view.Load().texts[tenant] }
