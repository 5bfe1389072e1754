package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestOGCFeatures(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for path, says := range map[string]string{
		"/ogc": `"rel":"conformance"`, "/ogc/": `"rel":"data"`, "/ogc/conformance": "ogcapi-features-1/1.0/conf/core",
		"/ogc/collections": `"id":"geofences"`, "/ogc/collections/geofences": `"rel":"items"`,
	} {
		if a := g.must(200, "GET", path, ""); !strings.Contains(a.body, says) {
			t.Errorf("%s: %s does not say %s", path, a.body, says)
		}
	}
	items := "/ogc/collections/geofences/items"
	a := g.must(201, "POST", items, strings.Replace(depot, `"properties":{`, `"properties":{"note":null,`, 1), "Content-Type: application/geo+json")
	if !strings.HasSuffix(a.Header.Get("Location"), items+"/depot") || a.Header.Get("ETag") == "" {
		t.Errorf("created: %v", a.Header)
	}
	if a := g.must(200, "GET", items+"/depot", ""); !strings.Contains(a.body, `"radius_m":150`) || !strings.Contains(a.body, `"links"`) {
		t.Errorf("item: %s", a.body)
	}
	g.must(204, "PUT", items+"/depot", strings.Replace(depot, "150", "160", 1), "If-Match: "+a.Header.Get("ETag"))
	g.must(412, "PUT", items+"/depot", depot, "If-Match: "+a.Header.Get("ETag"))
	g.must(404, "PUT", items+"/nowhere", strings.Replace(depot, "depot", "nowhere", 1))
	if a := g.must(422, "POST", items, `{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{}}`); !strings.Contains(a.body, "body.properties.radius_m") {
		t.Errorf("a point without a radius: %s", a.body)
	}
	for path, methods := range map[string]string{items: "POST", items + "/depot": "DELETE"} {
		if a := g.call("OPTIONS", path, ""); a.StatusCode != 204 || !strings.Contains(a.Header.Get("Allow"), methods) {
			t.Errorf("OPTIONS %s: %d %q", path, a.StatusCode, a.Header.Get("Allow"))
		}
	}
	g.must(204, "DELETE", items+"/depot", "")
	g.must(404, "GET", items+"/depot", "")
	g.must(422, "GET", items+"?limit=none", "")
	g.must(422, "GET", items+"?bbox=1,2", "")
}

func TestOGCPagesAndRoles(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.must(200, "POST", "/api/v1/geofences/import", "id,lat,lon,radius_m\na,0,0,5\nb,0,1,5\nc,0,2,5\nd,0,50,5\n", upload)
	seen, path := 0, "/ogc/collections/geofences/items?limit=2&bbox=-1,-1,10,1"
	for pages := 0; path != "" && pages < 5; pages++ {
		a := g.must(200, "GET", path, "")
		var page struct {
			Features []json.RawMessage
			Links    []struct{ Rel, Href string }
			Number   int `json:"numberReturned"`
		}
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatal(err)
		}
		seen, path = seen+len(page.Features), ""
		for _, l := range page.Links {
			if u, err := url.Parse(l.Href); err == nil && l.Rel == "next" {
				path = u.RequestURI()
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d features in the box, want 3", seen)
	}
	viewer := g.key("default", "viewer")
	g.must(200, "GET", "/ogc/collections/geofences/items", "", viewer)
	g.must(403, "DELETE", "/ogc/collections/geofences/items/a", "", viewer)
	g.must(403, "GET", "/ogc/collections/geofences/items", "", viewer, "Outrider-Tenant: other")
	g.must(401, "GET", "/ogc", "", "Authorization: Bearer wrong")
	if a := g.must(200, "GET", "/ogc/collections/geofences/items", "", "Outrider-Tenant: other"); strings.Contains(a.body, `"id":"a"`) {
		t.Errorf("another tenant's: %s", a.body)
	}
}

// GDAL, which QGIS and others stand on, lists the geofences, selects by a box and copies them into a file.
func TestGDALReadsTheGeofences(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ogrinfo", "ogr2ogr"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("GDAL is not installed (Debian: gdal-bin): %v", err)
		}
	}
	g := setup(t)
	g.must(200, "POST", "/api/v1/geofences/import?order=latlon", traccar, upload)
	server := httptest.NewServer(g.handler)
	defer server.Close()
	run := func(program string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, args...)
		c.Env = append(os.Environ(), "GDAL_HTTP_HEADERS=Authorization: Bearer "+adminKey, "no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
		return string(out)
	}
	source := "OAPIF:" + server.URL + "/ogc/"
	if text := run("ogrinfo", "-al", source, "geofences"); !strings.Contains(text, "Feature Count: 2") || !strings.Contains(text, "Gate") || !strings.Contains(text, "POLYGON") {
		t.Errorf("ogrinfo says\n%s", text)
	}
	if text := run("ogrinfo", "-al", "-spat", "11.55", "48.05", "11.7", "48.3", source, "geofences"); !strings.Contains(text, "Feature Count: 1") {
		t.Errorf("of a box ogrinfo says\n%s", text)
	}
	file := filepath.Join(t.TempDir(), "copy.geojson")
	run("ogr2ogr", "-f", "GeoJSON", file, source, "geofences")
	copied, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(copied), `"radius_m": 150`) {
		t.Errorf("ogr2ogr wrote %s, %v", copied, err)
	}
	if got := g.call(http.MethodPost, "/api/v1/geofences/import?mode=check", string(copied), upload); got.StatusCode != http.StatusOK {
		t.Errorf("the copy cannot be read again: %s", got.body)
	}
}
