package codec_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// golden is one case of a file in testdata.
type golden struct {
	name, topic, payload string
	want                 []string
}

// readGolden reads a file: "## title", "> topic", the payload on one line, then lines that begin with = or !.
func readGolden(t testing.TB, file string) (cases []golden) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	payloadNext := false
	for line := range strings.SplitSeq(string(b), "\n") {
		last := len(cases) - 1
		switch {
		case payloadNext:
			cases[last].payload, payloadNext = line, false
		case strings.HasPrefix(line, "## "):
			cases = append(cases, golden{name: line[3:]})
		case strings.HasPrefix(line, "> "):
			topic, err := strconv.Unquote(`"` + line[2:] + `"`)
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			cases[last].topic, payloadNext = topic, true
		case strings.HasPrefix(line, "= "), strings.HasPrefix(line, "! "):
			cases[last].want = append(cases[last].want, line)
		case line != "" && line[0] != '#':
			t.Fatalf("%s: what is %q?", file, line)
		}
	}
	return cases
}

func goldenFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	return files
}

// describe writes the outcome of decoding as the golden files do.
func describe(fixes []telemetry.Fix, err error) (lines []string) {
	for _, f := range fixes {
		lines = append(lines, "= "+describeFix(f))
	}
	for _, r := range telemetry.Refusals(err) {
		where := string(r.Reason)
		if r.Field != "" {
			where += " " + r.Field
		}
		lines = append(lines, "! "+where+": "+r.Detail)
	}
	return lines
}

func describeFix(f telemetry.Fix) string {
	s := fmt.Sprintf("%s %s %s %v %v", bare(string(f.Tenant)), bare(string(f.Vehicle)), f.Time.Format(time.RFC3339Nano), f.Point.Lon(), f.Point.Lat())
	for _, n := range []struct {
		name  string
		value float64
	}{{"acc", f.Accuracy}, {"spd", f.Speed}, {"hdg", f.Heading}, {"alt", f.Altitude}, {"hdop", f.HDOP}, {"batt", f.Battery}} {
		if !math.IsNaN(n.value) {
			s += fmt.Sprintf(" %s=%.10g", n.name, n.value)
		}
	}
	return s + map[telemetry.Tristate]string{telemetry.Yes: " ign=yes", telemetry.No: " ign=no"}[f.Ignition]
}

func bare(id string) string {
	if strings.Contains(id, " ") {
		return strconv.Quote(id)
	}
	return id
}

func TestGolden(t *testing.T) {
	t.Parallel()
	d := codec.New(codec.Options{})
	for _, file := range goldenFiles(t) {
		for _, g := range readGolden(t, file) {
			t.Run(filepath.Base(file)+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				m := telemetry.Message{
					Topic: g.topic, Payload: []byte(g.payload), Retained: true,
					Received: time.Date(2026, 1, 1, 0, 1, 0, 123456789, time.FixedZone("", 3600)),
				}
				fixes, err := d.Decode(nil, m)
				if diff := cmp.Diff(g.want, describe(fixes, err)); diff != "" {
					t.Errorf("%s\n%s\n(-want +got):\n%s", g.topic, g.payload, diff)
				}
				for _, f := range fixes {
					if want := time.Date(2025, 12, 31, 23, 1, 0, 123456000, time.UTC); f.Received != want || !f.Retained {
						t.Errorf("received %v, retained %v", f.Received, f.Retained)
					}
				}
			})
		}
	}
}
