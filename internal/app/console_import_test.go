package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

const brokenKML = `<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>Yard</name><Polygon><outerBoundaryIs><LinearRing><coordinates>11.5,48.1 11.51,48.1 11.51,48.11 11.5,48.11</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>Bow</name><Polygon><outerBoundaryIs><LinearRing><coordinates>11.5,48.1 11.51,48.11 11.51,48.1 11.5,48.11 11.5,48.1</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
</Document></kml>
`

// A fleet admin drops a KML file with a broken ring, sees which one and why, and imports the file once it is mended.
func TestConsoleImport(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 900)
	dir := t.TempDir()
	broken, good := filepath.Join(dir, "areas.kml"), filepath.Join(dir, "gate.wkt")
	must(t, os.WriteFile(broken, []byte(brokenKML), 0o600))
	must(t, os.WriteFile(good, []byte("Gate;CIRCLE (48.1 11.5, 150)\n"), 0o600))

	p.Go(r.url("/#/import"))
	p.WaitText("h1", "Import and export")
	p.Upload(`input[type="file"]`, broken)
	p.WaitText(".report", "1 of 2 can be used, 1 of them after a repair; 1 refused")
	p.WaitText(".report table", "Bow")
	p.WaitText(".report .faults", "crosses the edge")
	p.Wait(`document.querySelector('.drop button.primary').disabled`)
	p.Shot("import-refused")

	p.Upload(`input[type="file"]`, good)
	p.WaitText(".report", "1 of 1 can be used")
	p.Click(".drop button.primary")
	p.WaitText(".toast", "1 geofences imported")
	r.call(t, http.MethodGet, "geofences/gate", nil, http.StatusOK)
	if n := len(r.call(t, http.MethodGet, "geofences", nil, http.StatusOK)["features"].([]any)); n != 1 {
		t.Errorf("%d geofences, want 1", n)
	}
}
