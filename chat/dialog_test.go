package chat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"outrider/chat"
	"outrider/identity"
	"outrider/telemetry"
)

var noon = time.Date(2026, 11, 26, 11, 0, 0, 0, time.UTC) // noon in Berlin

// fakeFleet is a fleet of two owners in memory.
type fakeFleet struct {
	owners  map[identity.PSID]identity.Owner
	cars    map[identity.OwnerID][]chat.Named
	fixes   map[identity.VehicleID]telemetry.Fix
	places  []chat.Place
	events  []chat.Event
	fences  []chat.Fence
	fail    error
	open    map[identity.Contact]string
	seen    []string
	until   time.Time
	circles []chat.Circle
	picture string
	asked   []identity.VehicleID // whose position or history was read
}

func newFleet() *fakeFleet {
	fix := telemetry.NewFix("acme", "van-12", noon.Add(-20*time.Second), orb.Point{11.5755, 48.1374})
	fix.Speed, fix.Ignition, fix.Battery = 9.5, telemetry.Yes, 81.4
	secret := telemetry.NewFix("acme", "secret", noon, orb.Point{1, 2})
	return &fakeFleet{
		owners: map[identity.PSID]identity.Owner{
			"7001": {Tenant: "acme", ID: "ann", TimeZone: "Europe/Berlin"},
			"7002": {Tenant: "acme", ID: "bob", TimeZone: "Europe/Berlin"},
			"7003": {Tenant: "acme", ID: "eve"},
		},
		cars: map[identity.OwnerID][]chat.Named{
			"ann": {{"van-12", "Van 12"}}, "bob": {{"secret", "Secret van"}, {"van-2", "Van 2"}},
		},
		fixes:  map[identity.VehicleID]telemetry.Fix{"van-12": fix, "secret": secret},
		fences: []chat.Fence{{Named: chat.Named{"depot", "Depot"}}, {Named: chat.Named{"school", "School"}}},
		open:   map[identity.Contact]string{},
	}
}

func (f *fakeFleet) Owner(_ identity.PageID, psid identity.PSID) (identity.Owner, bool) {
	o, ok := f.owners[psid]
	return o, ok
}
func (f *fakeFleet) Vehicles(o identity.Owner) []chat.Named { return f.cars[o.ID] }
func (f *fakeFleet) LastFix(_ context.Context, _ identity.TenantID, v identity.VehicleID) (telemetry.Fix, bool, error) {
	f.asked = append(f.asked, v)
	fix, ok := f.fixes[v]
	return fix, ok, f.fail
}
func (f *fakeFleet) Places(identity.Owner, telemetry.Fix) []chat.Place { return f.places }
func (f *fakeFleet) Events(_ context.Context, _ identity.Owner, v identity.VehicleID, since time.Time) ([]chat.Event, error) {
	f.asked = append(f.asked, v)
	return slices.DeleteFunc(slices.Clone(f.events), func(e chat.Event) bool { return e.At.Before(since) }), f.fail
}
func (f *fakeFleet) Fences(_ context.Context, o identity.Owner) ([]chat.Fence, error) {
	return slices.DeleteFunc(slices.Clone(f.fences), func(g chat.Fence) bool { return g.Own && o.ID != "ann" }), f.fail
}
func (f *fakeFleet) PageName(identity.PageID) string { return "Acme Fleet" }
func (f *fakeFleet) SetMutes(_ context.Context, o identity.Owner, mutes []identity.Mute) error {
	return f.set(o.ID, func(o *identity.Owner) { o.Mutes = mutes })
}
func (f *fakeFleet) SetLocale(_ context.Context, o identity.Owner, locale string) error {
	return f.set(o.ID, func(o *identity.Owner) { o.Locale = locale })
}

func (f *fakeFleet) SetQuiet(_ context.Context, o identity.Owner, q identity.Quiet) error {
	return f.set(o.ID, func(o *identity.Owner) { o.Quiet = q })
}
func (f *fakeFleet) SetOnce(_ context.Context, o identity.Owner, once []identity.Once) error {
	return f.set(o.ID, func(o *identity.Owner) { o.Once = once })
}
func (f *fakeFleet) PutFence(_ context.Context, o identity.Owner, c chat.Circle) error {
	f.fences = append(slices.DeleteFunc(f.fences, func(g chat.Fence) bool { return g.ID == c.ID }), chat.Fence{Named: c.Named, Own: true})
	f.circles = append(f.circles, c)
	return f.fail
}
func (f *fakeFleet) RemoveFence(_ context.Context, _ identity.Owner, id string) error {
	f.fences = slices.DeleteFunc(f.fences, func(g chat.Fence) bool { return g.ID == id })
	return f.fail
}
func (f *fakeFleet) Acknowledge(_ context.Context, o identity.Owner, c identity.Contact, alert, by string) error {
	f.seen = append(f.seen, string(o.ID)+" "+string(c.PSID)+" "+alert+" "+by)
	return f.fail
}
func (f *fakeFleet) Picture(identity.Owner, identity.VehicleID) string { return f.picture }
func (f *fakeFleet) Ask(_ context.Context, c identity.Contact, q string, until time.Time) error {
	f.open[c], f.until = q, until
	return f.fail
}
func (f *fakeFleet) Asked(_ context.Context, c identity.Contact, now time.Time) (string, error) {
	if !now.Before(f.until) {
		return "", f.fail
	}
	return f.open[c], f.fail
}

func (f *fakeFleet) set(id identity.OwnerID, change func(*identity.Owner)) error {
	for psid, o := range f.owners {
		if o.ID == id {
			change(&o)
			f.owners[psid] = o
		}
	}
	return f.fail
}

func newDialog(f *fakeFleet) *chat.Dialog {
	return chat.New(chat.Options{Fleet: f, Now: func() time.Time { return noon }})
}

// unsigned takes the signatures off what buttons send back, to compare them.
func unsigned(r chat.Reply) chat.Reply {
	for i := range r.Taps {
		r.Taps[i].Payload, _, _ = strings.Cut(r.Taps[i].Payload, "!")
	}
	return r
}

// ask says something as a person and returns the answer, which must keep Messenger's limits.
func ask(t *testing.T, d *chat.Dialog, psid identity.PSID, text, payload string) chat.Reply {
	t.Helper()
	if payload != "" {
		payload = identity.Signet{}.Sign(identity.Contact{Page: "1", PSID: psid}, payload, noon)
	}
	r, err := d.Answer(t.Context(), chat.Message{Page: "1", PSID: psid, Text: text, Payload: payload})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if r.Closes {
		if err := d.Close(t.Context(), "1", psid); err != nil {
			t.Fatal(err)
		}
	}
	if utf8.RuneCountInString(r.Text) >= 2000 || len(r.Taps) > chat.MostTaps {
		t.Errorf("%q: %d characters, %d taps", text, len(r.Text), len(r.Taps))
	}
	for _, tap := range r.Taps {
		if tap.Title == "" || utf8.RuneCountInString(tap.Title) > 20 || tap.Payload == "" || len(tap.Payload) >= 1000 {
			t.Errorf("%q: tap %+v", text, tap)
		}
	}
	return unsigned(r)
}

func TestWhereIsMyCar(t *testing.T) {
	t.Parallel()
	f := newFleet()
	d := newDialog(f)
	const link = "https://www.openstreetmap.org/?mlat=48.13740&mlon=11.57550#map=16/48.13740/11.57550"
	for _, x := range []struct {
		places []chat.Place
		want   string
	}{
		{nil, "Van 12 is at 48.1374, 11.5755. It is driving at 34 km/h.\nPosition of 20 seconds ago.\nMap: " + link},
		{[]chat.Place{{Fence: "Depot", Inside: true}, {Fence: "Old town", Inside: true}, {Fence: "School", Distance: 5}}, "Van 12 is in Depot and Old town. It is driving at 34 km/h.\nPosition of 20 seconds ago.\nMap: " + link},
		{[]chat.Place{{Fence: "Depot", Distance: 1234, Bearing: -91}}, "Van 12 is 1.2 km west of Depot. It is driving at 34 km/h.\nPosition of 20 seconds ago.\nMap: " + link},
	} {
		f.places = x.places
		if r := ask(t, d, "7001", "where is my car?", ""); r.Text != x.want {
			t.Errorf("got  %q\nwant %q", r.Text, x.want)
		}
	}
	fix := f.fixes["van-12"]
	fix.Time = noon.Add(-3 * time.Hour)
	f.fixes["van-12"], f.places = fix, []chat.Place{{Fence: "Depot", Inside: true}}
	if r := ask(t, d, "7001", "where", ""); r.Text != "Van 12 was last seen 3 hours ago, in Depot.\nMap: "+link {
		t.Errorf("an old position: %q", r.Text)
	}
	delete(f.fixes, "van-12")
	if r := ask(t, d, "7001", "where", ""); r.Text != "Nothing has been heard of Van 12 yet." {
		t.Errorf("no position: %q", r.Text)
	}
}

func TestStatusTellsTheBattery(t *testing.T) {
	t.Parallel()
	f := newFleet()
	if r := ask(t, newDialog(f), "7001", "battery", ""); !strings.Contains(r.Text, "Ignition: on. Battery: 81 %. Last heard") {
		t.Errorf("%q", r.Text)
	}
	fix := f.fixes["van-12"]
	fix.Battery = telemetry.Unknown()
	f.fixes["van-12"] = fix
	if r := ask(t, newDialog(f), "7001", "status", ""); strings.Contains(r.Text, "Battery") || strings.Contains(r.Text, "  ") {
		t.Errorf("%q", r.Text)
	}
}

func TestSeveralVehicles(t *testing.T) {
	t.Parallel()
	d := newDialog(newFleet())
	r := ask(t, d, "7002", "where is my car", "")
	if r.Text != "Which vehicle do you mean?" || len(r.Taps) != 2 || r.Taps[1] != (chat.Tap{Title: "Van 2", Payload: "WHERE:van-2"}) {
		t.Fatalf("%+v", r)
	}
	if r := ask(t, d, "7002", r.Taps[1].Title, r.Taps[1].Payload); !strings.Contains(r.Text, "Van 2") {
		t.Errorf("after the tap: %q", r.Text)
	}
	if r := ask(t, d, "7003", "where is my car", ""); !strings.HasPrefix(r.Text, "No vehicle is registered") {
		t.Errorf("without a vehicle: %q", r.Text)
	}
}

// Whatever a person writes or taps, they learn of their own vehicles only.
func TestNobodyLearnsOfOthersVehicles(t *testing.T) {
	t.Parallel()
	for _, intent := range append(chat.Intents(), chat.Buttons()...) {
		for _, argument := range []string{"secret", "secret:3600", "secret:depot", "se%63ret", "../secret", ":secret", "secret%00", "%zz"} {
			f := newFleet()
			r := ask(t, newDialog(f), "7001", "x", string(intent)+":"+argument)
			if slices.Contains(f.asked, "secret") || strings.Contains(r.Text, "Secret") {
				t.Errorf("%s:%s: %q, asked of %v", intent, argument, r.Text, f.asked)
			}
			for _, m := range f.owners["7001"].Mutes {
				if m.Vehicle == "secret" {
					t.Errorf("%s:%s muted %+v", intent, argument, m)
				}
			}
		}
	}
	f := newFleet()
	if r := ask(t, newDialog(f), "7001", "where is secret van", ""); strings.Contains(r.Text, "Secret") || slices.Contains(f.asked, "secret") {
		t.Errorf("by name: %q", r.Text)
	}
	if r := ask(t, newDialog(f), "9999", "where is my car", ""); !strings.HasPrefix(r.Text, "I do not know you") || len(f.asked) > 1 {
		t.Errorf("a stranger: %q", r.Text)
	}
}

func TestMuting(t *testing.T) {
	t.Parallel()
	f := newFleet()
	d := newDialog(f)
	mutes := func() []identity.Mute { return f.owners["7001"].Mutes }
	steps := []struct {
		text, payload, says string
		want                []identity.Mute
	}{
		{"mute for 2 hours", "", "No alerts of Van 12 until 14:00.", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(2 * time.Hour)}}},
		{"Mute for 1 hour", "MUTE:van-12:3600", "No alerts of Van 12 until 13:00.", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(time.Hour)}}},
		{"Turn this fence off", "OFF:van-12:depot", "No more alerts of Depot for Van 12.", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(time.Hour)}, {Vehicle: "van-12", Fence: "depot"}}},
		{"my alerts", "", "Muted: Van 12 until 13:00.\nOff: Van 12, Depot.", nil},
		{"alerts on", "", "Alerts are on again.", nil},
		{"mute Depot for 2 hours", "", "No alerts of Depot until 14:00.", []identity.Mute{{Fence: "depot", Until: noon.Add(2 * time.Hour)}}},
		{"mute van 12 at school until tomorrow", "", "No alerts of Van 12, School until 27.11. 00:00.", []identity.Mute{{Fence: "depot", Until: noon.Add(2 * time.Hour)}, {Vehicle: "van-12", Fence: "school", Until: noon.Add(12 * time.Hour)}}},
		{"my alerts", "", "Muted: Depot until 14:00.\nMuted: Van 12, School until 27.11. 00:00.", nil},
		{"alerts on", "", "Alerts are on again.", nil},
		{"mute until tomorrow", "", "No alerts of Van 12 until 27.11. 00:00.", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(12 * time.Hour)}}},
		{"stop", "", "You get no more messages", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(12 * time.Hour)}, {}}},
		{"stop", "", "You get no more messages", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(12 * time.Hour)}, {}}},
		{"where is my car", "", "Van 12 is", []identity.Mute{{Vehicle: "van-12", Until: noon.Add(12 * time.Hour)}, {}}},
		{"START", "START:", "Welcome back", nil},
	}
	for _, s := range steps {
		r := ask(t, d, "7001", s.text, s.payload)
		if !strings.Contains(r.Text, s.says) {
			t.Errorf("%s: %q, want %q", s.text, r.Text, s.says)
		}
		if s.text != "my alerts" && !slices.Equal(mutes(), s.want) {
			t.Errorf("%s: %v, want %v", s.text, mutes(), s.want)
		}
	}
}

func TestHistoryOfToday(t *testing.T) {
	t.Parallel()
	f := newFleet()
	f.events = []chat.Event{
		{"exit", "Depot", noon.Add(-13 * time.Hour)}, // yesterday, in Berlin
		{"exit", "Depot", noon.Add(-3 * time.Hour)}, {"enter", "School", noon.Add(-2 * time.Hour)},
	}
	d := newDialog(f)
	if r := ask(t, d, "7001", "what happened today", ""); r.Text != "Van 12 today:\n09:00 left Depot\n10:00 entered School" {
		t.Errorf("%q", r.Text)
	}
	for i := range 30 {
		f.events = append(f.events, chat.Event{"enter", fmt.Sprintf("Fence %d", i), noon})
	}
	if r := ask(t, d, "7001", "today", ""); !strings.HasSuffix(r.Text, "… and 20 more") {
		t.Errorf("a long day: %q", r.Text)
	}
	f.events = nil
	if r := ask(t, d, "7001", "today", ""); r.Text != "Van 12 has crossed no geofence today." {
		t.Errorf("a quiet day: %q", r.Text)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	f := newFleet()
	d := newDialog(f)
	if r := ask(t, d, "7001", "language", ""); len(r.Taps) != 6 {
		t.Errorf("%+v", r)
	}
	if r := ask(t, d, "7001", "Deutsch", "LANGUAGE:de"); r.Text != "Ab jetzt spreche ich Deutsch." || f.owners["7001"].Locale != "de" {
		t.Errorf("%q, %q", r.Text, f.owners["7001"].Locale)
	}
	if r := ask(t, d, "7001", "wo ist mein auto", ""); !strings.HasPrefix(r.Text, "Van 12 ist bei 48.1374, 11.5755. Es fährt mit 34 km/h.\nPosition von vor 20 Sekunden.") {
		t.Errorf("%q", r.Text)
	}
}

func TestWhatIsNotUnderstoodIsAnswered(t *testing.T) {
	t.Parallel()
	d := newDialog(newFleet())
	for _, text := range []string{"😀", "the weather is fine", strings.Repeat("x", 2000), "NOSUCH:thing"} {
		if r := ask(t, d, "7001", text, ""); !strings.Contains(r.Text, "did not understand") || len(r.Taps) == 0 {
			t.Errorf("%q: %+v", text, r)
		}
	}
	r, err := d.Answer(t.Context(), chat.Message{Page: "1", PSID: "7001", Blind: true})
	if err != nil || !strings.Contains(r.Text, "words only") || len(r.Taps) == 0 {
		t.Errorf("a sticker: %+v, %v", r, err)
	}
	if r := ask(t, d, "7001", "who are you", ""); r.Text != "I am the automatic assistant of Acme Fleet: a program, not a person." {
		t.Errorf("%q", r.Text)
	}
}

// A flood is answered once, and then not: until the person has calmed down.
func TestFlood(t *testing.T) {
	t.Parallel()
	now := noon
	d := chat.New(chat.Options{Fleet: newFleet(), Now: func() time.Time { return now }})
	slow, silent := 0, 0
	for range 100 {
		switch r := ask(t, d, "7001", "where", ""); {
		case strings.HasPrefix(r.Text, "One moment"):
			slow++
		case r.Text == "":
			silent++
		}
	}
	if slow != 1 || silent != 79 {
		t.Errorf("%d polite answers and %d silences, want 1 and 79", slow, silent)
	}
	if r := ask(t, d, "7002", "help", ""); r.Text == "" {
		t.Error("somebody else has to wait, too")
	}
	now = now.Add(time.Minute)
	if r := ask(t, d, "7001", "where", ""); !strings.HasPrefix(r.Text, "Van 12") {
		t.Errorf("after a minute: %q", r.Text)
	}
}

func TestErrorsAreGivenBack(t *testing.T) {
	t.Parallel()
	f := newFleet()
	f.fail = errors.New("disk full")
	for _, text := range []string{"where", "status", "today", "geofences", "mute", "stop", "deutsch"} {
		if _, err := newDialog(f).Answer(t.Context(), chat.Message{Page: "1", PSID: "7001", Text: text}); !errors.Is(err, f.fail) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
