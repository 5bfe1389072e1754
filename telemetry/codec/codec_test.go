package codec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

func native(payload string) telemetry.Message {
	return telemetry.Message{Topic: "fleet/acme/van-1/fix", Payload: []byte(payload)}
}

func TestPayloadLimit(t *testing.T) {
	t.Parallel()
	const fix = `{"t":1767225600,"lat":48.1,"lon":11.5}`
	padded := func(n int) string { return fix + strings.Repeat(" ", n-len(fix)) }
	for _, c := range []struct {
		o    codec.Options
		size int
		good bool
	}{
		{codec.Options{}, 256 << 10, true},
		{codec.Options{}, 256<<10 + 1, false},
		{codec.Options{MaxPayload: 100}, 100, true},
		{codec.Options{MaxPayload: 100}, 101, false},
	} {
		fixes, err := codec.New(c.o).Decode(nil, native(padded(c.size)))
		if refused := telemetry.Refusals(err); c.good != (len(fixes) == 1) || !c.good && refused[0].Reason != telemetry.ReasonTooLarge {
			t.Errorf("%d bytes: %d fixes, %v", c.size, len(fixes), err)
		}
	}
}

func TestManyBadElementsAreToldAsANumber(t *testing.T) {
	t.Parallel()
	fixes, err := codec.New(codec.Options{}).Decode(nil, native("["+strings.Repeat("0,", 1000)+`{"t":1767225600,"lat":48.1,"lon":11.5}]`))
	refused := telemetry.Refusals(err)
	if len(fixes) != 1 || len(refused) != 17 || refused[16].Detail != "and 984 more elements were refused" {
		t.Errorf("%d fixes, %d refusals, the last %v", len(fixes), len(refused), refused[len(refused)-1])
	}
}

func TestNesting(t *testing.T) {
	t.Parallel()
	for depth, good := range map[int]bool{63: true, 64: false, 100_000: false} {
		payload := `{"t":1767225600,"lat":48.1,"lon":11.5,"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"
		fixes, err := codec.New(codec.Options{}).Decode(nil, native(payload))
		if good != (len(fixes) == 1 && err == nil) {
			t.Errorf("depth %d: %d fixes, %v", depth, len(fixes), err)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 128)
	for topic, good := range map[string]bool{
		"fleet/" + long + "/" + long + "/fix":      true,
		"fleet/" + long + "x/a/fix":                false,
		"fleet/a/" + long + "x/fix":                false,
		"owntracks/" + long[:63] + "/" + long[:64]: true,
		"owntracks/" + long[:64] + "/" + long[:64]: false,
		"fleet/a\x00/b/fix":                        false,
		"fleet/a/b\u0085/fix":                      false,
		"fleet/a/\xff/fix":                         false,
		"fleet/+/b/fix":                            false,
		"fleet/a/b/fix/":                           false,
		"fleet/a/b/FIX":                            false,
		"Fleet/a/b/fix":                            false,
		"fleet":                                    false,
		"":                                         false,
	} {
		tenant, vehicle := codec.TopicOwner(topic)
		if named := tenant != "" && vehicle != ""; named != good {
			t.Errorf("%q names %q %q", topic, tenant, vehicle)
		}
		m := native(`{"t":1767225600,"lat":48.1,"lon":11.5}`)
		m.Topic = topic
		fixes, err := codec.New(codec.Options{}).Decode(nil, m)
		if good != (len(fixes) == 1) || !good && telemetry.Refusals(err)[0].Reason != telemetry.ReasonTopic {
			t.Errorf("%q: %d fixes, %v", topic, len(fixes), err)
		}
	}
}

func TestDecodeAppends(t *testing.T) {
	t.Parallel()
	before := []telemetry.Fix{telemetry.NewFix("x", "y", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), orb.Point{1, 2})}
	m := native(`[{"t":1767225601,"lat":48.2,"lon":11.5},{"t":1767225600,"lat":48.1,"lon":11.5}]`)
	fixes, err := codec.New(codec.Options{}).Decode(before, m)
	if err != nil || len(fixes) != 3 || fixes[0].Vehicle != "y" || !fixes[1].Time.Before(fixes[2].Time) {
		t.Errorf("%v %v", fixes, err)
	}
	copied := slices.Clone(fixes)
	clear(m.Payload) // a fix must not live on it
	if diff := cmp.Diff(copied, fixes, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

// What is written is read again, as precisely as the format says.
func TestAppendAndDecode(t *testing.T) {
	t.Parallel()
	d := codec.New(codec.Options{})
	maybe := func(t *rapid.T, name string, least, most float64) float64 {
		if rapid.Bool().Draw(t, name+" unknown") {
			return telemetry.Unknown()
		}
		return rapid.Float64Range(least, most).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := telemetry.NewFix("default", "u/d", time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "t")).UTC(),
			orb.Point{rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat")})
		f.Accuracy, f.Speed, f.Heading = maybe(t, "acc", 1, 1e4), maybe(t, "spd", 0, 300), maybe(t, "hdg", 0, 359)
		f.Altitude, f.HDOP = maybe(t, "alt", -400, 9000), maybe(t, "hdop", 0.5, 50)
		f.Ignition = telemetry.Tristate(rapid.IntRange(0, 2).Draw(t, "ign"))
		f.Received = time.UnixMicro(0).UTC()

		near := cmp.Comparer(func(a, b orb.Point) bool { return math.Abs(a[0]-b[0]) <= 1e-7 && math.Abs(a[1]-b[1]) <= 1e-7 })
		got, err := d.Decode(nil, telemetry.Message{Topic: "owntracks/u/d", Payload: codec.AppendNative(nil, f), Received: f.Received})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]telemetry.Fix{f}, got, near, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 0.0051)); diff != "" {
			t.Fatal(diff)
		}

		got, err = d.Decode(nil, telemetry.Message{Topic: "owntracks/u/d", Payload: codec.AppendOwnTracks(nil, f), Received: f.Received})
		if err != nil {
			t.Fatal(err)
		}
		f.Time, f.Ignition, f.HDOP = f.Time.Truncate(time.Second), telemetry.UnknownState, telemetry.Unknown()
		if diff := cmp.Diff([]telemetry.Fix{f}, got, near, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDecodingAllocatesNothing(t *testing.T) {
	d := codec.New(codec.Options{})
	fixes := make([]telemetry.Fix, 0, 4)
	for _, m := range benchmarked() {
		n := testing.AllocsPerRun(100, func() {
			if got, err := d.Decode(fixes[:0], m); err != nil || len(got) == 0 {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", m.Payload, n)
		}
	}
}

func benchmarked() map[string]telemetry.Message {
	return map[string]telemetry.Message{
		"native":   native(`{"t":1767225600.5,"lat":48.1374301,"lon":11.5754901,"acc":5,"spd":13.9,"hdg":270,"alt":520,"hdop":0.9,"ign":true}`),
		"rfc3339":  native(`{"t":"2026-01-01T00:00:00.5Z","lat":48.1374301,"lon":11.5754901}`),
		"reversed": native(`[{"t":1767225601,"lat":48.1374301,"lon":11.5754901},{"t":1767225600,"lat":48.1374301,"lon":11.5754901}]`),
		"owntracks": {Topic: "owntracks/jane/phone", Payload: []byte(`{"_type":"location","acc":12,"alt":519,"batt":87,"bs":1,"cog":270,"conn":"m",` +
			`"created_at":1767225605,"lat":48.1374301,"lon":11.5754901,"m":1,"t":"t","tid":"jp","tst":1767225600,"vac":3,"vel":36}`)},
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, m := range benchmarked() {
		b.Run(name, func(b *testing.B) {
			d := codec.New(codec.Options{})
			fixes := make([]telemetry.Fix, 0, 4)
			b.ReportAllocs()
			b.SetBytes(int64(len(m.Payload)))
			for b.Loop() {
				if _, err := d.Decode(fixes, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncodingJSON is the same work by the standard library, to compare with.
func BenchmarkEncodingJSON(b *testing.B) {
	m := benchmarked()["owntracks"]
	b.ReportAllocs()
	for b.Loop() {
		var v struct {
			Type                         string `json:"_type"`
			Tst, Lat, Lon, Acc, Vel, Cog *float64
		}
		if err := json.Unmarshal(m.Payload, &v); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDecode holds whatever comes against encoding/json.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		for _, g := range readGolden(f, file) {
			f.Add(strings.HasPrefix(g.topic, "owntracks"), []byte(g.payload))
		}
	}
	d := codec.New(codec.Options{})
	f.Fuzz(func(t *testing.T, ownTracks bool, payload []byte) {
		m := telemetry.Message{Topic: "fleet/acme/van/fix", Payload: payload}
		if ownTracks {
			m.Topic = "owntracks/u/d"
		}
		kept := bytes.Clone(payload)
		fixes, err := d.Decode(nil, m)
		if !bytes.Equal(kept, payload) {
			t.Fatal("the payload was changed")
		}
		if ownTracks && !json.Valid(payload) && bytes.Count(payload, []byte(",")) == 9 && len(fixes) <= 1 && err == nil {
			for _, fix := range fixes { // a line of the Greenwich edition
				checkFix(t, fix)
			}
			return
		}
		tooDeep := strings.Contains(fmt.Sprint(err), "nested deeper")
		if !json.Valid(payload) && err == nil || json.Valid(payload) && !tooDeep && hasReason(err, telemetry.ReasonMalformed) {
			t.Fatalf("encoding/json says valid: %v; decoded %d, %v", json.Valid(payload), len(fixes), err)
		}
		for i, fix := range fixes {
			checkFix(t, fix)
			if i > 0 && fix.Time.Before(fixes[i-1].Time) {
				t.Fatal("not in device time order")
			}
		}
		if len(fixes) == 1 && payload[0] == '{' {
			compareWithJSON(t, fixes[0], payload)
		}
	})
}

func hasReason(err error, r telemetry.Reason) bool {
	return slices.ContainsFunc(telemetry.Refusals(err), func(x *telemetry.Refusal) bool {
		return x.Reason == r && !strings.HasSuffix(x.Detail, "more elements were refused")
	})
}

func checkFix(t *testing.T, f telemetry.Fix) {
	t.Helper()
	if f.Tenant == "" || f.Vehicle == "" || !(math.Abs(f.Point.Lat()) <= 90) || !(math.Abs(f.Point.Lon()) <= 180) {
		t.Fatalf("%+v", f)
	}
	for name, v := range map[string]float64{"acc": f.Accuracy, "spd": f.Speed, "hdg": f.Heading, "hdop": f.HDOP} {
		if v < 0 || v > 1e7 {
			t.Fatalf("%s %v", name, v)
		}
	}
	if f.Heading >= 360 || f.Time.Nanosecond()%int(time.Millisecond) != 0 {
		t.Fatalf("%+v", f)
	}
}

// compareWithJSON checks the place against what encoding/json finds under the same names.
func compareWithJSON(t *testing.T, f telemetry.Fix, payload []byte) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]float64{"lat": f.Point.Lat(), "lon": f.Point.Lon()} {
		var want float64
		if err := json.Unmarshal(members[name], &want); err != nil {
			var text string
			if json.Unmarshal(members[name], &text) != nil {
				t.Fatalf("%s is %s", name, members[name])
			}
			continue // a number in a string, which strconv reads in more forms
		}
		if got != want {
			t.Fatalf("%s is %v, encoding/json says %v", name, got, want)
		}
	}
}

func ExampleDecoder_Decode() {
	decoder := codec.New(codec.Options{})
	fixes, err := decoder.Decode(nil, telemetry.Message{
		Topic:    "fleet/acme/van-1/fix",
		Payload:  []byte(`[{"t":1767225660,"lat":48.2,"lon":11.5,"spd":13.9},{"t":1767225600,"lat":91,"lon":11.5}]`),
		Received: time.Date(2026, 1, 1, 0, 2, 0, 0, time.UTC),
	})
	for _, f := range fixes {
		fmt.Println(f.Tenant, f.Vehicle, f.Time.Format(time.TimeOnly), f.Point, f.Speed)
	}
	fmt.Println(err)
	// Output:
	// acme van-1 00:01:00 [11.5 48.2] 13.9
	// telemetry: range: [1].lat: 91 is outside -90 to 90 degrees
}

func ExampleAppendNative() {
	fix := telemetry.NewFix("acme", "van-1", time.UnixMilli(1767225600500), orb.Point{11.5, 48.1})
	fix.Speed = 13.9
	fmt.Printf("%s\n", codec.AppendNative(nil, fix))
	// Output: {"t":1767225600.5,"lat":48.1,"lon":11.5,"spd":13.9}
}

func ExampleAppendOwnTracks() {
	fix := telemetry.NewFix("default", "jane/phone", time.Unix(1767225600, 0), orb.Point{11.5, 48.1})
	fix.Speed = 10
	fmt.Printf("%s\n", codec.AppendOwnTracks(nil, fix))
	// Output: {"_type":"location","tst":1767225600,"lat":48.1,"lon":11.5,"vel":36}
}

func ExampleTopicOwner() {
	fmt.Println(codec.TopicOwner("owntracks/jane/phone"))
	fmt.Println(codec.TopicOwner("fleet/acme/van-1/fix"))
	// Output:
	// default jane/phone
	// acme van-1
}
