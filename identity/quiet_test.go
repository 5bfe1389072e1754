package identity_test

import (
	"testing"
	"time"

	"outrider/identity"
)

func TestQuietUntil(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	night, noon := identity.Quiet{From: 22 * 60, To: 7 * 60}, identity.Quiet{From: 12 * 60, To: 13*60 + 30}
	for _, x := range []struct {
		q         identity.Quiet
		now, want string
	}{
		{night, "2026-11-26T21:59:00+01:00", ""},
		{night, "2026-11-26T22:00:00+01:00", "2026-11-27T07:00:00+01:00"},
		{night, "2026-12-31T23:00:00+01:00", "2027-01-01T07:00:00+01:00"},
		{night, "2026-11-26T06:59:00+01:00", "2026-11-26T07:00:00+01:00"},
		{night, "2026-11-26T07:00:00+01:00", ""},
		{night, "2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"}, // the clocks go back in between
		{noon, "2026-11-26T12:00:00Z", "2026-11-26T13:30:00+01:00" /* it is 13:00 there */},
		{noon, "2026-11-26T11:59:00+01:00", ""},
		{identity.Quiet{}, "2026-11-26T03:00:00Z", ""},
	} {
		o := identity.Owner{TimeZone: "Europe/Berlin", Quiet: x.q}
		end, inside := o.QuietUntil(at(x.now))
		if inside != (x.want != "") || inside && !end.Equal(at(x.want)) {
			t.Errorf("%+v at %s: %v %v, want %s", x.q, x.now, end, inside, x.want)
		}
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	o := identity.Owner{Once: []identity.Once{
		{ID: "1", Vehicle: "van", Kind: "enter", Fence: "depot", Since: now, Until: now.Add(time.Hour)},
		{ID: "2", Vehicle: "van", Kind: "exit", Since: now, Until: now.Add(time.Hour)},
	}}
	for _, x := range []struct {
		vehicle     identity.VehicleID
		kind, fence string
		after       time.Duration
		want        string
	}{
		{"van", "enter", "depot", 0, "1"}, {"van", "enter", "yard", 0, ""}, {"van", "exit", "yard", time.Minute, "2"},
		{"car", "exit", "yard", 0, ""}, {"van", "exit", "yard", -time.Second, ""}, {"van", "exit", "yard", time.Hour, ""},
	} {
		if w, ok := o.Wants(x.vehicle, x.kind, x.fence, now.Add(x.after)); w.ID != x.want || ok != (x.want != "") {
			t.Errorf("%+v: %+v", x, w)
		}
	}
}
