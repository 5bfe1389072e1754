package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Geofences of another product go in, whole or not at all, and come out in another form.
func TestGeofencesGoInAndOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "traccar.wkt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data := "--data.dir=" + filepath.Join(dir, "data")
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		env := environment{stdin: strings.NewReader(""), stdout: &out, stderr: &out}
		if code := env.run(t.Context(), append([]string{"geofences"}, args...)); code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	write("Depot;POLYGON ((48.1 11.5, 48.1 11.6, 48.2 11.6, 48.1 11.5))\nGate;CIRCLE (98.1 11.5, 150)\n")
	if text := run(1, "import", file, "--order", "latlon", data); !strings.Contains(text, `FAIL  features[1] line 2 "gate" geometry.coordinates: latitude 98.1`) || !strings.Contains(text, "none was imported") {
		t.Errorf("a bad file: %s", text)
	}
	if text := run(0, "export", data, "--format", "csv"); strings.Count(text, "\n") != 1 {
		t.Errorf("half of it is there: %s", text)
	}
	write("Depot;POLYGON ((48.1 11.5, 48.1 11.6, 48.2 11.6, 48.1 11.5))\nGate;CIRCLE (48.1 11.5, 150)\n")
	if text := run(0, "import", file, "--order=latlon", data); !strings.Contains(text, "2 geofences imported into tenant default") {
		t.Errorf("a good file: %s", text)
	}
	out := filepath.Join(dir, "all.kml")
	run(0, "export", out, data)
	kml, err := os.ReadFile(out)
	if err != nil || strings.Count(string(kml), "<Placemark>") != 2 {
		t.Errorf("exported %s, %v", kml, err)
	}
	if text := run(0, "export", data, "--format", "csv"); !strings.Contains(text, "gate,Gate,48.1,11.5,150") || !strings.Contains(text, "1 geofences are left out") {
		t.Errorf("as CSV: %s", text)
	}
	if text := run(0, "check", out); !strings.Contains(text, "2 good") {
		t.Errorf("what was written does not read: %s", text)
	}
	run(2, "import", file, "--order", "north", data)
	run(2, "import", data)
}
