package app_test

import (
	"fmt"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/simulator/graph"
)

// thread waits until a person has got a message that says something, and returns it.
func (r *rig) hears(t *testing.T, psid, text string) graph.Message {
	t.Helper()
	var found graph.Message
	eventually(t, "a message that says "+text, func() bool {
		for _, m := range r.sandbox.Thread(page, psid) {
			if strings.Contains(m.Text, text) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// An owner asks where the car is, mutes it, misses an alert on purpose, and has alerts again.
func TestAnOwnerTalks(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"chat.mode": "builtin"})
	r.own(t, "van", "ann", "7001")
	r.own(t, "secret", "bob", "7002")
	must(t, r.sandbox.AddPerson(page, "7003", "Stranger"))
	r.circle(t, "depot", 11.5755, 48.1374)
	c := r.connect(t, "van")
	publish(t, c, "fleet/default/van/fix", fmt.Sprintf(`{"t":%d,"lat":48.1374,"lon":11.5755,"spd":0.1,"ign":true}`, time.Now().Add(-time.Hour).Unix()))
	eventually(t, "the position is known", func() bool {
		return r.call(t, http.MethodGet, "vehicles/van", nil, http.StatusOK)["last_fix"] != nil
	})

	say := func(psid, text string) {
		t.Helper()
		_, err := r.sandbox.Say(page, psid, text)
		must(t, err)
	}
	say("7001", "where is my car?")
	where := r.hears(t, "7001", "Van of ann was last seen 60 minutes ago, in The depot.")
	var link string
	for _, b := range where.Buttons {
		if b.Kind == graph.Link {
			link = b.URL
		}
	}
	if !strings.Contains(link, "openstreetmap.org/?mlat=48.13740&mlon=11.57550") || len(where.Buttons) < 5 {
		t.Errorf("%+v", where)
	}
	picture, err := http.Get(where.Image)
	must(t, err)
	defer picture.Body.Close()
	if _, err := png.Decode(picture.Body); err != nil || picture.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture: %s %v", picture.Status, err)
	}
	say("7003", "where is van of ann")
	r.hears(t, "7003", "I do not know you yet")
	say("7002", "Wo ist mein Auto?")
	r.hears(t, "7002", "Nothing has been heard of Van of bob yet.")

	say("7001", "mute for 2 hours")
	r.hears(t, "7001", "No alerts of Van of ann until")
	driveThrough(t, r.connect(t, "van-again"), "fleet/default/van/fix", 11.5755, 48.1374)
	eventually(t, "the alerts are in the record, muted", func() bool {
		muted := 0
		for _, d := range r.items(t, "deliveries?vehicle=van") {
			if d["state"] == "expired" && d["reason"] == "muted" {
				muted++
			}
		}
		return muted > 0
	})
	say("7001", "alerts on")
	r.hears(t, "7001", "Alerts are on again.")
	for _, m := range r.sandbox.Thread(page, "7001") {
		if strings.Contains(m.Text, "entered") {
			t.Errorf("a muted alert was sent: %s", m.Text)
		}
	}
}

// Where Amazon Lex has the webhook, its Lambda function asks the gateway, and the window is known from that.
func TestLexAsksTheGateway(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"lex.key": "lex-key-of-the-test"})
	r.own(t, "van", "ann", "7001")
	r.own(t, "secret", "bob", "7002")
	ask := func(psid, text string) string {
		t.Helper()
		event := fmt.Sprintf(`{"sessionId":%q,"inputTranscript":%q,"sessionState":{"intent":{"name":"WhereIsMyVehicle"}}}`, psid, text)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url("/lex/fulfillment"), strings.NewReader(event))
		must(t, err)
		req.Header.Set("Authorization", "Bearer lex-key-of-the-test")
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		defer res.Body.Close()
		said, err := io.ReadAll(res.Body)
		must(t, err)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", res.Status, said)
		}
		return string(said)
	}
	if got := ask("7001", "where is it"); !strings.Contains(got, "Nothing has been heard of Van of ann yet.") {
		t.Error(got)
	}
	if got := ask("7001", "WHERE:secret"); strings.Contains(got, "bob") || !strings.Contains(got, "not one of your vehicles") {
		t.Error(got)
	}
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "van"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "the alert is tried inside the window", func() bool { // Meta's sandbox knows nothing of Lex and refuses
		for _, d := range r.items(t, "deliveries?vehicle=van") {
			if d["attempts"].(float64) > 0 {
				return true
			}
		}
		return false
	})
	if res, err := http.Post(r.url("/lex/fulfillment"), "application/json", strings.NewReader("{}")); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the key: %v %v", res, err)
	}
}
