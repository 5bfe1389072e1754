package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"outrider/simulator/graph"
)

// talk says words, or taps a button of the newest message that has one with this title.
func (r *rig) talk(t *testing.T, psid, text string) {
	t.Helper()
	_, err := r.sandbox.Say(page, psid, text)
	must(t, err)
}

// button finds a button by its title in a person's thread.
func (r *rig) button(t *testing.T, psid, title string) graph.Button {
	t.Helper()
	var found graph.Button
	eventually(t, "a button "+title, func() bool {
		for _, m := range r.sandbox.Thread(page, psid) {
			for _, b := range m.Buttons {
				if b.Title == title {
					found = b
				}
			}
		}
		return found.Title != ""
	})
	return found
}

// parked publishes a position of a minute ago and waits until it is known.
func (r *rig) parked(t *testing.T, vehicle string, lon, lat float64) {
	t.Helper()
	c := r.connect(t, "parked-"+vehicle)
	publish(t, c, "fleet/default/"+vehicle+"/fix", fmt.Sprintf(`{"t":%d,"lat":%g,"lon":%g,"spd":0.1}`, time.Now().Add(-time.Hour).Unix(), lat, lon))
	eventually(t, "the position is known", func() bool {
		return r.call(t, http.MethodGet, "vehicles/"+vehicle, nil, http.StatusOK)["last_fix"] != nil
	})
}

// alertsOf counts the sent alerts of an owner.
func (r *rig) alertsOf(t *testing.T, owner, reason string) (n int) {
	t.Helper()
	for _, d := range r.items(t, "deliveries") {
		if d["owner"] == owner && d["kind"] != "reply" && (reason == "" && d["state"] == "sent" || reason != "" && d["reason"] == reason) {
			n++
		}
	}
	return n
}

// A fence that an owner puts by chat is theirs: an admin sees whose it is, two owners of one vehicle are not both told,
// and the other one learns of it in no answer.
func TestAFenceOfOnesOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"chat.mode": "builtin"})
	r.own(t, "van", "ann", "7001")
	must(t, r.sandbox.AddPerson(page, "7002", "bob"))
	r.call(t, http.MethodPut, "owners/bob", map[string]any{"contacts": []any{map[string]any{"page": page, "psid": "7002"}}}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/van", map[string]any{"name": "Van", "owners": []string{"ann", "bob"}}, http.StatusOK)
	r.parked(t, "van", 11.5755, 48.1374)
	r.talk(t, "7001", "put a fence of 100 m here")
	r.hears(t, "7001", "What shall the geofence around Van be called?")
	r.stop(t) // what was asked is known to the next process
	r.start(t)
	r.talk(t, "7001", "Annas Hideout")
	r.hears(t, "7001", "Annas Hideout is there: 100 m around Van.")

	list, err := json.Marshal(r.call(t, http.MethodGet, "geofences", nil, http.StatusOK))
	must(t, err)
	if !strings.Contains(string(list), `"owner":"ann"`) || !strings.Contains(string(list), "Annas Hideout") {
		t.Errorf("an admin sees %s", list)
	}
	r.talk(t, "7002", "hello")
	driveThrough(t, r.connect(t, "van"), "fleet/default/van/fix", 11.5755, 48.1374)
	eventually(t, "the owner is told", func() bool { return r.alertsOf(t, "ann", "") >= 1 })
	for _, question := range []string{"where is my car", "today", "geofences", "remove fence Annas Hideout", "tell me when it arrives at Annas Hideout", "my alerts", "status"} {
		r.talk(t, "7002", question)
	}
	eventually(t, "seven answers and a greeting", func() bool { return len(r.sandbox.Thread(page, "7002")) >= 8 })
	for _, m := range r.sandbox.Thread(page, "7002") {
		if strings.Contains(fmt.Sprint(m), "Hideout") || strings.Contains(fmt.Sprint(m), "own-") {
			t.Errorf("bob learns of it: %+v", m)
		}
	}
	if n := r.alertsOf(t, "bob", ""); n > 0 {
		t.Errorf("bob was told %d times", n)
	}
	r.talk(t, "7001", "remove fence Annas Hideout")
	r.hears(t, "7001", "Annas Hideout is removed.")
	if left := r.call(t, http.MethodGet, "geofences", nil, http.StatusOK); strings.Contains(fmt.Sprint(left), "Hideout") {
		t.Errorf("left: %v", left)
	}
}

// In quiet hours alerts wait; what was asked for one time comes all the same, and comes once.
func TestQuietHoursAndOnce(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // how far the clock of the gateway and of Meta goes before the machine's
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	r := newRigAt(t, map[string]string{"chat.mode": "builtin"}, now)
	r.own(t, "van", "ann", "7001")
	r.circle(t, "depot", 11.5755, 48.1374)
	local := time.Now().In(zone(t, "Europe/Berlin"))
	r.talk(t, "7001", fmt.Sprintf("quiet hours from %s to %s", local.Add(-2*time.Hour).Format("15:04"), local.Add(2*time.Hour).Format("15:04")))
	r.hears(t, "7001", "No alerts from")
	r.talk(t, "7001", "tell me when it leaves The depot")
	r.hears(t, "7001", "I tell you once, when Van of ann leaves The depot.")
	ahead.Store(int64(2 * time.Minute)) // only what happens after the wish counts
	c := r.connect(t, "van")
	begin := now().Add(-time.Minute)
	for i := range 60 {
		publish(t, c, "fleet/default/van/fix", fmt.Sprintf(`{"t":%.3f,"lat":%.7f,"lon":%.7f,"spd":10,"hdg":0,"acc":4}`,
			float64(begin.UnixMilli())/1000+float64(i), 48.1374+float64(10*i-300)/111_195, 11.5755))
	}
	eventually(t, "the exit was told", func() bool { return r.alertsOf(t, "ann", "") == 1 })
	eventually(t, "the rest waits", func() bool { return r.alertsOf(t, "ann", "quiet_hours") == 1 })
	r.hears(t, "7001", "left The depot")
	r.talk(t, "7001", "my alerts")
	if m := r.hears(t, "7001", "Quiet hours:"); strings.Contains(m.Text, "I tell you once") {
		t.Errorf("the wish is still there: %s", m.Text)
	}
}

// Who taps a button of an alert has seen it: the record says so, of the message and of the crossing.
func TestAnAlertIsAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"chat.mode": "builtin"})
	r.own(t, "van", "ann", "7001")
	r.own(t, "car", "bob", "7002")
	r.circle(t, "depot", 11.5755, 48.1374)
	r.talk(t, "7001", "hello")
	r.hears(t, "7001", "You can ask me")
	driveThrough(t, r.connect(t, "van"), "fleet/default/van/fix", 11.5755, 48.1374)
	gotIt := r.button(t, "7001", "Got it")
	err := r.sandbox.Tap(page, "7002", gotIt.Payload)
	must(t, err)
	r.hears(t, "7002", "That button was not made for you")
	for _, d := range r.items(t, "deliveries?vehicle=van") {
		if d["acknowledged_at"] != nil {
			t.Errorf("another person's tap counts: %v", d)
		}
	}
	err = r.sandbox.Tap(page, "7001", gotIt.Payload)
	must(t, err)
	r.hears(t, "7001", "Noted: you have seen it.")
	seen := 0
	for _, d := range r.items(t, "deliveries?vehicle=van") {
		if d["acknowledged_at"] != nil && d["acknowledged_by"] == "ACK" {
			seen++
		}
	}
	var by []any
	for _, c := range r.items(t, "crossings?vehicle=van") {
		if list, ok := c["acknowledged"].([]any); ok {
			by = append(by, list...)
		}
	}
	if seen != 1 || len(by) != 1 || by[0].(map[string]any)["owner"] != "ann" {
		t.Errorf("%d messages, crossings by %v", seen, by)
	}
	if n := r.metric(t, `outrider_chat_taps_total{mark="forged"}`); n != 1 {
		t.Errorf("forged taps: %v", n)
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	must(t, err)
	return l
}
