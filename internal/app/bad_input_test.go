package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBadPayloadsAreKeptWithTheirReason sends what no tracker should send through a real MQTT client. Each is
// acknowledged (it is kept), has a reason, and is counted; the process lives on.
func TestBadPayloadsAreKeptWithTheirReason(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	now := time.Now().Unix()
	const topic = "fleet/default/van/fix"
	for _, bad := range []struct {
		name, topic, payload string
		reason, says         string
	}{
		{"broken JSON", topic, `{"t":1,"lat":`, "malformed", "JSON"},
		{"not JSON", topic, `hello`, "malformed", ""},
		{"text for a number", topic, fmt.Sprintf(`{"t":%d,"lat":"north","lon":11}`, now), "type", "degrees"},
		{"object for a number", topic, fmt.Sprintf(`{"t":%d,"lat":{},"lon":11}`, now), "type", "degrees"},
		{"latitude 91", topic, fmt.Sprintf(`{"t":%d,"lat":91,"lon":11}`, now), "range", "91"},
		{"longitude 181", topic, fmt.Sprintf(`{"t":%d,"lat":48,"lon":181}`, now), "range", "181"},
		{"NaN", topic, fmt.Sprintf(`{"t":%d,"lat":NaN,"lon":11}`, now), "malformed", ""},
		{"no time", topic, `{"lat":48,"lon":11}`, "missing", ""},
		{"the year 2099", topic, `{"t":4070908800,"lat":48,"lon":11}`, "future", "2099"},
		{"null island", topic, fmt.Sprintf(`{"t":%d,"lat":0,"lon":0}`, now), "no_fix", ""},
		{"empty array", topic, `[]`, "empty", ""},
		{"empty payload", topic, ``, "empty", ""},
		{"300 KB", topic, `{"t":1,"x":"` + strings.Repeat("x", 300_000) + `"}`, "too_large", ""},
		{"foreign topic", "home/kitchen/light", `{"on":true}`, "topic", "fleet/"},
		{"encrypted", "owntracks/jane/phone", `{"_type":"encrypted","data":"AAAA"}`, "unsupported", "encrypt"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			counter := fmt.Sprintf(`outrider_refused_total{reason=%q}`, bad.reason)
			before := r.metric(t, counter)
			publish(t, r.connect(t, "bad"), bad.topic, bad.payload)
			var letter map[string]any
			eventually(t, "a dead letter", func() bool {
				letters := r.items(t, "dead-letters?limit=1")
				if len(letters) > 0 && letters[0]["reason"] == bad.reason {
					letter = letters[0]
				}
				return letter != nil && r.metric(t, counter) > before
			})
			if said := fmt.Sprint(letter["field"], " ", letter["detail"]); !strings.Contains(said, bad.says) {
				t.Errorf("says %q, not %q", said, bad.says)
			}
		})
	}

	t.Run("10 MB", func(t *testing.T) {
		c := r.connect(t, "big")
		lost := make(chan struct{})
		done := c.Publish(topic, 1, false, bytes.Repeat([]byte{'x'}, 10<<20))
		go func() { done.WaitTimeout(20 * time.Second); close(lost) }()
		<-lost
		eventually(t, "it is kept as too large", func() bool {
			return slices.ContainsFunc(r.items(t, "dead-letters?limit=3"), func(l map[string]any) bool {
				return l["reason"] == "too_large" && l["topic"] == topic && l["size"] == float64(10<<20)
			})
		})
	})

	t.Run("one bad position among good ones", func(t *testing.T) {
		publish(t, r.connect(t, "mixed"), topic, fmt.Sprintf(`[{"t":%d,"lat":48,"lon":11},{"t":%d,"lat":99,"lon":11},{"t":%d,"lat":48,"lon":11.0001}]`, now-2, now-1, now))
		eventually(t, "the good ones are taken", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) >= 2 })
		if l := r.items(t, "dead-letters?limit=1")[0]; !strings.Contains(fmt.Sprint(l["field"]), "[1]") {
			t.Errorf("the letter %v does not name the position", l)
		}
	})

	// After all that, a vehicle drives through a fence as if nothing had happened.
	r.own(t, "van2", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "good"), "fleet/default/van2/fix", 11.5, 48.1)
	eventually(t, "two messages", func() bool { return len(r.sandbox.Messages()) == 2 })
}

func TestGarbageOnTheWireClosesOnlyItsConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := r.connect(t, "good")
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x10\xff\xff\xff\xff\x7f", "\x00\x00\x00", "\x30\x02\x00\x09"} {
		raw := dial(t, r)
		_, err := io.WriteString(raw, garbage)
		must(t, err)
		must(t, raw.SetReadDeadline(time.Now().Add(20*time.Second)))
		if n, err := raw.Read(make([]byte, 1)); err == nil && n > 0 {
			continue // an answer in words, such as CONNACK with a refusal
		} else if err != io.EOF && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%q: %v, want the connection closed", garbage, err)
		}
	}
	publish(t, good, "fleet/default/van/fix", fmt.Sprintf(`{"t":%d,"lat":48,"lon":11}`, time.Now().Unix()))
	if !good.IsConnectionOpen() {
		t.Error("a well-behaved client lost its connection")
	}
}

func TestBadRequestsAreAnsweredInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	polygon := func(ring string) string {
		return `{"type":"Feature","properties":{"name":"x"},"geometry":{"type":"Polygon","coordinates":[` + ring + `]}}`
	}
	for _, bad := range []struct {
		name, path, body string
		status           int
		says             []string
	}{
		{"unknown field", "vehicles/van", `{"name":"x","ownr":"y"}`, 422, []string{"ownr"}},
		{"wrong type", "vehicles/van", `{"name":7}`, 422, []string{"name", "string"}},
		{"not JSON", "vehicles/van", `{"name":`, 400, nil},
		{"unknown zone", "owners/ann", `{"name":"Ann","time_zone":"Mars/Olympus"}`, 422, []string{"time_zone"}},
		{"self-crossing", "geofences/a", polygon(`[[0,0],[1,1],[1,0],[0,1],[0,0]]`), 422, []string{"cross"}},
		{"two points", "geofences/a", polygon(`[[0,0],[1,1]]`), 422, []string{"coordinates[0]"}},
		{"latitude 91", "geofences/a", polygon(`[[0,0],[1,0],[1,91],[0,0]]`), 422, []string{"coordinates[0][2]", "91"}},
		{"circle without radius", "geofences/a", `{"type":"Feature","properties":{"shape":"circle"},"geometry":{"type":"Point","coordinates":[0,0]}}`, 422, []string{"radius_m"}},
	} {
		t.Run(bad.name, func(t *testing.T) {
			answer := fmt.Sprint(r.call(t, http.MethodPut, bad.path, bad.body, bad.status))
			for _, part := range bad.says {
				if !strings.Contains(answer, part) {
					t.Errorf("%s does not say %q", answer, part)
				}
			}
		})
	}
	// An open ring is closed for its author.
	r.call(t, http.MethodPut, "geofences/open", polygon(`[[0,0],[1,0],[1,1],[0,1]]`), http.StatusOK)
}

func TestTheWebhookIsGuarded(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	get := func(query string) (int, string) {
		res, err := http.Get(r.url("/webhook/messenger" + query))
		must(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		must(t, err)
		return res.StatusCode, string(body)
	}
	if code, body := get("?hub.mode=subscribe&hub.verify_token=verify-token-of-the-test&hub.challenge=12345"); code != 200 || body != "12345" {
		t.Errorf("handshake: %d %q", code, body)
	}
	if code, _ := get("?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=12345"); code != 403 {
		t.Errorf("handshake with a wrong token: %d, want 403", code)
	}
	for _, signature := range []string{"", "sha256=00", "sha256=" + strings.Repeat("0", 64)} {
		req, err := http.NewRequest(http.MethodPost, r.url("/webhook/messenger"), strings.NewReader(`{"object":"page","entry":[]}`))
		must(t, err)
		req.Header.Set("X-Hub-Signature-256", signature)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode/100 != 4 {
			t.Errorf("signature %q: %s", signature, res.Status)
		}
	}
}

func TestNoKeyNoAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, header := range []string{"", "Bearer", "Bearer wrong", "Basic " + key} {
		req, err := http.NewRequest(http.MethodGet, r.url("/api/v1/crossings"), nil)
		must(t, err)
		req.Header.Set("Authorization", header)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: %s, want 401", header, res.Status)
		}
	}
}

// TestSecretsStayInside looks for every secret in the log and in what the API and /metrics say, after a run in
// which Meta refused things.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"log.level": "debug"})
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	r.sandbox.RevokeToken(token, 460)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "the refusal shows", func() bool { return len(r.items(t, "deliveries?state=held")) > 0 })
	shown := r.log.String()
	for _, path := range []string{"/metrics", "/openapi.json", "/", "/readyz", "/api/v1/pages/" + page, "/api/v1/deliveries", "/api/v1/owners"} {
		req, err := http.NewRequest(http.MethodGet, r.url(path), nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		must(t, err)
		shown += string(body)
	}
	for _, secret := range []string{token, key, r.flags["facebook.app_secret"], r.flags["facebook.verify_token"]} {
		if i := strings.Index(shown, secret); i >= 0 {
			t.Errorf("a secret shows: …%s…", shown[max(0, i-200):min(len(shown), i+60)])
		}
	}
	if d := r.items(t, "deliveries?state=held")[0]; d["reason"] != "token_invalid" {
		t.Errorf("delivery is %v", d)
	}
}
