package codec_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

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
	if text, ok := strings.CutPrefix(payload, "protobuf "); ok {
		text, cut := strings.CutSuffix(text, " cut")
		payload = string(encodeProtobuf(&text))
		if cut {
			payload = payload[:len(payload)-1]
		}
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

// encodeProtobuf writes a message given as text: 1:7 is a varint, 1:1.5f a float, 1:1.5d a double, 1:"x" a text, and 1{…} a message.
func encodeProtobuf(text *string) (b []byte) {
	for {
		*text = strings.TrimLeft(*text, " ")
		end := strings.IndexAny(*text, ":{}")
		if end < 0 || (*text)[end] == '}' {
			*text = strings.TrimPrefix(*text, "}")
			return b
		}
		n, err := strconv.Atoi((*text)[:end])
		if err != nil {
			panic(*text)
		}
		number, opens := protowire.Number(n), (*text)[end] == '{'
		*text = (*text)[end+1:]
		if opens {
			b = protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), encodeProtobuf(text))
			continue
		}
		if quoted, err := strconv.QuotedPrefix(*text); err == nil {
			*text = (*text)[len(quoted):]
			s, _ := strconv.Unquote(quoted)
			b = protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
			continue
		}
		value := (*text)[:strings.IndexAny(*text+" ", " }")]
		*text = (*text)[len(value):]
		last := len(value) - 1
		f, _ := strconv.ParseFloat(value[:last], 64)
		switch v, err := strconv.ParseUint(value, 10, 64); {
		case err == nil:
			b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), v)
		case value[last] == 'f':
			b = protowire.AppendFixed32(protowire.AppendTag(b, number, protowire.Fixed32Type), math.Float32bits(float32(f)))
		case value[last] == 'd':
			b = protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), math.Float64bits(f))
		default:
			panic(value)
		}
	}
}
