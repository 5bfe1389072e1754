package notify_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
)

// fleet is two vans of ann's, one of them tagged, a boss who owns nothing, and a book with the rules.
func fleet(rules ...notify.Rule) *notify.Rules {
	d := identity.NewDirectory()
	contact := []identity.Contact{{Page: "p", PSID: "u"}}
	d.Load(identity.Records{
		Vehicles: []identity.Vehicle{
			{Tenant: "acme", ID: "van", Owners: []identity.OwnerID{"ann"}, Tags: []string{"cold"}},
			{Tenant: "acme", ID: "bus", Owners: []identity.OwnerID{"ann"}},
		},
		Owners: []identity.Owner{
			{Tenant: "acme", ID: "ann", TimeZone: "Europe/Berlin", Contacts: contact}, {Tenant: "acme", ID: "boss", Contacts: contact},
		},
	})
	for i := range rules {
		rules[i].Tenant = "acme"
	}
	book := notify.NewRulebook()
	book.Load(rules)
	return notify.NewRules(d, book)
}

func happened(kind notify.Kind, vehicle string) notify.Event {
	return notify.Event{
		ID: string(kind) + vehicle, Tenant: "acme", Vehicle: identity.VehicleID(vehicle), Fence: "yard", FenceTags: []string{"yards"}, Kind: kind,
		At: time.Date(2026, 11, 25, 23, 30, 0, 0, time.UTC), Confidence: 2, // Thursday 00:30 in Berlin
	}
}

// silent is the default rule, put out.
var silent = notify.Rule{ID: notify.DefaultRule, Disabled: true, Events: []notify.Kind{notify.Enter}}

func told(r *notify.Rules, e notify.Event) []string {
	people := []string{}
	for _, a := range r.Alerts(nil, e) {
		people = append(people, string(a.Owner))
	}
	return people
}

func TestWhoHearsOfWhat(t *testing.T) {
	t.Parallel()
	enter := []notify.Kind{notify.Enter}
	boss := notify.Recipients{NotOwners: true, Owners: []identity.OwnerID{"boss", "nobody"}}
	berlin := func(h ...notify.Hours) *notify.Schedule {
		return &notify.Schedule{TimeZone: "Europe/Berlin", Windows: h}
	}
	for name, c := range map[string]struct {
		rules []notify.Rule
		event notify.Event
		want  []string
		miss  notify.Miss // of the rule "x"
	}{
		"no rule, enter":         {nil, happened(notify.Enter, "van"), []string{"ann"}, ""},
		"no rule, dwell":         {nil, happened(notify.Dwell, "van"), nil, ""},
		"no rule, a stranger":    {nil, happened(notify.Enter, "lorry"), nil, ""},
		"default put out":        {[]notify.Rule{silent}, happened(notify.Enter, "van"), nil, ""},
		"another rule besides":   {[]notify.Rule{{ID: "x", Events: enter, To: boss}}, happened(notify.Enter, "van"), []string{"ann", "boss"}, notify.Hit},
		"two rules, one alert":   {[]notify.Rule{{ID: "x", Events: enter}}, happened(notify.Enter, "van"), []string{"ann"}, notify.Hit},
		"disabled":               {[]notify.Rule{silent, {ID: "x", Disabled: true, Events: enter}}, happened(notify.Enter, "van"), nil, notify.MissDisabled},
		"another event":          {[]notify.Rule{silent, {ID: "x", Events: enter}}, happened(notify.Exit, "van"), nil, notify.MissEvent},
		"by the vehicle's id":    {[]notify.Rule{silent, {ID: "x", Events: enter, Vehicles: notify.Selection{IDs: []string{"bus"}}}}, happened(notify.Enter, "van"), nil, notify.MissVehicle},
		"by the vehicle's tag":   {[]notify.Rule{silent, {ID: "x", Events: enter, Vehicles: notify.Selection{IDs: []string{"bus"}, Tags: []string{"cold"}}}}, happened(notify.Enter, "van"), []string{"ann"}, notify.Hit},
		"by the geofence's tag":  {[]notify.Rule{silent, {ID: "x", Events: enter, Geofences: notify.Selection{Tags: []string{"yards"}}}}, happened(notify.Enter, "van"), []string{"ann"}, notify.Hit},
		"another geofence":       {[]notify.Rule{silent, {ID: "x", Events: enter, Geofences: notify.Selection{IDs: []string{"depot"}}}}, happened(notify.Enter, "van"), nil, notify.MissGeofence},
		"in the window's night":  {[]notify.Rule{silent, {ID: "x", Events: enter, Schedule: berlin(notify.Hours{Days: []string{"wed"}, From: "22:00", To: "06:00"})}}, happened(notify.Enter, "van"), []string{"ann"}, notify.Hit},
		"the night after":        {[]notify.Rule{silent, {ID: "x", Events: enter, Schedule: berlin(notify.Hours{Days: []string{"thu"}, From: "22:00", To: "06:00"})}}, happened(notify.Enter, "van"), nil, notify.MissSchedule},
		"not sure enough":        {[]notify.Rule{silent, {ID: "x", Events: enter, Surely: 3}}, happened(notify.Enter, "van"), nil, notify.MissConfidence},
		"a stay, for the boss":   {[]notify.Rule{{ID: "x", Events: []notify.Kind{notify.Dwell}, To: boss}}, happened(notify.Dwell, "van"), []string{"boss"}, notify.Hit},
		"rules of another fleet": {[]notify.Rule{{ID: "x", Events: []notify.Kind{notify.Stopped}}}, notify.Event{Tenant: "other", Vehicle: "van", Kind: notify.Stopped}, nil, ""},
	} {
		r := fleet(c.rules...)
		if got := told(r, c.event); !slices.Equal(got, append([]string{}, c.want...)) {
			t.Errorf("%s: told %v, want %v", name, got, c.want)
		}
		for _, j := range r.Judge(c.event) {
			if j.Rule == "x" && j.Miss != c.miss {
				t.Errorf("%s: the rule is judged %q, want %q", name, j.Miss, c.miss)
			}
		}
	}
	late := happened(notify.Enter, "van")
	late.Late = true
	if got := told(fleet(), late); len(got) > 0 {
		t.Errorf("a late event is told to %v", got)
	}
}

// A schedule follows the clock on the wall: of the day on which clocks go forward it has an hour less, of the one on
// which they go back an hour more, minute by minute and for windows at any time.
func TestSchedulesFollowTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		day      time.Time
		from, to string
		want     int // minutes of the window that begins on the day
	}{
		{time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), "01:00", "04:00", 120},    // 02:00 to 03:00 is skipped
		{time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), "01:00", "04:00", 240},   // 02:00 to 03:00 comes twice
		{time.Date(2026, 6, 1, 0, 0, 0, 0, berlin), "01:00", "04:00", 180},     //
		{time.Date(2026, 3, 28, 0, 0, 0, 0, berlin), "22:00", "06:00", 420},    // the night to it
		{time.Date(2026, 10, 24, 0, 0, 0, 0, berlin), "22:00", "06:00", 540},   //
		{time.Date(2026, 6, 1, 0, 0, 0, 0, berlin), "00:00", "00:00", 24 * 60}, // a whole day
		{time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), "00:00", "00:00", 25 * 60},
	} {
		day := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}[c.day.Weekday()]
		hours := notify.Hours{Days: []string{day}, From: c.from, To: c.to}
		r := fleet(silent, notify.Rule{ID: "x", Events: []notify.Kind{notify.Enter}, Schedule: &notify.Schedule{TimeZone: "Europe/Berlin", Windows: []notify.Hours{hours}}})
		e, n := happened(notify.Enter, "van"), 0
		for e.At = c.day.Add(-time.Hour); e.At.Before(c.day.Add(50 * time.Hour)); e.At = e.At.Add(time.Minute) {
			n += len(r.Alerts(nil, e))
		}
		if n != c.want {
			t.Errorf("%s %s to %s holds %d minutes, want %d", c.day.Format("2006-01-02"), c.from, c.to, n, c.want)
		}
	}
	holiday := &notify.Schedule{TimeZone: "Europe/Berlin", Windows: []notify.Hours{{From: "22:00", To: "06:00"}}, Except: []string{"2026-11-25"}}
	r := fleet(silent, notify.Rule{ID: "x", Events: []notify.Kind{notify.Enter}, Schedule: holiday})
	if got := told(r, happened(notify.Enter, "van")); len(got) > 0 {
		t.Errorf("the night that begins on a holiday: told %v", got)
	}
}

func TestACooldownIsKeptByEventTimeAndOverARestart(t *testing.T) {
	t.Parallel()
	rule := notify.Rule{ID: "x", Events: []notify.Kind{notify.Enter}, Cooldown: 600}
	r := fleet(silent, rule)
	var record []notify.Delivery
	at := happened(notify.Enter, "van").At
	deliver := func(r *notify.Rules, after time.Duration, vehicle string) notify.Delivery {
		e := happened(notify.Enter, vehicle)
		e.At = at.Add(after)
		alerts := r.Alerts(nil, e)
		if len(alerts) != 1 {
			t.Fatalf("%d alerts", len(alerts))
		}
		d := r.Deliver(alerts[0], at.Add(time.Hour))
		record = append(record, d)
		return d
	}
	for _, c := range []struct {
		after   time.Duration
		vehicle string
		want    notify.State
	}{
		{0, "van", notify.Pending}, {time.Minute, "van", notify.Expired}, {2 * time.Minute, "bus", notify.Pending},
		{599 * time.Second, "van", notify.Expired}, {600 * time.Second, "van", notify.Pending},
	} {
		d := deliver(r, c.after, c.vehicle)
		if d.State != c.want || (d.State == notify.Expired) != (d.Reason == notify.ReasonCooldown) {
			t.Errorf("%s after %v: %s, %s", c.vehicle, c.after, d.State, d.Reason)
		}
	}
	fresh := fleet(silent, rule)
	fresh.Recent = func(context.Context, identity.TenantID, identity.VehicleID) ([]notify.Delivery, error) {
		return record, nil
	}
	if d := deliver(fresh, 700*time.Second, "van"); d.Reason != notify.ReasonCooldown {
		t.Errorf("after a restart: %s, %s", d.State, d.Reason)
	}
	if d := deliver(fresh, 1200*time.Second, "van"); d.State != notify.Pending {
		t.Errorf("when it is over after a restart: %s, %s", d.State, d.Reason)
	}
	deliver(fleet(silent, rule), 1900*time.Second, "van") // by another process
	fresh.Forget(func(_ identity.TenantID, vehicle identity.VehicleID) bool { return vehicle == "van" })
	if d := deliver(fresh, 2000*time.Second, "van"); d.Reason != notify.ReasonCooldown {
		t.Errorf("after another process told of it: %s, %s", d.State, d.Reason)
	}
}

func TestQuietHoursAreThoseOfThePerson(t *testing.T) {
	t.Parallel()
	rule := notify.Rule{ID: "x", Events: []notify.Kind{notify.Enter}, Quiet: &notify.QuietHours{From: "22:00", To: "07:00"}}
	high := rule
	high.Priority = notify.PriorityHigh
	e := happened(notify.Enter, "van")
	for name, c := range map[string]struct {
		rule notify.Rule
		now  time.Time
		next time.Time // zero: not quiet
	}{
		"at night":       {rule, e.At, time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)},
		"in the evening": {rule, time.Date(2026, 11, 25, 21, 30, 0, 0, time.UTC), time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)},
		"in the morning": {rule, time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC), time.Time{}},
		"high priority":  {high, e.At, time.Time{}},
	} {
		r := fleet(silent, c.rule)
		d := r.Deliver(r.Alerts(nil, e)[0], c.now)
		quiet := d.Reason == notify.ReasonQuietHours && d.State == notify.Held
		if quiet == c.next.IsZero() || quiet && !d.NextAt.Equal(c.next) {
			t.Errorf("%s: %s, %q, next %v", name, d.State, d.Reason, d.NextAt)
		}
	}
}

func TestWhatIsWrongWithARule(t *testing.T) {
	t.Parallel()
	bad := notify.Rule{
		Events: []notify.Kind{notify.Enter, "explode"}, Text: "{driver} came", To: notify.Recipients{NotOwners: true},
		Schedule: &notify.Schedule{TimeZone: "Mars/Base", Windows: []notify.Hours{{Days: []string{"mon", "monday"}}}, Except: []string{"24.12.2026"}},
	}
	var fields []string
	for _, f := range notify.CheckRule(&bad) {
		fields = append(fields, f.Field)
	}
	want := []string{"events[1]", "text", "to", "schedule.time_zone", "schedule.windows[0].days[1]", "schedule.except[0]"}
	if !slices.Equal(fields, want) {
		t.Errorf("faults of %v, want %v", fields, want)
	}
	if faults := notify.CheckRule(&notify.Rule{Events: notify.Kinds(), Text: "{vehicle} at {fence}, {time}"}); len(faults) > 0 {
		t.Errorf("faults of a good rule: %v", faults)
	}
}

// A fence that is one person's is no rule's business: that person hears of it, whatever rules say, and nobody else does.
func TestAFenceOfOnesOwnIsNobodyElsesNews(t *testing.T) {
	t.Parallel()
	e := happened(notify.Enter, "van")
	e.Private = "ann"
	everybody := notify.Rule{ID: "x", Events: notify.Kinds(), To: notify.Recipients{Owners: []identity.OwnerID{"boss"}}}
	if got := told(fleet(silent, everybody), e); !slices.Equal(got, []string{"ann"}) {
		t.Errorf("told %v", got)
	}
	e.Private = "boss" // who does not own the van
	if got := told(fleet(everybody), e); len(got) > 0 {
		t.Errorf("of a fence of somebody who does not own the vehicle: told %v", got)
	}
}

func TestHighPriorityKnowsNoQuietHours(t *testing.T) {
	t.Parallel()
	now := happened(notify.Enter, "van").At
	for _, high := range []bool{false, true} {
		rule := notify.Rule{ID: "x", Events: []notify.Kind{notify.Enter}}
		if high {
			rule.Priority = notify.PriorityHigh
		}
		a := fleet(silent, rule).Alerts(nil, happened(notify.Enter, "van"))[0]
		c := notify.Claim{Delivery: notify.Delivery{Alert: a}, LastAction: now}
		p := notify.PlanFor(c, notify.Situation{Asleep: now.Add(time.Hour)}, now)
		if held := p.Reason == notify.ReasonQuietHours; held == high {
			t.Errorf("high priority %v: the plan is %+v", high, p)
		}
	}
}
