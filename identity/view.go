package identity

import (
	"cmp"
	"maps"
	"slices"
)

// view is what a directory knows at one moment. Nothing in it changes once it can be seen: a copy does.
type view struct {
	vehicles table[VehicleID, Vehicle]
	owners   table[OwnerID, Owner]
	devices  index // tenant, device, when it was registered, vehicle
	people   index // tenant, page, PSID, owner
	locales  index // page, locale, tenant, owner

	pages     map[PageID]Page
	pageLists map[TenantID][]Page
	allPages  []Page
	texts     map[TenantID]Texts
}

func newView() *view {
	return &view{
		vehicles: newTable[VehicleID, Vehicle](), owners: newTable[OwnerID, Owner](),
		devices: newIndex(), people: newIndex(), locales: newIndex(),
	}
}

func (v *view) copy() *view {
	return &view{
		v.vehicles.copy(), v.owners.copy(), v.devices.copy(), v.people.copy(), v.locales.copy(),
		v.pages, v.pageLists, v.allPages, v.texts,
	}
}

// put takes records over, and keeps no memory of theirs.
func (v *view) put(r Records) {
	for _, one := range r.Vehicles {
		v.putVehicle(one)
	}
	for _, one := range r.Owners {
		v.putOwner(one)
	}
	if len(r.Pages) > 0 {
		v.file(r.Pages, "")
	}
	if len(r.Texts) > 0 {
		v.texts = maps.Clone(v.texts)
		if v.texts == nil {
			v.texts = map[TenantID]Texts{}
		}
		for tenant, texts := range r.Texts {
			v.texts[tenant] = texts.clone()
		}
	}
}

// drop forgets a record.
func (v *view) drop(r Ref) {
	switch r.Kind {
	case KindVehicle:
		if old, ok := v.vehicles.remove(r.Tenant, VehicleID(r.ID)); ok {
			v.devices.remove(deviceKey(old))
		}
	case KindOwner:
		if old, ok := v.owners.remove(r.Tenant, OwnerID(r.ID)); ok {
			v.people.remove(personKeys(old)...)
			v.locales.remove(localeKeys(old)...)
		}
	case KindPage:
		v.file(nil, PageID(r.ID))
	case KindTexts:
		v.texts = maps.Clone(v.texts)
		delete(v.texts, r.Tenant)
	}
}

func (v *view) putVehicle(one Vehicle) {
	v.drop(VehicleRef(one.Tenant, one.ID))
	one.Owners, one.Tags = slices.Clone(one.Owners), slices.Clone(one.Tags)
	v.vehicles.set(one.Tenant, one.ID, one)
	if one.Device != "" {
		v.devices.add(deviceKey(one))
	}
}

func (v *view) putOwner(one Owner) {
	v.drop(OwnerRef(one.Tenant, one.ID))
	one.Contacts, one.Mutes = slices.Clone(one.Contacts), slices.Clone(one.Mutes)
	v.owners.set(one.Tenant, one.ID, one)
	v.people.add(personKeys(one)...)
	v.locales.add(localeKeys(one)...)
}

// deviceKey sorts the vehicles of one device by when they were registered with it, and of two registered at the same
// moment by their id, so that the answer never depends on the order of records.
func deviceKey(v Vehicle) key {
	return key{string(v.Tenant), v.Device, v.Updated.UTC().Format("2006-01-02T15:04:05.000000000"), string(v.ID)}
}

func personKeys(o Owner) []key {
	var all []key
	for _, c := range o.Contacts {
		all = append(all, key{string(o.Tenant), string(c.Page), string(c.PSID), string(o.ID)})
	}
	return all
}

func localeKeys(o Owner) []key {
	var all []key
	for _, c := range o.Contacts {
		all = append(all, key{string(c.Page), o.Locale, string(o.Tenant), string(o.ID)})
	}
	return all
}

func (v *view) ownersOf(tenant TenantID, id VehicleID) []Owner {
	vehicle, _ := v.vehicles.get(tenant, id)
	var owners []Owner
	for _, id := range slices.Compact(slices.Sorted(slices.Values(vehicle.Owners))) {
		if o, ok := v.owners.get(tenant, id); ok {
			owners = append(owners, o)
		}
	}
	return owners
}

// file puts pages and takes one away. There are few: the lists are made anew.
func (v *view) file(put []Page, without PageID) {
	all := make(map[PageID]Page, len(v.pages)+len(put))
	maps.Copy(all, v.pages)
	delete(all, without)
	for _, p := range put {
		p.Templates, p.Routes = maps.Clone(p.Templates), slices.Clone(p.Routes)
		all[p.ID] = p
	}
	v.pages, v.pageLists = all, map[TenantID][]Page{}
	v.allPages = slices.SortedFunc(maps.Values(all), func(a, b Page) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range v.allPages {
		v.pageLists[p.Tenant] = append(v.pageLists[p.Tenant], p)
	}
}
