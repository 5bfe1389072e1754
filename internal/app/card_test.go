package app_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"outrider/simulator/graph"
)

// Inside the window an alert comes with a picture of the map, which whoever has its address can fetch, and nobody
// else. What the trace shows is no such address.
func TestAnAlertHasAPicture(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"http.public_url": "https://fleet.example/"})
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	eventually(t, "the webhook was taken", func() bool { return r.sandbox.Webhooks().Sent > 0 })
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	m, err := r.sandbox.WaitFor(t.Context(), func(m graph.Message) bool { return m.Template == "generic" })
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(m.Image, "https://fleet.example/card/"+m.Metadata+"?")
	if !ok || len(m.Buttons) != 4 { // where, mute, off, and that it was seen
		t.Fatalf("message %+v", m)
	}
	fetch := func(query string) (int, []byte) {
		res, err := http.Get(r.url("/card/" + m.Metadata + "?" + query))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, body
	}
	status, body := fetch(address)
	if img, err := png.Decode(bytes.NewReader(body)); status != 200 || err != nil || img.Bounds().Dx() != 1146 {
		t.Errorf("picture: %d %v", status, err)
	}
	q, _ := url.ParseQuery(address)
	for what, change := range map[string]func(url.Values){
		"another end": func(v url.Values) { v.Set("e", "4000000000") }, "no signature": func(v url.Values) { v.Del("s") },
		"another tenant": func(v url.Values) { v.Set("t", "other") },
	} {
		v, _ := url.ParseQuery(address)
		change(v)
		if status, _ := fetch(v.Encode()); status != 404 {
			t.Errorf("%s: %d, want 404", what, status)
		}
	}
	var record string
	eventually(t, "the delivery is settled", func() bool {
		answer := r.call(t, http.MethodGet, "deliveries/"+m.Metadata, nil, http.StatusOK)
		text, err := json.Marshal(answer)
		must(t, err)
		record = string(text)
		return answer["state"] == "sent" && answer["trace"] != nil
	})
	if strings.Contains(record, q.Get("s")) || !strings.Contains(record, "?REDACTED") || !strings.Contains(record, `"trace":[{"at":"`) {
		t.Errorf("delivery: %s", record)
	}
}
