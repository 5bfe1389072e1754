package storetest

import (
	"fmt"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

var ruleTests = map[string]func(*testing.T, *bench){
	"a rule comes back as it was put":         ruleRoundTrip,
	"a rule changes only at what is expected": ruleConditions,
	"rules of an earlier revision are kept":   ruleHistory,
	"rules of an earlier time are kept":       rulesInTime,
}

func fullRule(tenant identity.TenantID, id string) notify.Rule {
	return notify.Rule{
		Tenant: tenant, ID: id, Name: "Night", Disabled: true, Vehicles: notify.Selection{IDs: []string{"van"}, Tags: []string{"cold"}},
		Geofences: notify.Selection{Tags: []string{"yards"}}, Events: []notify.Kind{notify.Enter, notify.Dwell},
		Schedule: &notify.Schedule{TimeZone: "Europe/Berlin", Windows: []notify.Hours{{Days: []string{"mon"}, From: "22:00", To: "06:00"}}, Except: []string{"2026-12-24"}},
		To:       notify.Recipients{NotOwners: true, Owners: []identity.OwnerID{"ann"}}, Surely: 2, Cooldown: 600,
		Quiet: &notify.QuietHours{From: "22:00", To: "07:00"}, Priority: notify.PriorityHigh, MaxAge: 60, Text: "{vehicle} at {fence}",
	}
}

func ruleRoundTrip(t *testing.T, b *bench) {
	ctx := t.Context()
	var want []notify.Rule
	for _, r := range []notify.Rule{fullRule("acme", "a"), {Tenant: "acme", ID: "b", Events: []notify.Kind{notify.Exit}}, fullRule("other", "a")} {
		want = append(want, must(b.PutRule(ctx, r, 0))(t))
	}
	if want[1].Revision <= want[0].Revision || want[0].Updated != epoch {
		t.Errorf("revisions %d and %d, updated %v", want[0].Revision, want[1].Revision, want[0].Updated)
	}
	same(t, "rules", must(b.Rules(ctx))(t), want)
	want[1] = must(b.PutRule(ctx, fullRule("acme", "b"), 0))(t)
	ok(t, b.DeleteRule(ctx, "acme", "a", 0))
	same(t, "rules after a change", must(b.Rules(ctx))(t), want[1:])
}

func ruleConditions(t *testing.T, b *bench) {
	ctx := t.Context()
	r := fullRule("acme", "a")
	_, err := b.PutRule(ctx, r, 7)
	wantError(t, err, store.ErrConflict)
	first := must(b.PutRule(ctx, r, store.ExpectAbsent))(t)
	_, err = b.PutRule(ctx, r, store.ExpectAbsent)
	wantError(t, err, store.ErrConflict)
	second := must(b.PutRule(ctx, r, first.Revision))(t)
	wantError(t, b.DeleteRule(ctx, "acme", "a", first.Revision), store.ErrConflict)
	wantError(t, b.DeleteRule(ctx, "acme", "b", 0), store.ErrNotFound)
	wantError(t, b.DeleteRule(ctx, "other", "a", 0), store.ErrNotFound)
	ok(t, b.DeleteRule(ctx, "acme", "a", second.Revision))
	same(t, "rules", must(b.Rules(ctx))(t), nil)
}

// Rules and geofences are counted together, and known as they were, until nobody needs that.
func ruleHistory(t *testing.T, b *bench) {
	ctx := t.Context()
	shown := func(revision uint64) []string {
		return names(must(b.RulesAt(ctx, revision))(t), func(r notify.Rule) string { return r.ID + " " + r.Name })
	}
	first := must(b.PutRule(ctx, notify.Rule{Tenant: "acme", ID: "a", Name: "one"}, 0))(t)
	yard := must(b.PutGeofence(ctx, fence("yard"), 0))(t)
	second := must(b.PutRule(ctx, notify.Rule{Tenant: "acme", ID: "a", Name: "two"}, 0))(t)
	must(b.PutRule(ctx, notify.Rule{Tenant: "other", ID: "b", Name: "b"}, 0))(t)
	ok(t, b.DeleteRule(ctx, "acme", "a", 0))
	if !(first.Revision < yard.Revision && yard.Revision < second.Revision) {
		t.Fatalf("revisions %d, %d and %d do not grow", first.Revision, yard.Revision, second.Revision)
	}
	newest := must(b.Revision(ctx))(t)
	same(t, "before all", shown(first.Revision-1), nil)
	same(t, "at the geofence", shown(yard.Revision), []string{"a one"})
	same(t, "after the edit", shown(second.Revision), []string{"a two"})
	same(t, "in the end", shown(newest), []string{"b b"})
	ok(t, b.ForgetGeofences(ctx, second.Revision))
	same(t, "of what is forgotten", shown(yard.Revision), nil)
	same(t, "of what is kept", shown(second.Revision), []string{"a two"})
	ok(t, b.ForgetGeofences(ctx, newest))
	same(t, "after all is forgotten", shown(newest), []string{"b b"})
}

// What was in force at a time is known as long as a crossing of that time is in the record.
func rulesInTime(t *testing.T, b *bench) {
	ctx := t.Context()
	put := func(tenant identity.TenantID, name string) {
		must(b.PutRule(ctx, notify.Rule{Tenant: tenant, ID: "a", Name: name}, 0))(t)
		b.clock.advance(time.Hour)
	}
	put("acme", "one")
	put("other", "theirs")
	put("acme", "two")
	ok(t, b.DeleteRule(ctx, "acme", "a", 0))
	b.clock.advance(time.Hour)
	put("acme", "three")
	during := func(from, to time.Duration) []string {
		all := must(b.RulesDuring(ctx, "acme", epoch.Add(from), epoch.Add(to)))(t)
		return names(all, func(v store.RuleVersion) string {
			return fmt.Sprint(v.Name, " ", v.Updated.Sub(epoch), " ", max(0, v.Ended.Sub(epoch)), " ", v.InForce(epoch.Add(from)))
		})
	}
	one, two, three := "one 0s 2h0m0s true", "two 2h0m0s 3h0m0s true", "three 4h0m0s 0s true"
	same(t, "before all", during(-2*time.Hour, -time.Hour), nil)
	same(t, "the first", during(0, time.Hour), []string{one})
	same(t, "at the moment of the edit", during(2*time.Hour, 2*time.Hour), []string{two})
	same(t, "deleted", during(3*time.Hour, 3*time.Hour+time.Minute), nil)
	same(t, "now", during(9*time.Hour, 9*time.Hour), []string{three})
	same(t, "two, one after the other", during(time.Hour, 2*time.Hour), []string{one, "two 2h0m0s 3h0m0s false"})

	c := own(t, b, 0)
	c.Next, c.Crossings = c.Next+1, []store.Crossing{crossing("c", epoch.Add(150*time.Minute))} // two was in force
	ok(t, b.Commit(ctx, c))
	ok(t, b.ForgetGeofences(ctx, must(b.Revision(ctx))(t)))
	same(t, "older than the record", during(0, time.Hour), nil)
	same(t, "as old as the record", during(2*time.Hour, 2*time.Hour), []string{two})
}
