package storetest

import (
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

var registryTests = map[string]func(*testing.T, *bench){
	"identities come back as they were put":    registryRoundTrip,
	"some identities are those of all":         registrySome,
	"a put replaces the whole record":          registryReplaces,
	"a page belongs to one tenant":             registryPageTenant,
	"the newest fix of each vehicle is kept":   lastFixNewest,
	"last fixes are listed by tenant in pages": lastFixPages,
	"an owner's silences are theirs":           ownerMutes,
	"a change of identities is told":           registryRevision,
}

func registryRevision(t *testing.T, b *bench) {
	ctx, r := t.Context(), registryRecords()
	last := must(b.IdentitiesRevision(ctx))(t)
	grown := func(what string) {
		t.Helper()
		now := must(b.IdentitiesRevision(ctx))(t)
		if now <= last {
			t.Errorf("%s: the revision is %d after %d", what, now, last)
		}
		last = now
	}
	putAll(t, b, registryRecords())
	grown("new ones")
	ok(t, b.PutVehicle(ctx, r.Vehicles[0]))
	grown("a vehicle")
	ok(t, b.PutOwner(ctx, r.Owners[0]))
	grown("an owner")
	ok(t, b.SetMutes(ctx, "acme", "ann", []identity.Mute{{Vehicle: "van"}}))
	grown("a silence")
	ok(t, b.PutPage(ctx, r.Pages[0]))
	grown("a page")
	ok(t, b.PutTexts(ctx, "acme", "de", nil))
	grown("a text")
	ok(t, b.Commit(ctx, everything(own(t, b, 0))))
	same(t, "after a commit", must(b.IdentitiesRevision(ctx))(t), last)
}

func registryRecords() identity.Records {
	return identity.Records{
		Vehicles: []identity.Vehicle{{
			Tenant: "acme", ID: "van/1", Name: "Van \"one\"", Owners: []identity.OwnerID{"ann", "bob"},
			Tags: []string{"north", "früh"}, Device: "354762110000001",
		}},
		Owners: []identity.Owner{{
			Tenant: "acme", ID: "ann", Name: "Ann", Locale: "de_DE", TimeZone: "Europe/Berlin",
			Contacts: []identity.Contact{{Page: "100", PSID: "7001"}, {Page: "101", PSID: "7002"}},
			Fallback: identity.NewToken("smtp://user:password@mail"),
		}},
		Pages: []identity.Page{{
			Tenant: "acme", ID: "100", Name: "Acme", AccessToken: identity.NewToken("EAAG-secret"),
			Tag: "ACCOUNT_UPDATE", Templates: map[string]string{"enter": "acme_enter"}, Routes: []string{"tag", "window"},
		}},
		Texts: map[identity.TenantID]identity.Texts{"acme": {
			"de": {"enter": "{vehicle} ist da: {fence}, {time}."}, "pt_BR": {"where": "Onde?"},
		}},
	}
}

func putAll(t *testing.T, b *bench, r identity.Records) {
	t.Helper()
	for _, v := range r.Vehicles {
		ok(t, b.PutVehicle(t.Context(), v))
	}
	for _, o := range r.Owners {
		ok(t, b.PutOwner(t.Context(), o))
	}
	for _, p := range r.Pages {
		ok(t, b.PutPage(t.Context(), p))
	}
	for tenant, texts := range r.Texts {
		for language, t1 := range texts {
			ok(t, b.PutTexts(t.Context(), tenant, language, t1))
		}
	}
}

// stamped sets Updated everywhere.
func stamped(r identity.Records, at time.Time) identity.Records {
	for i := range r.Vehicles {
		r.Vehicles[i].Updated = at
	}
	for i := range r.Owners {
		r.Owners[i].Updated = at
	}
	for i := range r.Pages {
		r.Pages[i].Updated = at
	}
	return r
}

func registryRoundTrip(t *testing.T, b *bench) {
	putAll(t, b, registryRecords())
	same(t, "identities", must(b.Identities(t.Context()))(t), stamped(registryRecords(), epoch))
}

func registrySome(t *testing.T, b *bench) {
	putAll(t, b, registryRecords())
	ok(t, b.PutVehicle(t.Context(), identity.Vehicle{Tenant: "other", ID: "van/1"}))
	ok(t, b.PutOwner(t.Context(), identity.Owner{Tenant: "other", ID: "ann"}))
	ok(t, b.PutTexts(t.Context(), "other", "de", map[string]string{"enter": "da"}))
	of := func(refs ...identity.Ref) identity.Records { return must(b.IdentitiesOf(t.Context(), refs...))(t) }
	vehicle, owner := identity.VehicleRef("acme", "van/1"), identity.OwnerRef("acme", "ann")
	page, texts := identity.PageRef("100"), identity.TextsRef("acme")
	all := stamped(registryRecords(), epoch)
	same(t, "all of a tenant", of(vehicle, owner, page, texts), all)
	same(t, "a vehicle", of(vehicle), identity.Records{Vehicles: all.Vehicles})
	same(t, "what there is of an owner and others", of(owner, identity.OwnerRef("acme", "van/1"), identity.PageRef("9")), identity.Records{Owners: all.Owners})
	same(t, "nothing", of(identity.VehicleRef("nobody", "van/1"), identity.TextsRef("nobody")), identity.Records{})
	same(t, "no name", of(), identity.Records{})
}

func registryReplaces(t *testing.T, b *bench) {
	putAll(t, b, registryRecords())
	b.clock.advance(time.Minute)
	bare := identity.Records{
		Vehicles: []identity.Vehicle{{Tenant: "acme", ID: "van/1"}},
		Owners:   []identity.Owner{{Tenant: "acme", ID: "ann"}},
		Pages:    []identity.Page{{Tenant: "acme", ID: "100"}},
		Texts:    map[identity.TenantID]identity.Texts{"acme": {"de": nil, "pt_BR": {}}},
	}
	putAll(t, b, bare)
	same(t, "identities", must(b.Identities(t.Context()))(t), stamped(bare, epoch.Add(time.Minute)))
}

func registryPageTenant(t *testing.T, b *bench) {
	putAll(t, b, registryRecords())
	err := b.PutPage(t.Context(), identity.Page{Tenant: "other", ID: "100", AccessToken: identity.NewToken("theirs")})
	wantError(t, err, store.ErrConflict)
	same(t, "identities", must(b.Identities(t.Context()))(t), stamped(registryRecords(), epoch))
}

func fixOf(vehicle string, at time.Time) telemetry.Fix {
	f := telemetry.NewFix("acme", telemetry.VehicleID(vehicle), at, orb.Point{11.5, 48.25})
	f.Received = at.Add(1500 * time.Microsecond)
	return f
}

// commitFixes commits last fixes through a lane of its own.
func commitFixes(t *testing.T, b *bench, fixes ...telemetry.Fix) {
	t.Helper()
	const partition = 31
	l := must(b.OwnLane(t.Context(), partition, ""))(t)
	ok(t, b.Commit(t.Context(), store.Commit{Partition: partition, Epoch: l.Epoch, Next: l.Next + 1, LastFixes: fixes}))
}

func lastFixNewest(t *testing.T, b *bench) {
	at := epoch.Truncate(time.Millisecond)
	full := fixOf("v", at)
	full.Accuracy, full.Speed, full.Heading, full.Altitude, full.HDOP = 4.5, 0, 359.5, -3, 0.9
	full.Ignition, full.Battery = telemetry.Yes, 81.5
	bare := fixOf("v", at.Add(time.Second))
	for _, step := range []struct {
		name      string
		put, want telemetry.Fix
	}{
		{"first", full, full},
		{"older is ignored", fixOf("v", at.Add(-time.Second)), full},
		{"newer, with nothing but a place", bare, bare},
	} {
		commitFixes(t, b, step.put)
		same(t, step.name, must(b.LastFixes(t.Context(), "acme", "", 10))(t), []telemetry.Fix{step.want})
	}
}

func lastFixPages(t *testing.T, b *bench) {
	other := fixOf("b2", epoch)
	other.Tenant = "other"
	commitFixes(t, b, fixOf("c", epoch), fixOf("a", epoch), other, fixOf("b", epoch))
	ids := func(after identity.VehicleID, limit int) []string {
		fixes := must(b.LastFixes(t.Context(), "acme", after, limit))(t)
		return names(fixes, func(f telemetry.Fix) string { return string(f.Vehicle) })
	}
	same(t, "first page", ids("", 2), []string{"a", "b"})
	same(t, "second page", ids("b", 2), []string{"c"})
	same(t, "one", must(b.LastFix(t.Context(), "other", "b2"))(t), other)
	_, err := b.LastFix(t.Context(), "acme", "b2")
	wantError(t, err, store.ErrNotFound)
}

func ownerMutes(t *testing.T, b *bench) {
	ctx := t.Context()
	o := identity.Owner{Tenant: "acme", ID: "ann", Name: "Ann", Contacts: []identity.Contact{{Page: "p", PSID: "7"}}}
	wantError(t, b.SetMutes(ctx, "acme", "ann", nil), store.ErrNotFound)
	wantError(t, b.SetLocale(ctx, "acme", "ann", "de"), store.ErrNotFound)
	ok(t, b.PutOwner(ctx, o))
	mutes := []identity.Mute{{Vehicle: "van", Until: epoch.Add(time.Hour)}, {Vehicle: "van", Fence: "depot"}, {}}
	ok(t, b.SetMutes(ctx, "acme", "ann", mutes))
	ok(t, b.SetLocale(ctx, "acme", "ann", "de"))
	stored := func() identity.Owner { return must(b.Identities(ctx))(t).Owners[0] }
	same(t, "mutes", stored().Mutes, mutes)
	same(t, "locale", stored().Locale, "de")
	ok(t, b.PutOwner(ctx, o)) // an admin's change of the record is no change of what the person wants
	same(t, "mutes after a put", stored().Mutes, mutes)
	b.reopen(t)
	same(t, "mutes after a restart", stored().Mutes, mutes)
	ok(t, b.SetMutes(ctx, "acme", "ann", nil))
	same(t, "no mutes", len(stored().Mutes), 0)
	wantError(t, b.SetMutes(ctx, "other", "ann", nil), store.ErrNotFound)
}
