package codec_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// fuzzCodec feeds a codec whatever comes, beginning with the golden payloads of a file.
func fuzzCodec(f *testing.F, name codec.Codec, file string) {
	for _, g := range readGolden(f, filepath.Join("testdata", "trackers", file)) {
		f.Add(g.message().Payload, g.topic)
	}
	d := codec.New(codec.Options{Topics: []codec.Rule{{Filter: "as/told/#", Codec: name}}})
	f.Fuzz(func(t *testing.T, payload []byte, topic string) {
		for _, m := range []telemetry.Message{
			{Topic: "fleet/acme/van/" + string(name), Payload: payload}, {Topic: "as/told/" + topic, Payload: payload, Retained: true},
		} {
			m.Received = time.Unix(1767225660, 0)
			kept := bytes.Clone(payload)
			fixes, err := d.Decode(nil, m)
			if !bytes.Equal(kept, payload) {
				t.Fatal("the payload was changed")
			}
			if refused := telemetry.Refusals(err); len(fixes) > len(payload)/8 || len(refused) > 17 {
				t.Fatalf("%d bytes gave %d fixes and %d refusals", len(payload), len(fixes), len(refused))
			}
			for i, fix := range fixes {
				if checkFix(t, fix); i > 0 && fix.Time.Before(fixes[i-1].Time) {
					t.Fatal("not in device time order")
				}
			}
			if d.Explain(m).String() == "" {
				t.Fatal("no explanation")
			}
		}
	})
}

func FuzzTeltonika(f *testing.F)   { fuzzCodec(f, codec.Teltonika, "teltonika.txt") }
func FuzzOsmAnd(f *testing.F)      { fuzzCodec(f, codec.OsmAnd, "osmand.txt") }
func FuzzTraccar(f *testing.F)     { fuzzCodec(f, codec.Traccar, "traccar.txt") }
func FuzzFlespi(f *testing.F)      { fuzzCodec(f, codec.Flespi, "flespi.txt") }
func FuzzHFP(f *testing.F)         { fuzzCodec(f, codec.HFP, "hfp.txt") }
func FuzzGeoJSON(f *testing.F)     { fuzzCodec(f, codec.GeoJSON, "geojson.txt") }
func FuzzNMEA(f *testing.F)        { fuzzCodec(f, codec.NMEA, "nmea.txt") }
func FuzzJT808(f *testing.F)       { fuzzCodec(f, codec.JT808, "jt808.txt") }
func FuzzThingsBoard(f *testing.F) { fuzzCodec(f, codec.ThingsBoard, "thingsboard.txt") }
func FuzzAuto(f *testing.F)        { fuzzCodec(f, codec.Auto, "presets.txt") }
func FuzzQueclink(f *testing.F)    { fuzzCodec(f, codec.Queclink, "queclink.txt") }
func FuzzSparkplug(f *testing.F)   { fuzzCodec(f, codec.Sparkplug, "sparkplug.txt") }
func FuzzGTFS(f *testing.F)        { fuzzCodec(f, codec.GTFSRealtime, "gtfs.txt") }
func FuzzFleetWise(f *testing.F)   { fuzzCodec(f, codec.FleetWise, "fleetwise.txt") }
func FuzzVDA5050(f *testing.F)     { fuzzCodec(f, codec.VDA5050, "vda5050.txt") }
