package codec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

const acmeMapping = `
mappings:
  - name: acme
    topics: ["acme/{vehicle}/gps"]
    each: data.points
    only: {path: kind, is: [gps, fix]}
    vehicle: [serial, imei]
    time: {path: at, form: bcd, zone: "+02:00"}
    latlon: where
    speed: {path: v, unit: mph}
    altitude: {path: ['["odd"]', h], unit: ft}
    heading: {path: dir, unit: rad}
    hdop: {path: "['q.h']", unit: "0.01"}
    accuracy: {path: r, unit: cm}
    ignition: key
    valid: ok
    satellites: n
`

func decodeMapped(t *testing.T, yaml, topic, payload string) []string {
	t.Helper()
	mappings, err := codec.ParseMappings([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	d := codec.New(codec.Options{Mappings: mappings})
	return describe(d.Decode(nil, telemetry.Message{Topic: topic, Payload: []byte(payload), Received: time.Unix(1767225660, 0)}))
}

func TestMapping(t *testing.T) {
	t.Parallel()
	yaml := strings.ReplaceAll(acmeMapping, `['["odd"]', h]`, `[missing, h]`)
	for _, c := range []struct {
		name, topic, payload string
		want                 []string
	}{
		{
			"every field", "acme/van-1/gps",
			`{"kind":"gps","at":"260101020000","where":"48.1, 11.5","v":22.3693629205,"h":1000,"dir":1.5707963268,"q.h":90,"r":500,"key":"on","ok":1,"n":0}`,
			[]string{"= default van-1 2026-01-01T00:00:00Z 11.5 48.1 acc=5 spd=10 hdg=90 alt=304.8 hdop=0.9 ign=yes"},
		},
		{
			"records in an array, and the flag", "acme/van-1/gps",
			`{"data":{"points":[{"kind":"fix","at":"260101020001","where":"48.2,11.5"},{"kind":"fix","at":"260101020000","where":"48.1,11.5"},{"kind":"other"},{"kind":"fix","ok":0}]}}`,
			[]string{"= default van-1 2026-01-01T00:00:00Z 11.5 48.1", "= default van-1 2026-01-01T00:00:01Z 11.5 48.2",
				"! no_fix data.points[3].ok: the number 0: the tracker says it has no position"},
		},
		{
			"the second path of the vehicle", "fleet/acme/x/acme", `{"kind":"fix","imei":"356","at":"260101020000","where":"48.1,11.5"}`,
			[]string{"= acme x 2026-01-01T00:00:00Z 11.5 48.1"},
		},
		{
			"one vehicle for the records of an array", "acme/gps",
			`{"imei":"356","data":{"points":[{"kind":"fix","at":"260101020000","where":"48.1,11.5"}]}}`,
			[]string{"! topic: \"acme/gps\" is neither fleet/{tenant}/{vehicle}/fix nor owntracks/{user}/{device}, and " +
				"the payload looks like no format that is known: name its codec in a topic rule, or describe it in a mapping"},
		},
		{
			"recognised", "any/where", `{"kind":"fix","imei":356,"at":"260101020000","where":"48.1,11.5"}`,
			[]string{"= default 356 2026-01-01T00:00:00Z 11.5 48.1"},
		},
	} {
		if diff := cmp.Diff(c.want, decodeMapped(t, yaml, c.topic, c.payload)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A mapping of the user's takes the place of a preset of the same name.
func TestMappingReplacesPreset(t *testing.T) {
	t.Parallel()
	const yaml = "mappings:\n  - {name: pui, vehicle: id, time: {form: arrival}, lat: a, lon: b}\n"
	want := []string{"= acme van-1 2026-01-01T00:01:00Z 11.5 48.1"}
	if diff := cmp.Diff(want, decodeMapped(t, yaml, "fleet/acme/van-1/pui", `{"a":48.1,"b":11.5}`)); diff != "" {
		t.Error(diff)
	}
}

func TestMappingsThatAreWrong(t *testing.T) {
	t.Parallel()
	const good = "mappings:\n  - name: a\n    time: t\n    lat: y\n    lon: x\n"
	if _, err := codec.ParseMappings([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"mapings: []":   `line 1: mapings: not known, expected "mappings"`,
		"mappings: 7":   "line 1: mappings: expected a list",
		"mappings: [7]": "line 1: expected an object",
		"{}\n---\n{}":   "more than one document",
		"mappings:\n  - name: auto\n    time: t\n    latlon: y\n": `line 2: mapping "auto": the name has a meaning of its own`,
		"[]":                   "line 1: expected an object",
		"mappings:\n\t- a":     "line 2",
		good + "    sped: v\n": "line 6: sped: no field of a mapping",
		good + "    lat: z\n":  "line 6: lat: is there twice",
		good + "    speed: {path: v, unit: furlongs}\n":                                                `line 6: speed: unit "furlongs" is not known here`,
		good + "    speed: {path: v, form: unix}\n":                                                    "line 6: form: not known here",
		good + "    speed: {unit: m/s}\n":                                                              "line 6: speed: no path",
		good + "    speed: [[v]]\n":                                                                    "line 6: speed: expected a text",
		good + "    heading: a..b\n":                                                                   `line 6: heading: path "a..b" has an empty name`,
		good + "    heading: a.\n":                                                                     `ends with a dot`,
		good + "    heading: ['[''a']\n":                                                               `not closed`,
		good + "    heading: a.b.c.d.e.f.g.h.i\n":                                                      `more than 8 names`,
		good + "    each: []\n":                                                                        "line 6: each: expected a text",
		good + "    only: {path: k, was: [x]}\n":                                                       "line 6: was: not known, expected path or is",
		good + "    topics: ['a/{car}']\n":                                                             `line 2: mapping "a": filter "a/{car}"`,
		good + "    marks: ['']\n":                                                                     `line 2: mapping "a": path "" has an empty name`,
		good + "  - name: a\n    time: t\n    latlon: p\n":                                             `line 6: the name "a" is there twice`,
		"mappings:\n  - name: a\n    lat: y\n    lon: x\n":                                             `line 2: mapping "a": no time`,
		"mappings:\n  - name: a\n    time: t\n    lat: y\n":                                            `no lat and lon, and no latlon`,
		"mappings:\n  - name: A b\n    time: t\n    latlon: y\n":                                       `small letters`,
		"mappings:\n  - name: a\n    time: {path: t, form: roman}\n    latlon: y\n":                    `line 3: form: "roman" is none of`,
		"mappings:\n  - name: a\n    time: {path: t, form: bcd, zone: Europe/Berlin}\n    latlon: y\n": `line 3: zone: "Europe/Berlin" is no offset`,
	} {
		if _, err := codec.ParseMappings([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want %s", text, err, want)
		}
	}
	if all, err := codec.ParseMappings(nil); err != nil || len(all) != 0 {
		t.Errorf("nothing: %v %v", all, err)
	}
}

func FuzzParseMappings(f *testing.F) {
	f.Add([]byte(acmeMapping), []byte(`{"kind":"fix"}`))
	f.Fuzz(func(t *testing.T, yaml, payload []byte) {
		mappings, err := codec.ParseMappings(yaml)
		if err != nil || len(mappings) == 0 {
			return
		}
		o := codec.Options{Mappings: mappings}
		if err := o.Validate(); err != nil {
			t.Fatalf("parsed, but not valid: %v", err)
		}
		fixes, _ := codec.New(o).Decode(nil, telemetry.Message{Topic: "fleet/a/b/" + string(mappings[0].Name), Payload: payload})
		for _, fix := range fixes {
			checkFix(t, fix)
		}
	})
}

func ExampleParseMappings() {
	mappings, err := codec.ParseMappings([]byte(`
mappings:
  - name: acme
    topics: ["acme/{vehicle}/gps"]
    time: {path: pos.at, form: unix}
    lat: pos.y
    lon: pos.x
    speed: {path: pos.v, unit: km/h}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	decoder := codec.New(codec.Options{Mappings: mappings})
	fixes, err := decoder.Decode(nil, telemetry.Message{
		Topic: "acme/van-7/gps", Payload: []byte(`{"pos":{"at":1767225600,"y":48.1,"x":11.5,"v":36}}`),
	})
	fmt.Println(fixes[0].Vehicle, fixes[0].Point, fixes[0].Speed, err)
	// Output: van-7 [11.5 48.1] 10 <nil>
}
