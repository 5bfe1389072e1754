package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"outrider/internal/config"
)

// session is one call of the program.
type session struct {
	stdin          string
	args           []string
	code           int
	stdout, stderr []string // parts that must show; nothing else is promised
}

func TestTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	yard := write("yard.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","id":"yard","properties":{"shape":"circle","radius_m":100},"geometry":{"type":"Point","coordinates":[11.5,48.1]}}]}`)
	crossed := write("crossed.geojson", `{"type":"Feature","id":"x","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]},"properties":{}}`)
	mixed := write("mixed.geojson", `{"type":"FeatureCollection","features":[
		{"type":"Feature","id":"yard","properties":{"radius_m":100,"rules":{"dwell_s":60}},"geometry":{"type":"Point","coordinates":[11.5,48.1]}},
		{"type":"Feature","id":"yard","properties":{"radius_m":100},"geometry":{"type":"Point","coordinates":[11.5,48.1]}},
		{"type":"Feature","properties":{"radius_m":100},"geometry":{"type":"Point","coordinates":[11.5,48.1]}},
		{"type":"Feature","id":"open","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[0.1,0],[0.1,0.1]]]}},
		{"type":"Feature","id":"far","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,91],[0,0]]]}},
		{"type":"Feature","id":"odd","properties":{"radius_m":9,"rules":{"dwel_s":60}},"geometry":{"type":"Point","coordinates":[11.5,48.1]}}]}`)
	mapping := write("acme.yaml", "mappings:\n  - {name: acme, topics: [\"acme/{vehicle}/gps\"], time: {path: at, form: unix}, lat: y, lon: x, speed: {path: v, unit: km/h}}\n")
	settings := write("gateway.yaml", "mqtt:\n  lisen: 127.0.0.1:0\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	data := "--data.dir=" + filepath.Join(dir, "data")

	for name, s := range map[string]session{
		"nothing":             {stdout: []string{"gateway demo", "gateway serve", "docs/config.md"}},
		"help":                {args: []string{"help"}, stdout: []string{"gateway replay"}},
		"version":             {args: []string{"version"}, stdout: []string{"outrider dev"}},
		"no such command":     {args: []string{"sreve"}, code: 2, stderr: []string{`there is no command "sreve"`, "gateway serve"}},
		"no such flag":        {args: []string{"serve", "--mqtt.lisen=x"}, code: 2, stderr: []string{"there is no flag --mqtt.lisen; did you mean --mqtt.listen?"}},
		"a flag far from all": {args: []string{"serve", "--nope"}, code: 2, stderr: []string{"there is no flag --nope; gateway serve --help lists them"}},
		"a flag's help":       {args: []string{"serve", "--help"}, stdout: []string{"gateway serve: start the gateway", "--mqtt.listen=value", "(default 127.0.0.1:1883)"}},
		"--version":           {args: []string{"--version"}, stdout: []string{"outrider dev"}},
		"no vehicles":         {args: []string{"demo", "--vehicles=0"}, code: 2, stderr: []string{"--vehicles=0: expected at least 1"}},
		"an argument":         {args: []string{"serve", "now"}, code: 2, stderr: []string{`unexpected argument "now"`}},
		"a misspelt setting":  {args: []string{"serve", "--config", settings}, code: 1, stderr: []string{"gateway.yaml:2", "did you mean mqtt.listen?"}},
		"a bad value":         {args: []string{"serve", "--log.level=loud"}, code: 1, stderr: []string{"log.level", `"loud" is not one of`}},
		"a port that is taken": {
			stdout: []string{"admin key (shown once, kept in " + filepath.Join(dir, "data1", "admin.key") + "): or_"}, // the next start will not show it
			args:   []string{"serve", data + "1", "--mqtt.listen=127.0.0.1:0", "--http.listen=" + taken.Addr().String()}, code: 1,
			stderr: []string{"http.listen", taken.Addr().String() + " is taken", "choose another"},
		},
		"an MQTT port that is taken": {
			args: []string{"serve", data + "2", "--http.listen=127.0.0.1:0", "--mqtt.listen=" + taken.Addr().String()}, code: 1,
			stderr: []string{"mqtt.listen", taken.Addr().String() + " is taken", "choose another"},
		},
		"check": {
			args: []string{"check", data + "3", "--http.listen=" + taken.Addr().String(), "--mqtt.listen=127.0.0.1:0", "--graph.url=http://127.0.0.1:1"}, code: 1,
			stdout: []string{"ok    settings", "ok    data.dir", "FAIL  http.listen", "FAIL  graph.url", "FAIL  facebook", "app_secret", "verify_token"},
		},
		"doctor": {
			args: []string{"doctor", data + "d", "--http.listen=127.0.0.1:0", "--mqtt.listen=127.0.0.1:0", "--graph.url=http://127.0.0.1:1"}, code: 1,
			stdout: []string{"this machine\n", "ok    settings", "FAIL  graph.url", "app id or app secret are not set", "→ copy both from the app's dashboard", "the gateway was never started"},
			stderr: []string{"see FAIL above"},
		},
		"inspect without a gateway": {
			args: []string{"inspect", data + "i", "--admin.key=0123456789abcdef", "--http.listen=127.0.0.1:1"}, code: 1,
			stderr: []string{"watching the gateway at 127.0.0.1:1", "no gateway answers at http://127.0.0.1:1"},
		},
		"inspect without a key":    {args: []string{"inspect", data + "i", "--http.listen=127.0.0.1:1"}, code: 1, stderr: []string{"admin.key"}},
		"inspect without a broker": {args: []string{"inspect", "--mqtt.url=tcp://127.0.0.1:1", "--for=100ms"}, code: 1, stderr: []string{"the broker at tcp://127.0.0.1:1 is not reached"}},
		"geofences check": {
			args:   []string{"geofences", "check", yard},
			stdout: []string{`ok    features[0] "yard": circle`, "yard.geojson: 1 good (0 of them repaired), 0 refused"},
		},
		"geofences check of a mixed file": {
			args: []string{"geofences", "check", mixed}, code: 1,
			stdout: []string{
				`ok    features[0] "yard": circle`, `FAIL  features[1] "yard" id: "yard" is taken by the geofence of index 0`,
				`ok    features[2] "f-`, `ok    features[3] "open": polygon`, "      repaired: ",
				"FAIL  features[4] ", "geometry.coordinates[0][2]: latitude 91", "FAIL  features[5] properties.rules.dwel_s: is not known",
				"3 good (1 of them repaired), 3 refused",
			},
			stderr: []string{"gateway geofences: not every geofence can be used"},
		},
		"geofences check of no json":  {args: []string{"geofences", "check", settings}, code: 1, stdout: []string{"the format of the file cannot be told", "0 good"}},
		"geofences check of nothing":  {args: []string{"geofences", "check"}, code: 2, stderr: []string{"no file is named"}},
		"geofences without a verb":    {args: []string{"geofences", "chekc", yard}, code: 2, stderr: []string{`there is no "chekc"; expected check FILE, import FILE or export`}},
		"geofences check --help":      {args: []string{"geofences", "check", "--help"}, stdout: []string{"gateway geofences check FILE|import FILE|export [FILE]"}},
		"keys create":                 {args: []string{"keys", "create", "--role", "operator", "--name", "CI", data + "5"}, stdout: []string{"or_"}, stderr: []string{"of tenant default, operator", "shown once"}},
		"keys create of a wrong role": {args: []string{"keys", "create", "--role", "king", data + "6"}, code: 1, stderr: []string{`role: is "king"; expected viewer, operator or admin`}},
		"keys list":                   {args: []string{"keys", "list", data + "7"}, stdout: []string{"LAST USED"}},
		"keys revoke of a stranger":   {args: []string{"keys", "revoke", "--id", "nobody", data + "8"}, code: 1, stderr: []string{`API key "nobody"`, "not found"}},
		"keys without a verb":         {args: []string{"keys"}, code: 2, stderr: []string{"expected create, list or revoke"}},
		"journal accept":              {args: []string{"journal", "accept", data + "9"}, stdout: []string{"partition 3", "accepted; start the gateway"}},
		"journal without a verb":      {args: []string{"journal"}, code: 2, stderr: []string{"expected accept"}},
		"a journal at no server":      {args: []string{"check", "--nats.url=http://127.0.0.1:1", data + "9"}, code: 1, stderr: []string{"nats.url", "expected nats://host:port"}},
		"migrate":                     {args: []string{"migrate", data + "4"}, stdout: []string{"the store is at this version"}},
		"replay without fences":       {args: []string{"replay"}, code: 2, stderr: []string{"--geofences is missing"}},
		"replay with a bad fence":     {args: []string{"replay", "--geofences", crossed}, code: 1, stderr: []string{"cross"}},
		"replay with a bad preset":    {args: []string{"replay", "--geofences", yard, "--preset", "wild"}, code: 1, stderr: []string{"balanced"}},
		"replay with a bad line":      {args: []string{"replay", "--geofences", yard}, stdin: "{\"rx\":1}\nnonsense\n", code: 1, stderr: []string{"line"}},
		"replay with bad payloads": {
			args: []string{"replay", "--geofences", yard}, stdin: "{\"rx\":1,\"vehicle\":\"van\",\"payload\":{\"t\":1,\"lat\":91,\"lon\":1}}\n" + drive(),
			stdout: []string{`"kind":"enter"`}, stderr: []string{"refused: line 1: ", "91 is outside"},
		},
		"replay of a format of one's own": {
			args: []string{"replay", "--geofences", yard, "--mqtt.mappings", mapping}, stdin: acmeDrive(),
			stdout: []string{`"vehicle":"van","fence":"yard","kind":"enter"`, `"kind":"exit"`},
		},
		"replay without that format": {args: []string{"replay", "--geofences", yard}, stdin: acmeDrive(), stderr: []string{"refused: line 1: "}},
		"replay with a bad mapping":  {args: []string{"replay", "--geofences", yard, "--mqtt.mappings", yard}, stdin: drive(), code: 1, stderr: []string{"mqtt.mappings: "}},
		"replay":                     {args: []string{"replay", "--geofences", yard}, stdin: drive(), stdout: []string{`"vehicle":"van","fence":"yard","kind":"enter"`, `"kind":"exit"`, `"late":false`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			env := environment{stdin: strings.NewReader(s.stdin), stdout: &stdout, stderr: &stderr}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if code := env.run(ctx, s.args); code != s.code {
				t.Errorf("exit code %d, want %d", code, s.code)
			}
			shows(t, "standard output", stdout.String(), s.stdout)
			shows(t, "standard error", stderr.String(), s.stderr)
		})
	}
}

func TestTheLogHasUnits(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	environment{stderr: &stderr}.logger(config.Log{Level: "info", Format: "json"}).Info("waiting", "wait", 1500*time.Millisecond)
	shows(t, "the log", stderr.String(), []string{`"wait":"1.5s"`})
}

// TestASignalDuringTheStart is a Ctrl-C before anything runs: an orderly end, not a fault of whatever was
// being begun.
func TestASignalDuringTheStart(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "demo"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			env := environment{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
			ctx, signal := context.WithCancel(t.Context())
			signal()
			code := env.run(ctx, []string{command, "--data.dir=" + t.TempDir(), "--http.listen=127.0.0.1:0", "--mqtt.listen=127.0.0.1:0"})
			if code != 0 || stderr.String() != "stopped before it had started\n" {
				t.Errorf("exit code %d:\n%s", code, stderr.String())
			}
		})
	}
}

func shows(t *testing.T, where, text string, parts []string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not show %q:\n%s", where, part, text)
		}
	}
}

// drive is a way due north through the yard at 10 m/s, a line a second.
func drive() string {
	var b strings.Builder
	for i := range 60 {
		at, lat := 1_700_000_000+i, 48.1+float64(10*i-300)/111_195
		fmt.Fprintf(&b, `{"rx":%d,"vehicle":"van","payload":{"t":%d,"lat":%.7f,"lon":11.5,"spd":10,"hdg":0}}`+"\n", at, at, lat)
	}
	return b.String()
}

// acmeDrive is the same in a format that only a mapping knows, from the topics of its world.
func acmeDrive() string {
	var b strings.Builder
	for i := range 60 {
		at, lat := 1_700_000_000+i, 48.1+float64(10*i-300)/111_195
		fmt.Fprintf(&b, `{"rx":%d,"topic":"acme/van/gps","payload":{"at":%d,"y":%.7f,"x":11.5,"v":36}}`+"\n", at, at, lat)
	}
	return b.String()
}

// TestTheDemoStopsCleanly starts the demo as a person would, waits for its first status, and stops it.
func TestTheDemoStopsCleanly(t *testing.T) {
	t.Parallel()
	out := &lockedBuffer{}
	env := environment{stdin: strings.NewReader(""), stdout: out, stderr: out}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- env.run(ctx, []string{"demo", "--http.listen=127.0.0.1:0", "--mqtt.listen=127.0.0.1:0", "--seed=7"})
	}()
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(out.String(), "fixes "); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no status:\n%s", out.String())
		}
	}
	stop()
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("exit code %d:\n%s", code, out.String())
		}
	case <-time.After(stopWithin + 5*time.Second):
		t.Fatal("the demo does not stop")
	}
	shows(t, "the terminal", out.String(), []string{
		"REST API      http://127.0.0.1:", "admin key     or_", "mosquitto_pub", "curl", "true crossings", "alerts delivered", "publish → send", "p99",
		"every true crossing was told once, and nothing else",
	})
}

// A hangup reads the settings again: those that may change are in force at once, the log names the others, and a file
// that is not accepted changes nothing.
func TestAHangupReadsTheSettingsAgain(t *testing.T) {
	out := &lockedBuffer{}
	env := environment{stdin: strings.NewReader(""), stdout: out, stderr: out}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log.level: info\n")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- env.run(ctx, []string{"serve", "--config", file, "--data.dir=" + t.TempDir(), "--http.listen=127.0.0.1:0", "--mqtt.listen=127.0.0.1:0"})
	}()
	told := func(what string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(out.String(), what); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never said %q:\n%s", what, out.String())
			}
		}
	}
	hangUp := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	told("started")
	write("log.level: loud\n")
	hangUp()
	told(`\"loud\" is not one of`)
	told("all stays as it was")
	write("log.level: debug\nalerts.max_age: 5h\n")
	hangUp()
	told(`"waiting":["alerts.max_age"]`)
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

// lockedBuffer is a terminal that a test reads while it is written.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
