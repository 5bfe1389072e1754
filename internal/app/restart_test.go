package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/internal/postgrestest"
	"outrider/simulator/graph"
)

// Answers and requests are lost, echoes come late, twice and out of order, and the gateway is stopped without
// patience and started again, again and again: no alert is lost, none is told twice, but those that are reported as
// unknown, which are told at most once. (An answer and its echo both lost for ever cannot be told from a request that
// never arrived; docs/messenger.md says what that costs.)
func TestNothingIsLostOrDoubledAcrossRestarts(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		nothingIsLost(t, "")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		nothingIsLost(t, postgrestest.Start(t, false).URL(t))
	})
}

func nothingIsLost(t *testing.T, store string) {
	const vehicles = 24
	r := newRig(t, map[string]string{"alerts.settle": "1500ms", "store.url": store})
	for i := range vehicles {
		r.own(t, fmt.Sprint("van", i), fmt.Sprint("owner", i), fmt.Sprint(70000+i))
		_, err := r.sandbox.Say(page, fmt.Sprint(70000+i), "hello")
		must(t, err)
	}
	r.circle(t, "yard", 11.5, 48.1)
	eventually(t, "the webhooks were taken", func() bool { return r.sandbox.Webhooks().Waiting == 0 })
	r.sandbox.SetFaults(graph.Faults{LostRequest: 0.08, LostAnswer: 0.15, Transient: 0.05, Duplicate: 0.2, Reorder: 0.2,
		Seconds: 0.2, Latency: 30 * time.Millisecond, EchoDelay: 250 * time.Millisecond})
	for i := range vehicles {
		driveThrough(t, r.connect(t, fmt.Sprint("box", i)), fmt.Sprintf("fleet/default/van%d/fix", i), 11.5, 48.1)
		if i%6 == 5 { // while messages are under way
			cut, cancel := context.WithCancel(context.Background())
			cancel()
			_ = r.app.Stop(cut) // without patience: what is being sent is cut
			r.start(t)
		}
	}
	done := func() bool {
		return len(r.items(t, "crossings?limit=200")) == 2*vehicles && len(r.items(t, "deliveries?state=sent&limit=200"))+len(r.items(t, "deliveries?state=unknown&limit=200")) == 2*vehicles
	}
	if !waitFor(60*time.Second, done) {
		for _, d := range r.items(t, "deliveries?limit=200") {
			if d["state"] != "sent" && d["state"] != "unknown" {
				t.Errorf("left: %v %v %v %v", d["id"], d["state"], d["reason"], d["detail"])
			}
		}
		t.Fatalf("%d crossings, want %d", len(r.items(t, "crossings?limit=200")), 2*vehicles)
	}
	told := map[string]int{}
	for _, m := range r.sandbox.Messages() {
		told[m.Metadata]++
	}
	unknown := 0
	for _, d := range r.items(t, "deliveries?limit=200") {
		id, n := d["id"].(string), told[d["id"].(string)]
		switch {
		case d["state"] == "unknown":
			unknown++
			if n > 1 {
				t.Errorf("%s is unknown and was told %d times", id, n)
			}
		case n != 1:
			t.Errorf("%s is %v and was told %d times", id, d["state"], n)
		}
	}
	t.Logf("%d alerts, %d messages, %d unknown", 2*vehicles, len(r.sandbox.Messages()), unknown)
	if unknown > vehicles/2 {
		t.Errorf("%d of %d are unknown", unknown, 2*vehicles)
	}
}

// Every secret there is, and nowhere to be found: not in the log, nor in what the API, the metrics and the pages say.
func TestSecretsOfSendingStayInside(t *testing.T) {
	t.Parallel()
	const signing = "whsec_c2VjcmV0LXNpZ25pbmcta2V5LWZvci10ZXN0cw"
	r := newRig(t, map[string]string{"log.level": "debug", "http.public_url": "https://fleet.example"})
	r.own(t, "van", "ann", "70001")
	r.call(t, http.MethodPut, "owners/bob", map[string]any{"name": "bob", "fallback": "webhook+https://" + signing + "@127.0.0.1:1/private-path"}, http.StatusOK)
	r.call(t, http.MethodPut, "owners/cid", map[string]any{"name": "cid", "fallback": "smtp://mailer:hunter2hunter2@127.0.0.1:1/?from=a@example.org&to=b@example.org"}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/bus", map[string]any{"name": "Bus", "owners": []string{"bob", "cid"}}, http.StatusOK)
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	eventually(t, "the webhook was taken", func() bool { return r.sandbox.Webhooks().Waiting == 0 })
	r.sandbox.FailNext(page, "70001", 1, &graph.Error{Status: 400, Type: "OAuthException", Code: 190, Message: "Bad token " + token})
	client := r.connect(t, "box")
	driveThrough(t, client, "fleet/default/van/fix", 11.5, 48.1)
	driveThrough(t, client, "fleet/default/bus/fix", 11.5, 48.1)
	eventually(t, "all deliveries were tried", func() bool {
		all := r.items(t, "deliveries")
		for _, d := range all {
			if d["attempts"].(float64) == 0 {
				return false
			}
		}
		return len(all) == 6
	})
	texts := map[string]string{"log": r.log.String()}
	paths := []string{"/api/v1/owners", "/api/v1/pages", "/api/v1/vehicles", "/api/v1/deliveries", "/metrics", "/openapi.json", "/healthz", "/readyz", "/"}
	for _, d := range r.items(t, "deliveries") {
		paths = append(paths, "/api/v1/deliveries/"+d["id"].(string))
	}
	for _, path := range paths {
		texts[path] = r.raw(t, path)
	}
	var signature string
	for _, m := range r.sandbox.Messages() {
		if _, s, ok := strings.Cut(m.Image, "&s="); ok {
			signature, _, _ = strings.Cut(s, "&")
		}
	}
	secrets := map[string]string{
		"page token": token, "app secret": "app-secret-of-the-test", "verify token": "verify-token-of-the-test", "admin key": key,
		"proof": graph.Proof("app-secret-of-the-test", token), "signing secret": strings.TrimPrefix(signing, "whsec_"), "path of the webhook": "private-path",
		"mail password": "hunter2hunter2",
	}
	if signature != "" {
		secrets["signature of a picture"] = signature
	}
	for where, text := range texts {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				i := strings.Index(text, secret)
				t.Errorf("%s holds the %s: …%s…", where, what, text[max(0, i-120):min(len(text), i+20)])
			}
		}
	}
}
