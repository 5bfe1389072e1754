package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/simulator/graph"
)

const (
	page  = "100200300"
	token = "page-token-of-the-test"
	key   = "admin-key-of-the-test"
)

// rig is a whole gateway in this process, with a sandbox beside it.
type rig struct {
	app     *app.App
	sandbox *graph.Sandbox
	log     *syncBuffer
	flags   map[string]string
	change  []func(*app.Options)
	meta    string // where the sandbox answers
	now     func() time.Time
	address string // of the API, where the gateway is another process and app is nil
}

// fastClock begins now and runs at a multiple of real time, so that a recorded track is published at the times
// it tells without the wait.
func fastClock(from time.Time, speed float64) func() time.Time {
	began := time.Now()
	return func() time.Time { return from.Add(time.Duration(float64(time.Since(began)) * speed)) }
}

// syncBuffer is a log that many goroutines write.
type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newRig starts a gateway with a registered page; settings change its defaults.
func newRig(t *testing.T, settings map[string]string, change ...func(*app.Options)) *rig {
	t.Helper()
	return newRigAt(t, settings, time.Now, change...)
}

// newRigAt is newRig with a clock for the gateway and for Meta.
func newRigAt(t *testing.T, settings map[string]string, now func() time.Time, change ...func(*app.Options)) *rig {
	t.Helper()
	r := &rig{log: &syncBuffer{}, now: now, change: change}
	r.sandbox = graph.New(graph.Options{AppSecret: "app-secret-of-the-test", VerifyToken: "verify-token-of-the-test", Now: now})
	r.sandbox.AddPage(page, "Fleet", token)
	server := httptest.NewServer(r.sandbox)
	t.Cleanup(func() { server.Close(); _ = r.sandbox.Close() })
	r.meta = server.URL
	r.flags = map[string]string{
		"facebook.app_id": "1000", "facebook.dialog_url": server.URL, "facebook.link_url": server.URL + "/m.me",
		"data.dir": t.TempDir(), "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0", "graph.url": server.URL,
		"facebook.app_secret": "app-secret-of-the-test", "facebook.verify_token": "verify-token-of-the-test", "admin.key": key,
		"engine.snapshot": "200ms", "chat.mode": "off", // tests of alerts count messages
	}
	for name, value := range settings {
		r.flags[name] = value
	}
	r.start(t)
	r.call(t, http.MethodPut, "pages/"+page, map[string]any{"name": "Fleet", "access_token": token}, http.StatusOK)
	return r
}

func (r *rig) start(t *testing.T) {
	t.Helper()
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	o := app.Options{Config: c, Now: r.now, SelfAddressed: true, Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, change := range r.change {
		change(&o)
	}
	r.app, err = app.New(o)
	must(t, err)
	must(t, r.app.Start(t.Context()))
	t.Cleanup(func() { r.stop(t) })
	r.sandbox.SetWebhook(r.url("/webhook/messenger"))
}

// stop may come twice.
func (r *rig) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(t, r.app.Stop(ctx))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) url(path string) string {
	if r.app == nil {
		return "http://" + r.address + path
	}
	return "http://" + r.app.HTTPAddr().String() + path
}

// call sends a request to the API and returns the answer, whose status must be the wanted one.
func (r *rig) call(t *testing.T, method, path string, body any, want int) map[string]any {
	t.Helper()
	raw, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		must(t, err)
		raw = string(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.url("/api/v1/"+path), strings.NewReader(raw))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != want && !(want == http.StatusOK && res.StatusCode == http.StatusCreated) {
		t.Fatalf("%s %s: %s, want %d\n%s", method, path, res.Status, want, said)
	}
	answer := map[string]any{}
	if len(said) > 0 {
		must(t, json.Unmarshal(said, &answer))
	}
	return answer
}

// items lists what an API list holds.
func (r *rig) items(t *testing.T, path string) []map[string]any {
	t.Helper()
	var all []map[string]any
	list, _ := r.call(t, http.MethodGet, path, nil, http.StatusOK)["items"].([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any))
	}
	return all
}

// own registers an owner with a contact, and a vehicle of theirs.
func (r *rig) own(t *testing.T, vehicle, owner, psid string) {
	t.Helper()
	must(t, r.sandbox.AddPerson(page, psid, owner))
	r.call(t, http.MethodPut, "owners/"+owner, map[string]any{
		"name": owner, "time_zone": "Europe/Berlin", "contacts": []any{map[string]any{"page": page, "psid": psid}},
	}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/"+vehicle, map[string]any{"name": "Van of " + owner, "owner": owner}, http.StatusOK)
}

// circle puts a fence of 100 m.
func (r *rig) circle(t *testing.T, id string, lon, lat float64) {
	t.Helper()
	r.call(t, http.MethodPut, "geofences/"+id, map[string]any{
		"type": "Feature", "id": id, "properties": map[string]any{"name": "The " + id, "shape": "circle", "radius_m": 100},
		"geometry": map[string]any{"type": "Point", "coordinates": []float64{lon, lat}},
	}, http.StatusOK)
}

// connect returns a real MQTT client at the device endpoint.
func (r *rig) connect(t *testing.T, id string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + r.app.MQTTAddr().String()).SetClientID(id).SetAutoReconnect(false))
	if done := c.Connect(); !done.WaitTimeout(10*time.Second) || done.Error() != nil {
		t.Fatalf("connect: %v", done.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// publish waits for the acknowledgement.
func publish(t *testing.T, c mqtt.Client, topic, payload string) {
	t.Helper()
	if done := c.Publish(topic, 1, false, payload); !done.WaitTimeout(10*time.Second) || done.Error() != nil {
		t.Fatalf("publish: %v", done.Error())
	}
}

// driveThrough drives due north through a fence of 100 m, at 10 m/s, a fix a second, ending now.
func driveThrough(t *testing.T, c mqtt.Client, topic string, lon, lat float64) {
	t.Helper()
	begin := time.Now().Add(-time.Minute)
	for i := range 60 {
		publish(t, c, topic, fmt.Sprintf(`{"t":%.3f,"lat":%.7f,"lon":%.7f,"spd":10,"hdg":0,"acc":4}`,
			float64(begin.UnixMilli())/1000+float64(i), lat+float64(10*i-300)/111_195, lon))
	}
}

// metric reads one value of /metrics; the name may carry labels.
func (r *rig) metric(t *testing.T, name string) float64 {
	t.Helper()
	res, err := http.Get(r.url("/metrics"))
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			var v float64
			_, err := fmt.Sscan(rest, &v)
			must(t, err)
			return v
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !waitFor(30*time.Second, ok) {
		t.Fatalf("never came true: %s", what)
	}
}

// waitFor reports whether something came true in time.
func waitFor(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
