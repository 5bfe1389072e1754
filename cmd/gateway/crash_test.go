package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/simulator"
	"outrider/simulator/graph"
	"outrider/telemetry"
)

const (
	crashKills = 24
	crashKey   = "crash-test-admin-key"
	crashPage  = "100200300"
	crashToken = "crash-page-token"
	crashVans  = 600 // many, so that a minute of real time holds some hundred crossings
)

// TestNothingIsLostOrDoubledWhenTheProcessIsKilled runs the real program under traffic, ends it with SIGKILL at
// random moments, also while it starts, and compares what people received with the simulator's truth.
func TestNothingIsLostOrDoubledWhenTheProcessIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes about a minute")
	}
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	g := newCrashRig(t)
	g.start(t)
	g.register(t, seed)

	const perKill = 2200 * time.Millisecond // on average
	const drive = (crashKills + 6) * perKill
	publisher, arrived := g.publish(t, drive)
	for range crashKills {
		// Uniform from nothing to twice the average: some kills hit a process that is still recovering.
		g.sleep(t, time.Duration(r.Int64N(int64(2*perKill))))
		g.kill(t)
		g.start(t)
	}
	g.finish(t, publisher, arrived)
}

// crashRig is a gateway process with a sandbox and a fleet around it.
type crashRig struct {
	dir, binary    string
	httpAt, mqttAt string
	sandbox        *graph.Sandbox
	graphURL       string
	fleet          *simulator.Fleet
	process        *exec.Cmd
	log            bytes.Buffer
	http           *http.Client
}

func newCrashRig(t *testing.T) *crashRig {
	g := &crashRig{
		dir: t.TempDir(), httpAt: freeAddress(t), mqttAt: freeAddress(t), http: &http.Client{Timeout: 10 * time.Second},
	}
	g.binary = filepath.Join(g.dir, "gateway")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", g.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	g.sandbox = graph.New(graph.Options{
		AppSecret: "crash-app-secret", VerifyToken: "crash-verify", Rate: -1,
		WebhookURL: "http://" + g.httpAt + "/webhook/messenger",
	})
	g.sandbox.AddPage(crashPage, "Crash", crashToken)
	server := httptest.NewServer(g.sandbox)
	g.graphURL = server.URL
	t.Cleanup(func() { server.Close(); _ = g.sandbox.Close() })
	t.Cleanup(func() {
		if g.process != nil {
			_ = g.process.Process.Kill()
			_ = g.process.Wait()
		}
		if t.Failed() {
			t.Logf("the gateway's log ends with:\n%s", tailOf(g.log.String(), 60))
		}
	})
	return g
}

func tailOf(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start begins a gateway process; it does not wait until it is ready.
func (g *crashRig) start(t *testing.T) {
	t.Helper()
	g.process = exec.Command(g.binary, "serve")
	g.process.Env = append(os.Environ(),
		"OUTRIDER_DATA_DIR="+filepath.Join(g.dir, "data"), "OUTRIDER_HTTP_LISTEN="+g.httpAt, "OUTRIDER_MQTT_LISTEN="+g.mqttAt,
		"OUTRIDER_GRAPH_URL="+g.graphURL, "OUTRIDER_FACEBOOK_APP_SECRET=crash-app-secret", "OUTRIDER_FACEBOOK_VERIFY_TOKEN=crash-verify",
		"OUTRIDER_ADMIN_KEY="+crashKey, "OUTRIDER_ENGINE_SNAPSHOT=400ms", "OUTRIDER_CHAT_MODE=off", "OUTRIDER_ALERTS_SETTLE=4s",
	)
	g.process.Stdout, g.process.Stderr = &g.log, &g.log
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process without a warning.
func (g *crashRig) kill(t *testing.T) {
	t.Helper()
	if err := g.process.Process.Kill(); err != nil {
		t.Fatalf("the gateway had ended by itself: %v", err)
	}
	_ = g.process.Wait() // "signal: killed"
	if code := g.process.ProcessState.ExitCode(); code > 0 {
		t.Fatalf("the gateway had ended by itself with code %d", code)
	}
}

// sleep lets the process run for a while: the one place where real time is what is tested.
func (g *crashRig) sleep(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

func (g *crashRig) register(t *testing.T, seed uint64) {
	t.Helper()
	city := simulator.NewCity(seed)
	eventually(t, 30*time.Second, "the gateway is ready", func() bool {
		res, err := g.http.Get("http://" + g.httpAt + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	g.call(t, http.MethodPut, "pages/"+crashPage, map[string]any{"name": "Crash", "access_token": crashToken})
	for _, f := range city.Fences {
		g.call(t, http.MethodPut, "geofences/"+f.ID, json.RawMessage(f.GeoJSON()))
	}
	names := simulator.NewFleet(city, simulator.FleetOptions{Vehicles: crashVans, Seed: seed}).Vehicles()
	for i, vehicle := range names {
		psid, owner := fmt.Sprintf("7000%04d", i+1), fmt.Sprintf("owner-%d", i+1)
		if err := g.sandbox.AddPerson(crashPage, psid, owner); err != nil {
			t.Fatal(err)
		}
		g.call(t, http.MethodPut, "owners/"+owner, map[string]any{
			"name": owner, "contacts": []any{map[string]any{"page": crashPage, "psid": psid}},
		})
		g.call(t, http.MethodPut, "vehicles/"+string(vehicle), map[string]any{"name": "Van", "owner": owner})
		if _, err := g.sandbox.Say(crashPage, psid, "hello"); err != nil {
			t.Fatal(err)
		}
	}
	// The fleet starts when everything is registered: its times are the real ones.
	g.fleet = simulator.NewFleet(city, simulator.FleetOptions{
		Vehicles: crashVans, Seed: seed, Start: time.Now(),
	})
}

// call sends a request that must succeed and decodes the answer.
func (g *crashRig) call(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.httpAt+"/api/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+crashKey)
	req.Header.Set("Content-Type", "application/json")
	res, err := g.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %v\n%s", method, path, res.Status, err, said)
	}
	var answer map[string]any
	if len(said) > 0 {
		if err := json.Unmarshal(said, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

// publish drives the fleet; the channel is closed when everything is acknowledged.
func (g *crashRig) publish(t *testing.T, drive time.Duration) (*simulator.Publisher, <-chan struct{}) {
	t.Helper()
	p, err := simulator.NewPublisher(g.fleet, simulator.PublisherOptions{
		URL: "tcp://" + g.mqttAt, Connections: 6, Duration: drive, RetryMax: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		_ = p.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return p, ended
}

// finish waits until everything that was acknowledged has led to its message, and judges.
func (g *crashRig) finish(t *testing.T, p *simulator.Publisher, arrived <-chan struct{}) {
	t.Helper()
	select {
	case <-arrived:
	case <-time.After(3 * time.Minute):
		t.Fatalf("not everything was acknowledged: %+v", p.Stats())
	}
	truth := p.Truth()
	var report simulator.Report
	eventually(t, 90*time.Second, "no delivery is under way", func() bool {
		report = simulator.Match(truth, g.told(t), 15*time.Second)
		return len(report.Missing) == 0 || g.settled(t)
	})
	s := p.Stats()
	t.Logf("%d fixes, %d published again, %d true crossings, %d kills; worst time error %v",
		s.Published, s.Repeated, report.Expected, crashKills, report.WorstError())
	if report.Expected < 100 {
		t.Errorf("only %d crossings: the test shows little", report.Expected)
	}
	if !report.Exact() {
		t.Errorf("%v", report)
	}
	seen := map[string]int{}
	for _, m := range g.sandbox.Messages() {
		if seen[m.Metadata]++; seen[m.Metadata] > 1 {
			t.Errorf("delivery %s was received %d times: %q", m.Metadata, seen[m.Metadata], m.Text)
		}
	}
}

// told lists what people received, by the deliveries that the messages name.
func (g *crashRig) told(t *testing.T) []simulator.Observed {
	t.Helper()
	deliveries := g.deliveries(t)
	var all []simulator.Observed
	for _, m := range g.sandbox.Messages() {
		d, ok := deliveries[m.Metadata]
		if !ok {
			t.Fatalf("a message names the delivery %q, which is not in the record", m.Metadata)
		}
		all = append(all, simulator.Observed{
			Vehicle: telemetry.VehicleID(d.Vehicle), Fence: d.Fence, Kind: simulator.Kind(d.Kind), Time: d.At,
		})
	}
	return all
}

type deliveryRow struct {
	ID      string    `json:"id"`
	Vehicle string    `json:"vehicle"`
	Fence   string    `json:"fence"`
	Kind    string    `json:"kind"`
	At      time.Time `json:"at"`
	State   string    `json:"state"`
}

func (g *crashRig) deliveries(t *testing.T) map[string]deliveryRow {
	t.Helper()
	all := map[string]deliveryRow{}
	for path := "deliveries?limit=500"; path != ""; {
		answer := g.call(t, http.MethodGet, path, nil)
		raw, err := json.Marshal(answer["items"])
		if err != nil {
			t.Fatal(err)
		}
		var rows []deliveryRow
		if err := json.Unmarshal(raw, &rows); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all[row.ID] = row
		}
		path = ""
		if next, _ := answer["next"].(string); next != "" {
			path = "deliveries?limit=500&cursor=" + url.QueryEscape(next)
		}
	}
	return all
}

// settled reports whether every delivery has come to its end.
func (g *crashRig) settled(t *testing.T) bool {
	for _, d := range g.deliveries(t) {
		switch d.State {
		case "pending", "sending", "settling", "held":
			return false
		}
	}
	return true
}

// eventually waits until something is true.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
