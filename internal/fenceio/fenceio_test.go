package fenceio_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"iter"
	"strings"
	"testing"

	"outrider/internal/fenceio"
	"outrider/internal/fencejson"
)

// told is what was found in a file, a line each.
func told(t *testing.T, text string, o fenceio.Options) string {
	t.Helper()
	var b strings.Builder
	for f := range fenceio.Read(strings.NewReader(text), o) {
		if f.Err != nil {
			fmt.Fprintf(&b, "%d line %d FAULT %v\n", f.Index, f.Line, f.Err)
			continue
		}
		x := f.Feature
		fmt.Fprintf(&b, "%d line %d %s %s %q r=%v w=%v %v %d\n", f.Index, f.Line, x.ID, x.Kind, x.Name, x.Radius, x.Width, x.Tags, len(f.Repairs))
	}
	return b.String()
}

const ring = "11.5,48.1 11.6,48.1 11.6,48.2 11.5,48.2 11.5,48.1"

func kml(placemarks string) string {
	return `<?xml version="1.0"?>` + "\n" + `<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>` + "\n" + placemarks + `</Folder></Document></kml>`
}

func TestFilesOfOtherProducts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text    string
		options fenceio.Options
		want    string
	}{
		"geojson": {
			`{"type":"FeatureCollection","features":[
			{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[11,48]},"properties":{"radius_m":50}},
			{"type":"Feature","geometry":{"type":"Point","coordinates":[11,48]},"properties":{"name":"Main Yard!","radius_m":50}},
			{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[11,48]},"properties":{"radius_m":50}},
			{"type":"Feature","id":"b","geometry":{"type":"Point","coordinates":[11,98]},"properties":{"radius_m":50}}]}`,
			fenceio.Options{},
			"0 line 0 a circle \"\" r=50 w=0 [] 0\n1 line 0 main-yard circle \"Main Yard!\" r=50 w=0 [] 0\n" +
				"2 line 0 FAULT fencejson: id: \"a\" is taken by the geofence of index 0\n3 line 0 FAULT fencejson: geometry.coordinates: latitude 98 is outside -90 to 90\n",
		},
		"geojson sequence": {
			"\x1e{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[11,48]},\"properties\":{\"radius_m\":50}}\n\x1e{\"type\":\"Feature\",\"id\":\"b\",\"geometry\":{\"type\":\"LineString\",\"coordinates\":[[11,48],[12,48]]},\"properties\":null}\n",
			fenceio.Options{Width: 40},
			"0 line 0 a circle \"\" r=50 w=0 [] 0\n1 line 0 b corridor \"\" r=0 w=40 [] 0\n",
		},
		"Azure Maps":  {`{"type":"Feature","geometry":{"type":"Point","coordinates":[11,48]},"properties":{"geometryId":"7","subType":"Circle","radius":120}}`, fenceio.Options{}, "0 line 0 7 circle \"\" r=120 w=0 [] 0\n"},
		"TomTom":      {`{"type":"Feature","geometry":{"type":"Point","coordinates":[11,48]},"properties":{"name":"HQ","shapeType":"Circle","radius":75}}`, fenceio.Options{}, "0 line 0 hq circle \"HQ\" r=75 w=0 [] 0\n"},
		"cut geojson": {`{"type":"FeatureCollection","features":[{"type":"Fea`, fenceio.Options{}, "0 line 0 FAULT fencejson: the file ends in the middle of a feature\n"},
		"kml": {
			kml(`<Placemark><name>Yard</name><Polygon><outerBoundaryIs><LinearRing><coordinates>` + ring + `</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark id="p"><name>Gate</name><Point><coordinates>11.5,48.1,0</coordinates></Point></Placemark>
<Placemark><name>Way</name><LineString><coordinates>11.5,48.1 11.6,48.1</coordinates></LineString></Placemark>
<Placemark><name>Bow</name><Polygon><outerBoundaryIs><LinearRing><coordinates>11.5,48.1 11.6,48.2 11.6,48.1 11.5,48.2 11.5,48.1</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>Odd</name><Polygon><outerBoundaryIs><LinearRing><coordinates>here</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>Nothing</name></Placemark>
`),
			fenceio.Options{Radius: 80, Width: 30},
			"0 line 3 yard polygon \"Yard\" r=0 w=0 [] 0\n1 line 4 p circle \"Gate\" r=80 w=0 [] 0\n2 line 5 way corridor \"Way\" r=0 w=30 [] 0\n" +
				"3 line 6 FAULT fencejson: geometry.coordinates[0][0]: the edge from corner 0 (11.5 48.1) to corner 1 (11.6 48.2) crosses the edge from corner 2 (11.6 48.1) to corner 3 (11.5 48.2)\n" +
				"4 line 7 FAULT fencejson: \"Odd\": the position \"here\" is not longitude,latitude\n5 line 8 FAULT fencejson: \"Nothing\": has no polygon, line or single point\n",
		},
		"gpx": {
			`<gpx version="1.1"><wpt lat="48.1" lon="11.5"><name>Stop</name></wpt><rte><name>R</name><rtept lat="48" lon="11"/><rtept lat="48" lon="12"/></rte>` +
				`<trk><name>T</name><trkseg><trkpt lat="48" lon="11"/><trkpt lat="49" lon="11"/></trkseg><trkseg><trkpt lat="48" lon="12"/><trkpt lat="49" lon="12"/></trkseg></trk></gpx>`,
			fenceio.Options{Radius: 25, Width: 10},
			"0 line 1 stop circle \"Stop\" r=25 w=0 [] 0\n1 line 1 r corridor \"R\" r=0 w=10 [] 0\n2 line 1 t corridor \"T\" r=0 w=10 [] 0\n",
		},
		"Traccar": {
			"CIRCLE (48.1 11.5, 150)\nDepot;POLYGON ((48.1 11.5, 48.1 11.6, 48.2 11.6, 48.1 11.5))\nLINESTRING (48.1 11.5, 48.2 11.6)\nRECTANGLE (1 2)\n",
			fenceio.Options{LatLon: true, Width: 20},
			"0 line 1 f-", // the id is of the geometry
		},
		"csv": {
			"id;Name;Latitude;Longitude;Radius;Tags\n1;Depot;48.1;11.5;50;north cold\n2;;48.2;eleven;50;\n;Hof;48.3;11.6;;\n",
			fenceio.Options{Radius: 60},
			"0 line 2 1 circle \"Depot\" r=50 w=0 [north cold] 0\n1 line 3 FAULT fencejson: lon is \"eleven\"; expected a number\n2 line 4 hof circle \"Hof\" r=60 w=0 [] 0\n",
		},
		"Tile38": {
			"SETHOOK warehouse http://10.0.20.78/endpoint NEARBY fleet FENCE POINT 33.5123 -112.2693 500\n" +
				`SETCHAN area WITHIN fleet FENCE DETECT enter,exit OBJECT {"type":"Polygon","coordinates":[[[11,48],[12,48],[12,49],[11,48]]]}` + "\n" +
				"SETCHAN box INTERSECTS fleet FENCE BOUNDS 48 11 49 12\nSETCHAN other WITHIN fleet FENCE GET areas one\n",
			fenceio.Options{},
			"0 line 1 warehouse circle \"warehouse\" r=500 w=0 [] 0\n1 line 2 area polygon \"area\" r=0 w=0 [] 1\n2 line 3 box polygon \"box\" r=0 w=0 [] 1\n" +
				"3 line 4 FAULT fencejson: the fence's area is none of POINT, CIRCLE, BOUNDS and OBJECT\n",
		},
		"nothing known": {"hello world", fenceio.Options{}, "0 line 0 FAULT fenceio: the format of the file cannot be told"},
		"an entity bomb": {
			`<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><kml><Placemark><name>&b;</name></Placemark></kml>`, fenceio.Options{},
			"0 line 1 FAULT fencejson: the document cannot be read:",
		},
	} {
		if got := told(t, c.text, c.options); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// all is one geofence of each sort.
const all = `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"circle","geometry":{"type":"Point","coordinates":[11.5,48.1]},"properties":{"name":"C & <D>","shape":"circle","radius_m":150.5,"tags":["a","b"]}},
{"type":"Feature","id":"polygon","geometry":{"type":"Polygon","coordinates":[[[11,48],[11.1,48],[11.1,48.1],[11,48.1],[11,48]],[[11.02,48.02],[11.02,48.04],[11.04,48.04],[11.02,48.02]]]},"properties":{"name":"P","shape":"polygon"}},
{"type":"Feature","id":"multi","geometry":{"type":"MultiPolygon","coordinates":[[[[11,48],[11.1,48],[11.1,48.1],[11,48]]],[[[12,48],[12.1,48],[12.1,48.1],[12,48]]]]},"properties":{"name":"M","shape":"polygon"}},
{"type":"Feature","id":"corridor","geometry":{"type":"LineString","coordinates":[[11,48],[11.1,48.05]]},"properties":{"name":"W","shape":"corridor","width_m":40}},
{"type":"Feature","id":"wire","geometry":{"type":"MultiLineString","coordinates":[[[11,48],[11.1,48.05]],[[12,48],[12.1,48.05]]]},"properties":{"name":"T","shape":"tripwire"}}
]}`

func features(t *testing.T, text string) []*fencejson.Feature {
	t.Helper()
	var list []*fencejson.Feature
	for f := range fenceio.Read(strings.NewReader(text), fenceio.Options{Width: 40}) {
		if f.Err != nil {
			t.Fatal(f.Err)
		}
		list = append(list, f.Feature)
	}
	return list
}

func sequence(list []*fencejson.Feature) iter.Seq2[*fencejson.Feature, error] {
	return func(yield func(*fencejson.Feature, error) bool) {
		for _, f := range list {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// What a format can say comes back as it was.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	whole := features(t, all)
	for format, keeps := range map[fenceio.Format]struct {
		ids  string
		left int
		same bool // to the last property
	}{
		fenceio.GeoJSON: {"circle polygon multi corridor wire", 0, true},
		fenceio.KML:     {"circle polygon multi corridor wire", 0, true},
		fenceio.KMZ:     {"circle polygon multi corridor wire", 0, true},
		fenceio.CSV:     {"circle", 4, true},
		fenceio.WKT:     {"c-d p m w t", 0, false},
	} {
		var b bytes.Buffer
		left, err := fenceio.Write(&b, format, sequence(whole))
		if err != nil || left != keeps.left {
			t.Errorf("%s: %d left out, %v", format, left, err)
		}
		again := features(t, b.String())
		var ids []string
		for i, f := range again {
			ids = append(ids, string(f.ID))
			if keeps.same && string(f.JSON()) != string(whole[i].JSON()) {
				t.Errorf("%s: came back as\n%s\nwas\n%s", format, f.JSON(), whole[i].JSON())
			}
		}
		if got := strings.Join(ids, " "); got != keeps.ids {
			t.Errorf("%s: came back %q, want %q", format, got, keeps.ids)
		}
	}
	var b bytes.Buffer
	if left, err := fenceio.Write(&b, fenceio.GPX, sequence(whole)); err != nil || left != 2 {
		t.Errorf("gpx: %d left out, %v", left, err)
	}
	if _, err := fenceio.Write(&b, fenceio.Tile38, sequence(whole)); err == nil {
		t.Error("tile38 was written")
	}
}

func TestAnArchiveThatIsNone(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("readme.txt"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{b.String(): "the archive holds no .kml", "PK\x03\x04nonsense": "the archive cannot be read"} {
		if got := told(t, text, fenceio.Options{}); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}

// Whatever a file holds: reading ends, and nothing panics.
func FuzzRead(f *testing.F) {
	f.Add([]byte(all), "")
	f.Add([]byte(kml(`<Placemark><Point><coordinates>1,2</coordinates></Point></Placemark>`)), "kml")
	f.Add([]byte("CIRCLE (48 11, 1)\nPOLYGON((1 2,3 4,5 6,1 2))"), "wkt")
	f.Add([]byte("lat,lon\n1,2\n"), "csv")
	f.Add([]byte("SETHOOK a b NEARBY c FENCE POINT 1 2 3"), "tile38")
	f.Add([]byte("<gpx><wpt lat='1' lon='2'/></gpx>"), "gpx")
	f.Fuzz(func(t *testing.T, data []byte, format string) {
		n := 0
		for x := range fenceio.Read(bytes.NewReader(data), fenceio.Options{Format: fenceio.Format(format), Radius: 1, Width: 1}) {
			if n++; n > len(data)+2 {
				t.Fatal("more geofences than bytes")
			}
			if x.Err == nil && (x.Shape == nil || x.Feature.ID == "") {
				t.Fatal("a good one without shape or id")
			}
		}
	})
}
