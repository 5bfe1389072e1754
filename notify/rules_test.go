package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
)

func directory() *identity.Directory {
	d := identity.NewDirectory()
	d.Load(identity.Records{
		Vehicles: []identity.Vehicle{
			{Tenant: "acme", ID: "van-12", Name: "Van 12", Owners: []identity.OwnerID{"anna", "bob"}},
			{Tenant: "acme", ID: "van-13", Owners: []identity.OwnerID{"anna"}},
		},
		Owners: []identity.Owner{
			{Tenant: "acme", ID: "anna", Locale: "de_DE", TimeZone: "Europe/Berlin",
				Contacts: []identity.Contact{{Page: "111", PSID: "7001"}, {Page: "222", PSID: "8001"}}},
			{Tenant: "acme", ID: "bob"},
		},
		Pages: []identity.Page{{Tenant: "acme", ID: "111", AccessToken: identity.NewToken("EAAB")}},
	})
	return d
}

func event(vehicle string, kind notify.Kind) notify.Event {
	return notify.Event{ID: "x1", Tenant: "acme", Vehicle: identity.VehicleID(vehicle), Fence: "depot",
		FenceName: "Depot North", Kind: kind, At: noon, Received: noon.Add(time.Second)}
}

func TestRulesAlerts(t *testing.T) {
	t.Parallel()
	late := event("van-12", notify.Enter)
	late.Late = true
	foreign := event("van-12", notify.Enter)
	foreign.Tenant = "other"
	for _, c := range []struct {
		what string
		e    notify.Event
		want string
	}{
		{"enter tells every owner", event("van-12", notify.Enter), "anna bob"},
		{"exit", event("van-13", notify.Exit), "anna"},
		{"pass adds nothing to its enter and exit", event("van-12", notify.Pass), ""},
		{"dwell is nobody's default", event("van-12", notify.Dwell), ""},
		{"late is for the record", late, ""},
		{"unclaimed vehicle", event("van-99", notify.Enter), ""},
		{"another tenant", foreign, ""},
	} {
		var owners []string
		for _, a := range notify.NewRules(directory(), nil).Alerts(nil, c.e) {
			owners = append(owners, string(a.Owner))
		}
		if got := strings.Join(owners, " "); got != c.want {
			t.Errorf("%s: alerts for %q, want %q", c.what, got, c.want)
		}
	}
}

func TestAlertIsFrozen(t *testing.T) {
	t.Parallel()
	rules := notify.NewRules(directory(), nil)
	rules.MaxAge = 24 * time.Hour
	first := []notify.Alert{{ID: "kept"}}
	got := rules.Alerts(first, event("van-12", notify.Enter))
	if len(got) != 3 || got[0].ID != "kept" {
		t.Fatalf("alerts do not append: %v", got)
	}
	a := got[1]
	if a.VehicleName != "Van 12" || a.FenceName != "Depot North" || a.TimeZone != "Europe/Berlin" ||
		a.Locale != "de_DE" || a.MaxAge != 24*time.Hour || !a.Received.Equal(noon.Add(time.Second)) {
		t.Errorf("alert %+v", a)
	}
	if len(a.ID) != 32 || a.ID == got[2].ID {
		t.Errorf("ids %q %q: want 32 digits, one for each owner", a.ID, got[2].ID)
	}
	if again := rules.Alerts(nil, event("van-12", notify.Enter)); again[0].ID != a.ID {
		t.Error("the same event gave another id")
	}
	nameless := event("van-99", notify.Enter)
	nameless.FenceName, nameless.Vehicle = "", "van-13"
	if a := rules.Alerts(nil, nameless)[0]; a.VehicleName != "van-13" || a.FenceName != "depot" {
		t.Errorf("without names: %q %q", a.VehicleName, a.FenceName)
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	rules := notify.NewRules(directory(), nil)
	rules.MaxAge = time.Hour
	alerts := rules.Alerts(nil, event("van-12", notify.Enter))
	anna, bob := rules.Deliver(alerts[0], noon), rules.Deliver(alerts[1], noon)
	if anna.State != notify.Pending || anna.Page != "111" || anna.PSID != "7001" || !anna.NextAt.Equal(noon) {
		t.Errorf("to the first contact: %+v", anna)
	}
	if bob.State != notify.Held || bob.Reason != notify.ReasonNoContact || !bob.NextAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("without contact: %+v", bob)
	}
}

func TestAlertExpiry(t *testing.T) {
	t.Parallel()
	a := notify.Alert{At: noon, MaxAge: time.Hour}
	if a.Stale(noon.Add(time.Hour-1)) || !a.Stale(noon.Add(time.Hour)) {
		t.Error("an alert is stale at its expiry, and not before")
	}
	if (notify.Alert{At: noon}).Stale(noon.AddDate(100, 0, 0)) {
		t.Error("without a maximum age nothing is stale")
	}
}

func ExampleRules() {
	d := identity.NewDirectory()
	d.Load(identity.Records{
		Vehicles: []identity.Vehicle{{Tenant: "default", ID: "van-12", Name: "Van 12", Owners: []identity.OwnerID{"anna"}}},
		Owners: []identity.Owner{{Tenant: "default", ID: "anna", TimeZone: "Europe/Berlin",
			Contacts: []identity.Contact{{Page: "111", PSID: "7001"}}}},
	})
	rules := notify.NewRules(d, nil)
	at := time.Date(2026, 11, 24, 7, 42, 0, 0, time.UTC)
	left := notify.Event{ID: "c1", Tenant: "default", Vehicle: "van-12", Fence: "depot", FenceName: "Depot North", Kind: notify.Exit, At: at}
	for _, a := range rules.Alerts(nil, left) {
		delivery := rules.Deliver(a, at)
		fmt.Println(delivery.Page, delivery.PSID, notify.WordsFor(a.Locale, nil).Text(a, at))
	}
	// Output: 111 7001 Van 12 left Depot North at 08:42.
}

func TestMutedAlertsAreOverAtOnce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name  string
		mutes []identity.Mute
		want  notify.State
	}{
		{"nothing", nil, notify.Pending},
		{"everything, for ever", []identity.Mute{{}}, notify.Expired},
		{"this vehicle", []identity.Mute{{Vehicle: "van", Until: at.Add(time.Second)}}, notify.Expired},
		{"this vehicle, until just then", []identity.Mute{{Vehicle: "van", Until: at}}, notify.Pending},
		{"another vehicle", []identity.Mute{{Vehicle: "car"}}, notify.Pending},
		{"this fence of this vehicle", []identity.Mute{{Vehicle: "van", Fence: "depot"}}, notify.Expired},
		{"another fence of this vehicle", []identity.Mute{{Vehicle: "van", Fence: "school"}}, notify.Pending},
		{"one of several", []identity.Mute{{Vehicle: "car"}, {Fence: "depot"}}, notify.Expired},
	} {
		d := identity.NewDirectory()
		d.Load(identity.Records{Owners: []identity.Owner{{
			Tenant: "acme", ID: "ann", Contacts: []identity.Contact{{Page: "1", PSID: "7"}}, Mutes: x.mutes,
		}}})
		a := notify.Alert{Tenant: "acme", Owner: "ann", Vehicle: "van", Fence: "depot", Kind: notify.Enter, At: at}
		if got := notify.NewRules(d, nil).Deliver(a, at.Add(time.Minute)); got.State != x.want || (got.Reason == notify.ReasonMuted) != (x.want == notify.Expired) {
			t.Errorf("%s: %s %s, want %s", x.name, got.State, got.Reason, x.want)
		}
	}
}
