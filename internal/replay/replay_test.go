package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outrider/internal/replay"
	"outrider/telemetry/codec"
)

// depot is a circle of 100 m.
const depot = `{"type":"FeatureCollection","features":[{"type":"Feature","id":"depot",
	"geometry":{"type":"Point","coordinates":[11.575,48.137]},"properties":{"name":"Depot","radius_m":100}}]}`

// run replays lines and returns what came out.
func run(t *testing.T, in string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := replay.Run(t.Context(), replay.Options{
		Geofences: strings.NewReader(depot), In: strings.NewReader(in), Out: &out, Decoder: codec.New(codec.Options{}),
	})
	return out.String(), err
}

// fix is a line of a van that drives eastwards at 14 m/s through the depot, n being tens of seconds.
func fix(rx float64, n int) string {
	return fmt.Sprintf(`{"rx":%v,"vehicle":"van","payload":{"t":%d,"lat":48.137,"lon":%.5f,"spd":14,"hdg":90,"acc":4}}`+"\n",
		rx, 1_772_438_400+10*n, 11.5700+0.00188*float64(n))
}

func TestRunTellsWhatTheLiveEngineWould(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for n := range 6 {
		in.WriteString(fix(float64(1_772_438_400+10*n)+0.5, n))
	}
	got, err := run(t, in.String())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for line := range strings.Lines(got) {
		var c struct {
			Vehicle, Fence, Kind string
			At, Emitted          float64
			Line, Confidence     int
			Late                 bool
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, fmt.Sprintf("%s %s %s %d %v %d", c.Vehicle, c.Kind, c.Fence, c.Line, c.Late, c.Confidence))
		if c.At >= c.Emitted || c.Emitted-c.At > 10 {
			t.Errorf("at %v, emitted %v", c.At, c.Emitted)
		}
	}
	want := []string{"van enter depot 3 false 3", "van exit depot 5 false 3"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestRunPutsLateFixesInTheirPlaceAtTheEnd(t *testing.T) {
	t.Parallel()
	in := fix(1_772_438_401, 0) + fix(1_772_438_411, 1) + fix(1_772_440_001, 160)
	for n := 2; n < 8; n++ {
		in += fix(1_772_440_002, n)
	}
	got, err := run(t, in)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(got, `"late":true`) != 2 || strings.Count(got, "\n") != 2 || !strings.Contains(got, `"line":9`) {
		t.Errorf("got %s", got)
	}
}

func TestRunTellsWhatTheRulesOfAFenceAskFor(t *testing.T) {
	t.Parallel()
	ruled := strings.Replace(depot, `"radius_m":100`, `"radius_m":100,"rules":{"dwell_s":12,"speed_limit_kmh":30,"silent_s":30}`, 1)
	in := fix(1_772_438_400.5, 0) + fix(1_772_438_410.5, 1) + fix(1_772_438_420.5, 2) + fix(1_772_438_430.5, 3)
	var out bytes.Buffer
	err := replay.Run(t.Context(), replay.Options{
		Geofences: strings.NewReader(ruled), In: strings.NewReader(in), Out: &out, Decoder: codec.New(codec.Options{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for line := range strings.Lines(out.String()) {
		var c struct {
			Kind string
			Line int
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, fmt.Sprint(c.Kind, " ", c.Line))
	}
	want := []string{"enter 3", "overspeed 3", "dwell 4", "silent 4"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestRunReadsOtherPayloads(t *testing.T) {
	t.Parallel()
	const owntracks = `{"rx":1772438400,"vehicle":"v1","payload":{"_type":"location","tst":1772438400,"lat":48.137,"lon":11.575}}
{"rx":1772438460,"vehicle":"v1","payload":{"_type":"location","tst":1772438460,"lat":48.147,"lon":11.575,"vel":50}}
{"rx":1772438470,"vehicle":"v1","payload":"{\"_type\":\"location\",\"tst\":1772438470,\"lat\":48.148,\"lon\":11.575,\"vel\":50}"}
`
	got, err := run(t, owntracks)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, `"vehicle":"v1","fence":"depot","kind":"exit"`) {
		t.Errorf("got %q", got)
	}
}

// Every format is read that shows in its payload, and a topic says the format and the vehicle as at the gateway.
func TestRunReadsWhatTheGatewayReads(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"by payload": `{"rx":1772438400,"vehicle":"v1","payload":{"ident":"352","timestamp":1772438400,"position.latitude":48.137,"position.longitude":11.575}}
{"rx":1772438460,"vehicle":"v1","payload":{"ident":"352","timestamp":1772438460,"position.latitude":48.147,"position.longitude":11.575,"position.speed":50}}
{"rx":1772438470,"vehicle":"v1","payload":{"ident":"352","timestamp":1772438470,"position.latitude":48.148,"position.longitude":11.575,"position.speed":50}}
`,
		"by topic": `{"rx":1772438400,"topic":"fleet/default/v1/fix","payload":{"t":1772438400,"lat":48.137,"lon":11.575}}
{"rx":1772438460,"topic":"fleet/default/v1/fix","payload":{"t":1772438460,"lat":48.147,"lon":11.575,"spd":14}}
{"rx":1772438470,"topic":"fleet/default/v1/fix","payload":{"t":1772438470,"lat":48.148,"lon":11.575,"spd":14}}
`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := run(t, in); err != nil || !strings.Contains(got, `"vehicle":"v1","fence":"depot","kind":"exit"`) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestRunNamesTheLine(t *testing.T) {
	t.Parallel()
	good := fix(1_772_438_401, 0)
	for name, bad := range map[string]string{
		"not an object": "no json\n",
		"rx":            `{"vehicle":"a","payload":{}}` + "\n",
		"rx far off":    `{"rx":1e14,"vehicle":"a","payload":{}}` + "\n",
		"vehicle":       `{"rx":1,"payload":{}}` + "\n",
		"payload":       `{"rx":1,"vehicle":"a"}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, good+good+bad)
			if at, ok := errors.AsType[*replay.LineError](err); !ok || at.Line != 3 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRunGoesOnPastARefusedPayload(t *testing.T) {
	t.Parallel()
	in := fix(1_772_438_401, 0) + `{"rx":1772438402,"vehicle":"van","payload":{"t":"yesterday","lat":91}}` + "\n" +
		fix(1_772_438_411, 1)
	lines, refused := 0, 0
	err := replay.Run(t.Context(), replay.Options{
		Geofences: strings.NewReader(depot), In: strings.NewReader(in), Out: &bytes.Buffer{}, Decoder: codec.New(codec.Options{}),
		Progress: func(line int) { lines = line },
		Refused: func(line int, err error) {
			if refused++; line != 2 || err == nil {
				t.Errorf("line %d: %v", line, err)
			}
		},
	})
	if err != nil || lines != 3 || refused == 0 {
		t.Errorf("%v, %d lines, %d refused", err, lines, refused)
	}
}

func TestRunRefusesBadGeofences(t *testing.T) {
	t.Parallel()
	for name, fences := range map[string]string{
		"no json": "x",
		"radius":  strings.Replace(depot, `"radius_m":100`, `"radius_m":-1`, 1),
		"no id":   strings.Replace(depot, `"id":"depot",`, ``, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := replay.Run(t.Context(), replay.Options{
				Geofences: strings.NewReader(fences), In: strings.NewReader(""), Out: &bytes.Buffer{}, Decoder: codec.New(codec.Options{}),
			})
			if err == nil || !strings.HasPrefix(err.Error(), "replay: geofences: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := replay.Run(ctx, replay.Options{
		Geofences: strings.NewReader(depot), In: strings.NewReader(fix(1, 0)), Out: &bytes.Buffer{}, Decoder: codec.New(codec.Options{}),
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func ExampleRun() {
	in := fix(1_772_438_400.5, 0) + fix(1_772_438_410.5, 1) + fix(1_772_438_420.5, 2) + fix(1_772_438_430.5, 3)
	err := replay.Run(context.Background(), replay.Options{
		Geofences: strings.NewReader(depot), In: strings.NewReader(in), Out: os.Stdout, Decoder: codec.New(codec.Options{}),
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: {"vehicle":"van","fence":"depot","kind":"enter","at":1772438419.449,"line":3,"emitted":1772438420.5,"late":false,"confidence":3}
}
