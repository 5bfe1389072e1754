package codec_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

var update = flag.Bool("update", false, "write what decoding gives into testdata/trackers; read every line of the difference before it is committed")

// trackerFiles are the golden payloads of the formats beside native and OwnTracks.
func trackerFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/trackers/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	return files
}

// message is the message of a golden case.
func (g *golden) message() telemetry.Message {
	payload := g.payload
	if strings.HasPrefix(payload, "$") { // NMEA
		payload = strings.ReplaceAll(payload, `\r\n`, "\r\n")
	}
	return telemetry.Message{
		Topic: g.topic, Payload: []byte(payload), Retained: strings.Contains(g.name, "(retained)"),
		Received: time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC),
	}
}

func TestTrackers(t *testing.T) {
	t.Parallel()
	d := codec.New(codec.Options{})
	for _, file := range trackerFiles(t) {
		for _, g := range readGolden(t, file) {
			t.Run(filepath.Base(file)+"/"+g.name, func(t *testing.T) {
				got := describe(d.Decode(nil, g.message()))
				if *update {
					writeGolden(t, file, g.name, got)
					return
				}
				if diff := cmp.Diff(g.want, got); diff != "" {
					t.Errorf("%s\n%s\n(-want +got):\n%s", g.topic, g.payload, diff)
				}
			})
		}
	}
}

// writeGolden replaces the outcome of one case in a file.
func writeGolden(t *testing.T, file, name string, want []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	payloadNext, here := false, false
	for line := range strings.SplitSeq(string(b), "\n") {
		switch {
		case payloadNext:
			payloadNext = false
			out = append(out, line)
			if here {
				out = append(out, want...)
			}
			continue
		case strings.HasPrefix(line, "## "):
			here = line == "## "+name
		case strings.HasPrefix(line, "> "):
			payloadNext = true
		case here && (strings.HasPrefix(line, "= ") || strings.HasPrefix(line, "! ")):
			continue
		}
		out = append(out, line)
	}
	if err := os.WriteFile(file, []byte(strings.Join(out, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLocalTime(t *testing.T) {
	t.Parallel()
	d := codec.New(codec.Options{LocalTime: time.FixedZone("", 3600), Topics: []codec.Rule{{Filter: "ovms/#", Codec: codec.JT808}}})
	const report = `{"header":{"msg_id":512,"phone":"7"},"body":{"status":3,"latitude":31230416,"longitude":121473701,"time":"260101080000"}}`
	want := []string{"= default 7 2026-01-01T07:00:00Z 121.473701 31.230416 ign=yes"}
	for _, decoder := range []telemetry.Decoder{d, codec.NewJoiner(d, codec.JoinerOptions{})} { // a rule comes before a known topic
		got := describe(decoder.Decode(nil, telemetry.Message{Topic: "ovms/u/v/metric/v/p/latitude", Payload: []byte(report)}))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// What a decoder knows does not come from the payload's memory.
func TestFixesDoNotLiveOnThePayload(t *testing.T) {
	t.Parallel()
	d := codec.New(codec.Options{})
	for _, file := range trackerFiles(t) {
		for _, g := range readGolden(t, file) {
			m := g.message()
			got := describe(d.Decode(nil, m))
			fixes, err := d.Decode(nil, m)
			clear(m.Payload)
			if diff := cmp.Diff(got, describe(fixes, err)); diff != "" {
				t.Errorf("%s: %s", g.name, diff)
			}
		}
	}
}
