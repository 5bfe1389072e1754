package console_test

import (
	"fmt"
	"strings"
	"testing"
)

const traccar = "Depot;POLYGON ((48.1 11.5, 48.1 11.6, 48.2 11.6, 48.1 11.5))\nGate;CIRCLE (48.1 11.5, 150)\n"

// upload is the header of a file's body.
const upload = "Content-Type: application/octet-stream"

func TestAFileIsImportedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	g := setup(t)
	bad := `{"type":"FeatureCollection","features":[` + depot + `,{"type":"Feature","id":"x","geometry":{"type":"Point","coordinates":[11,98]},"properties":{"radius_m":5}}]}`
	a := g.must(422, "POST", "/api/v1/geofences/import", bad, upload)
	for _, part := range []string{`"read":2`, `"good":1`, `"refused":1`, `"stored":0`, `"index":1`, `"field":"geometry.coordinates"`, "latitude 98"} {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s does not say %s", a.body, part)
		}
	}
	if a := g.must(200, "GET", "/api/v1/geofences", ""); !strings.Contains(a.body, `"features":[]`) {
		t.Errorf("half a file was imported: %s", a.body)
	}
	if a := g.must(200, "POST", "/api/v1/geofences/import?mode=check&order=latlon", traccar, upload); !strings.Contains(a.body, `"good":2`) || !strings.Contains(a.body, `"stored":0`) {
		t.Errorf("check: %s", a.body)
	}
	for range 2 { // the same again replaces the same
		a = g.must(200, "POST", "/api/v1/geofences/import?order=latlon&tag=traccar", traccar, upload)
		if !strings.Contains(a.body, `"stored":2`) {
			t.Errorf("import: %s", a.body)
		}
	}
	if g.fences != 2 {
		t.Errorf("put in force %d times, want 2", g.fences)
	}
	list := g.must(200, "GET", "/api/v1/geofences", "").body
	if strings.Count(list, `"type":"Feature"`) != 2 || !strings.Contains(list, `"id":"depot"`) || strings.Count(list, `"tags":["traccar"]`) != 2 {
		t.Errorf("after the import: %s", list)
	}
	g.must(422, "POST", "/api/v1/geofences/import", "hello", upload)
	g.must(415, "POST", "/api/v1/geofences/import", traccar, "Content-Type: image/png")
}

func TestGeofencesAreExported(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.must(200, "POST", "/api/v1/geofences/import?order=latlon", traccar, upload)
	for format, says := range map[string]string{
		"geojson": `"id":"gate"`, "kml": "<name>Gate</name>", "wkt": "Gate;CIRCLE (48.1 11.5, 150)", "csv": "gate,Gate,48.1,11.5,150", "gpx": "<name>Gate</name>",
	} {
		a := g.must(200, "GET", "/api/v1/geofences/export?format="+format, "")
		if !strings.Contains(a.body, says) || !strings.Contains(a.Header.Get("Content-Disposition"), "geofences."+format) {
			t.Errorf("%s: %v %s", format, a.Header, a.body)
		}
	}
	if a := g.must(200, "GET", "/api/v1/geofences/export?format=wkt&bbox=11.55,48.05,11.7,48.3", ""); strings.Contains(a.body, "Gate") || !strings.Contains(a.body, "Depot") {
		t.Errorf("of a box: %s", a.body)
	}
	if a := g.must(200, "GET", "/api/v1/geofences/export", "", "Outrider-Tenant: other"); strings.Contains(a.body, "Gate") {
		t.Errorf("another tenant's: %s", a.body)
	}
	g.must(422, "GET", "/api/v1/geofences/export?bbox=1,2,3", "")
	g.must(422, "GET", "/api/v1/geofences/export?format=tile38", "")
}

// Lists choose by place and by tag, page by page.
func TestGeofencesAreChosen(t *testing.T) {
	t.Parallel()
	g := setup(t)
	var file strings.Builder
	file.WriteString("id,lat,lon,radius_m,tags\n")
	for i := range 40 {
		tag := "even"
		if i%2 == 1 {
			tag = "odd"
		}
		fmt.Fprintf(&file, "f%02d,0,%d,10,%s\n", i, i*9-180, tag)
	}
	g.must(200, "POST", "/api/v1/geofences/import", file.String(), upload)
	count := func(query string) int {
		n, next := 0, ""
		for {
			a := g.must(200, "GET", "/api/v1/geofences?limit=3&"+query+next, "")
			n += strings.Count(a.body, `"type":"Feature"`)
			link := a.Header.Get("Link")
			if link == "" {
				return n
			}
			next = "&cursor=" + strings.Split(strings.Split(link, "cursor=")[1], "&")[0]
			next = strings.TrimSuffix(strings.Split(next, ">")[0], ">")
		}
	}
	for query, want := range map[string]int{
		"": 40, "tag=odd": 20, "tag=none": 0, "bbox=-10,-1,10,1": 3, "bbox=-10,-1,10,1&tag=odd": 2, "bbox=170,-1,-170,1": 3, "bbox=-10,2,10,3": 0,
	} {
		if got := count(query); got != want {
			t.Errorf("%q: %d, want %d", query, got, want)
		}
	}
	g.must(422, "GET", "/api/v1/geofences?bbox=here", "")
}
