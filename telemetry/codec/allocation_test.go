package codec_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// Whatever a long payload holds, decoding it costs no more memory than a fixed multiple of its size.
func TestAllocationIsBounded(t *testing.T) {
	const size = 64 << 10
	fill := func(before, unit, after string) string {
		return before + strings.Repeat(unit, (size-len(before)-len(after))/len(unit)) + after
	}
	payloads := map[string]string{
		"numbers":     fill("[0", ",0", "]"),
		"objects":     fill("[{}", ",{}", "]"),
		"arrays":      fill("[[]", ",[]", "]"),
		"brackets":    strings.Repeat("[", size),
		"braces":      strings.Repeat(`{"a":`, size/5),
		"locations":   fill(`{"locations":[{}`, ",{}", "]}"),
		"location":    fill(`{"header":{"msg_id":1796,"phone":"1"},"body":{"location":[{}`, ",{}", "]}}"),
		"pairs":       fill("lat=1&lon=1", "&a=%20", ""),
		"same pair":   fill("lat=1&lon=1", "&id=%20", ""),
		"lines":       fill("$A", "\n$A", ""),
		"commas":      fill("$A", ",", ""),
		"sentences":   fill("", "$GPRMC,,V*4D\n", ""),
		"GGA":         fill("", "$GPGGA*56\n", ""),
		"reports":     fill("", "+RESP:GTFRI,,7,$", ""),
		"columns":     fill("+RESP:GTFRI", ",", "$"),
		"entities":    fill("", "\x12\x00", ""),
		"vehicles":    fill("", "\x12\x02\x22\x00", ""),
		"metrics":     fill("\x08\x01", "\x12\x05\x0a\x03lat", ""),
		"values":      fill("\x08\x01", "\x12\x0e\x0a\x03lat\x69\x00\x00\x00\x00\x00\x00\x00\x00", ""),
		"signals":     fill("\x08\x01", "\x1a\x00", ""),
		"escapes":     fill(`{"`, `\u0061`, `":1}`),
		"long string": fill(`{"ident":"`, "x", `"}`),
		"thingsboard": fill(`[{"lat":1,"lon":1}`, `,{"lat":1,"lon":1}`, "]"),
	}
	names := codec.Codecs()[:17] // those that are code; mappings are read as these are
	d := codec.New(codec.Options{})
	for what, payload := range payloads {
		for _, name := range names {
			m := telemetry.Message{Topic: "fleet/a/b/" + string(name), Payload: []byte(payload), Received: time.Unix(1767225660, 0)}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = d.Decode(nil, m)
			runtime.ReadMemStats(&after)
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 160*size {
				t.Errorf("%s as %s: %d bytes for each byte of the payload", what, name, spent/size)
			}
		}
	}
}

// BenchmarkFormats decodes the first golden payload of each format.
func BenchmarkFormats(b *testing.B) {
	d := codec.New(codec.Options{})
	for _, file := range trackerFiles(b) {
		g := readGolden(b, file)[0]
		b.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/trackers/"), ".txt"), func(b *testing.B) {
			m := g.message()
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

// BenchmarkRecognition decodes a payload whose format nobody has named.
func BenchmarkRecognition(b *testing.B) {
	d := codec.New(codec.Options{})
	m := telemetry.Message{Topic: "some/where", Payload: []byte(flespiFix)}
	fixes := make([]telemetry.Fix, 0, 4)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(fixes, m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJoiner(b *testing.B) {
	j := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{})
	messages := []telemetry.Message{
		{Topic: "ovms/jane/car/metric/v/p/gpsspeed", Payload: []byte("36")},
		{Topic: "ovms/jane/car/metric/v/p/latitude", Payload: []byte("48.1")},
		{Topic: "ovms/jane/car/metric/v/p/longitude", Payload: []byte("11.5")},
	}
	fixes := make([]telemetry.Fix, 0, 4)
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range messages {
			if _, err := j.Decode(fixes, m); err != nil {
				b.Fatal(err)
			}
		}
	}
}
