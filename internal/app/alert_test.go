package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"outrider/simulator"
	"outrider/simulator/graph"
	"outrider/telemetry"
)

func TestAPositionBecomesAMessageInsideTheWindow(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "Größe? 🚚")
	must(t, err)
	eventually(t, "the webhook was taken", func() bool { return r.sandbox.Webhooks().Sent > 0 })

	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	var got []graph.Message
	eventually(t, "two messages", func() bool { got = r.sandbox.Messages(); return len(got) >= 2 })
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	for i, verb := range []string{"entered", "left"} {
		m := got[i]
		if m.PSID != "70001" || m.Type != "UPDATE" || !m.InWindow {
			t.Errorf("message %d is %+v", i, m)
		}
		clock := time.Now().In(berlin).Format("15:") // the minute may have changed; the zone has not
		if !strings.Contains(m.Text, "Van of ann") || !strings.Contains(m.Text, "The yard") || !strings.Contains(m.Text, verb) ||
			!strings.Contains(m.Text, clock) && time.Now().Minute() > 1 {
			t.Errorf("message %d says %q", i, m.Text)
		}
	}
	eventually(t, "both are marked as sent, with their route", func() bool { // an echo may be quicker than Meta's answer
		sent := r.items(t, "deliveries?state=sent")
		return len(sent) == 2 && sent[0]["route"] != nil && sent[1]["route"] != nil
	})
	for _, d := range r.items(t, "deliveries") {
		if d["route"] != "window" || d["message_id"] == "" || d["vehicle"] != "van" || d["fence"] != "yard" {
			t.Errorf("delivery is %v", d)
		}
	}
	if n := len(r.items(t, "crossings?vehicle=van")); n != 2 {
		t.Errorf("%d crossings, want 2", n)
	}
}

func TestOutsideTheWindowATemplateIsMadeAndAwaited(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	var got []graph.Message
	eventually(t, "two messages", func() bool { got = r.sandbox.Messages(); return len(got) >= 2 })
	for _, m := range got {
		if m.Type != "UTILITY" || m.Template == "" || m.InWindow || !strings.Contains(m.Text, "Van of ann") || !strings.Contains(m.Text, "The yard") {
			t.Errorf("message is %+v", m)
		}
	}
	// The person taps the button: that opens the window, and the next alert is a plain message.
	eventually(t, "the webhooks of before were taken", func() bool { return r.sandbox.Webhooks().Waiting == 0 })
	before := r.sandbox.Webhooks().Sent
	must(t, r.sandbox.Tap(page, "70001", got[0].Buttons[0].Payload))
	eventually(t, "the tap was taken", func() bool { return r.sandbox.Webhooks().Sent > before })
	r.circle(t, "home", 11.6, 48.1)
	r.call(t, http.MethodPut, "vehicles/car", map[string]any{"name": "Car of ann", "owner": "ann"}, http.StatusOK)
	driveThrough(t, r.connect(t, "box2"), "fleet/default/car/fix", 11.6, 48.1)
	eventually(t, "four messages", func() bool { got = r.sandbox.Messages(); return len(got) >= 4 })
	if got[2].Type != "UPDATE" {
		t.Errorf("after the tap: %+v", got[2])
	}
}

func TestWhatCannotBeSentIsHeldWithItsReason(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.call(t, http.MethodPut, "owners/ben", map[string]any{"name": "Ben"}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/van", map[string]any{"name": "Van", "owner": "ben"}, http.StatusOK)
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "two held deliveries", func() bool { return len(r.items(t, "deliveries?state=held")) == 2 })
	if d := r.items(t, "deliveries")[0]; d["reason"] != "no_contact" || d["detail"] == "" {
		t.Errorf("delivery is %v", d)
	}
	if got := r.sandbox.Messages(); len(got) > 0 {
		t.Errorf("sent %+v", got)
	}
	if n := r.metric(t, `outrider_alerts_total{result="no_contact"}`); n != 2 {
		t.Errorf("counted %v, want 2", n)
	}
}

func TestAnUnknownVehicleIsAcceptedAndShownAsUnclaimed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "box"), "owntracks-no/box", 11.5, 48.1) // refused: no such topic
	driveThrough(t, r.connect(t, "box"), "fleet/default/stray/fix", 11.5, 48.1)
	eventually(t, "two crossings", func() bool { return len(r.items(t, "crossings?vehicle=stray")) == 2 })
	eventually(t, "the vehicle is listed", func() bool {
		for _, v := range r.items(t, "vehicles") {
			if v["id"] == "stray" {
				return v["claimed"] == false && v["last_fix"] != nil
			}
		}
		return false
	})
	if n := r.metric(t, `outrider_alerts_total{result="no_owner"}`); n != 2 {
		t.Errorf("counted %v, want 2", n)
	}
	if n := r.metric(t, `outrider_refused_total{reason="topic"}`); n != 60 {
		t.Errorf("counted %v refused topics, want 60", n)
	}
}

// TestTheTruthEqualsTheDeliveries drives a fleet through the whole gateway and compares what people received
// with what the simulator knows.
func TestTheTruthEqualsTheDeliveries(t *testing.T) {
	t.Parallel()
	for _, format := range []simulator.Format{simulator.Native, simulator.OwnTracks} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			compareFleet(t, format)
		})
	}
}

func compareFleet(t *testing.T, format simulator.Format) {
	const speed = 30
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	start := time.Now().Truncate(time.Second)
	var clock atomic.Pointer[func() time.Time]
	still := func() time.Time { return start }
	clock.Store(&still)
	r := newRigAt(t, map[string]string{"alerts.settle": "1h"}, func() time.Time { return (*clock.Load())() })
	o := simulator.FleetOptions{Vehicles: 30, Seed: seed, Start: start}
	if format == simulator.OwnTracks {
		o.WholeSeconds, o.Name = true, simulator.UserDevice
	}
	fleet := simulator.NewFleet(simulator.NewCity(seed), o)
	for _, f := range fleet.City().Fences {
		r.call(t, http.MethodPut, "geofences/"+f.ID, string(f.GeoJSON()), http.StatusOK)
	}
	vehicles := map[string]telemetry.VehicleID{}
	for i, v := range fleet.Vehicles() {
		psid := fmt.Sprint(80000 + i)
		vehicles[psid] = v
		r.own(t, strings.ReplaceAll(string(v), "/", "%2F"), fmt.Sprint("owner", i), psid)
	}
	p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{
		URL: "tcp://" + r.app.MQTTAddr().String(), Format: format, Speed: speed, Duration: 8 * time.Minute, Connections: 3,
	})
	must(t, err)
	// The clock is that of the newest published fix: when the machine stalls, so does time, and nothing comes late.
	driven := func() time.Time { return later(start, p.Stats().Newest) }
	clock.Store(&driven)
	must(t, p.Run(t.Context()))
	running := fastClock(driven(), speed) // what waits for time to pass gets it
	clock.Store(&running)

	var report simulator.Report
	waitFor(30*time.Second, func() bool {
		report = simulator.Match(p.Truth(), told(t, r, vehicles), 15*time.Second)
		return len(report.Missing) == 0
	})
	if !report.Exact() || report.Expected < 20 {
		t.Errorf("%v", report)
	}
	t.Logf("%v; worst time error %v", report, report.WorstError())
}

// told lists what people received.
func told(t *testing.T, r *rig, vehicles map[string]telemetry.VehicleID) []simulator.Observed {
	t.Helper()
	at := map[string]map[string]any{}
	for _, c := range r.items(t, "deliveries?limit=1000") {
		at[c["id"].(string)] = c
	}
	var all []simulator.Observed
	for _, m := range r.sandbox.Messages() {
		d, ok := at[m.Metadata]
		if !ok {
			continue // came after the list
		}
		when, err := time.Parse(time.RFC3339Nano, d["at"].(string))
		must(t, err)
		all = append(all, simulator.Observed{
			Vehicle: vehicles[m.PSID], Fence: d["fence"].(string), Kind: simulator.Kind(d["kind"].(string)), Time: when,
		})
	}
	return all
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
