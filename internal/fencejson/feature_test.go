package fencejson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/internal/fencejson"
)

func ExampleParse() {
	f, err := fencejson.Parse([]byte(`{"type": "Feature", "id": "depot",
		"geometry": {"type": "Point", "coordinates": [11.5755, 48.1374]},
		"properties": {"name": "Depot", "radius_m": 150, "colour": "#f00"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fence, err := f.Fence(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fence.ID, fence.Name, f.Kind, fence.Shape.Contains(orb.Point{11.5755, 48.138}))
	fmt.Println(string(f.JSON()))
	// Output:
	// depot Depot circle true
	// {"type":"Feature","id":"depot","geometry":{"type":"Point","coordinates":[11.5755,48.1374]},"properties":{"name":"Depot","shape":"circle","radius_m":150,"colour":"#f00"}}
}

func ExampleParseCollection() {
	doc := strings.NewReader(`{"type": "FeatureCollection", "features": [
		{"type": "Feature", "id": "a", "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": {"radius_m": 50}},
		{"type": "Feature", "id": "b", "geometry": {"type": "Point", "coordinates": [0]}, "properties": {"radius_m": 50}}]}`)
	for item := range fencejson.ParseCollection(doc) {
		if item.Err != nil {
			fmt.Println(item.Index, item.Err)
			continue
		}
		fmt.Println(item.Index, item.Feature.ID)
	}
	// Output:
	// 0 a
	// 1 fencejson: features[1].geometry.coordinates: a position is longitude and latitude; this one has 1 of them
}

// feature writes a feature around a geometry and properties.
func feature(geometry, properties string) string {
	return `{"type":"Feature","id":"x","geometry":` + geometry + `,"properties":` + properties + `}`
}

const (
	square = `[[0,0],[1,0],[1,1],[0,1],[0,0]]`
	point  = `{"type":"Point","coordinates":[1,2]}`
	line   = `{"type":"LineString","coordinates":[[0,0],[1,0]]}`
)

func TestFaultsNameTheirPlace(t *testing.T) {
	t.Parallel()
	polygon := func(rings string) string {
		return feature(`{"type":"Polygon","coordinates":[`+rings+`]}`, `{}`)
	}
	tests := map[string]struct{ in, field, detail string }{
		"not JSON":           {`{`, "", "ends too early"},
		"not an object":      {`[]`, "", "is a array"},
		"two documents":      {feature(point, `{"radius_m":1}`) + `{}`, "", "something after its end"},
		"no type":            {`{}`, "type", "is missing"},
		"a collection":       {`{"type":"FeatureCollection"}`, "type", `is "FeatureCollection"`},
		"id of another type": {`{"type":"Feature","id":{},"geometry":` + point + `}`, "id", "expected a text"},
		"long id":            {`{"type":"Feature","id":"` + strings.Repeat("x", 300) + `"}`, "id", "300 bytes"},
		"no geometry":        {`{"type":"Feature"}`, "geometry", "is missing"},
		"null geometry":      {feature(`null`, `{}`), "geometry", "is missing"},
		"no geometry type":   {feature(`{"coordinates":[]}`, `{}`), "geometry.type", "is missing"},
		"MultiPoint":         {feature(`{"type":"MultiPoint","coordinates":[]}`, `{}`), "geometry.type", `"MultiPoint"`},
		"no coordinates":     {feature(`{"type":"Point"}`, `{}`), "geometry.coordinates", "is missing"},
		"text coordinate":    {feature(`{"type":"Point","coordinates":["1",2]}`, `{}`), "geometry.coordinates[0]", "expected a number"},
		"flat ring":          {polygon(`[1,2,3]`), "geometry.coordinates[0][0]", "expected an array"},
		"one number":         {polygon(`[[1]]`), "geometry.coordinates[0][0]", "has 1 of them"},
		"latitude":           {polygon(`[[0,0],[1,0],[1,91],[0,0]]`), "geometry.coordinates[0][2]", "latitude 91 is outside -90 to 90"},
		"longitude":          {polygon(`[[0,0],[1,0],[1,1],[181,1],[0,0]]`), "geometry.coordinates[0][3]", "longitude 181 is outside"},
		"two corners":        {polygon(`[[0,0],[1,0],[0,0]]`), "geometry.coordinates[0]", "at least 3 different corners"},
		"flat":               {polygon(`[[0,0],[1,1],[2,2],[0,0]]`), "geometry.coordinates[0]", ""},
		"bow tie":            {polygon(`[[0,0],[1,1],[1,0],[0,1],[0,0]]`), "geometry.coordinates[0][0]", "crosses the edge from corner 2"},
		"hole outside":       {polygon(square + `,[[2,2],[3,2],[3,3],[2,2]]`), "geometry.coordinates[1]", "outside of its polygon"},
		"overlap": {feature(`{"type":"MultiPolygon","coordinates":[[`+square+`],[[[0.2,0.2],[0.8,0.2],[0.5,0.8],[0.2,0.2]]]]}`, `{}`),
			"geometry.coordinates", "overlaps polygon"},
		"no radius":         {feature(point, `{}`), "properties.radius_m", "is missing or 0"},
		"negative radius":   {feature(point, `{"radius_m":-5}`), "properties.radius_m", "is -5"},
		"radius as text":    {feature(point, `{"radius_m":"5"}`), "properties.radius_m", "is a string; expected a number"},
		"huge radius":       {feature(point, `{"radius_m":1e9}`), "geometry.coordinates", "at most 5000000 metres"},
		"line without kind": {feature(line, `{}`), "properties.shape", "corridor"},
		"unknown kind":      {feature(line, `{"shape":"tube"}`), "properties.shape", `is "tube"`},
		"square circle":     {feature(point, `{"shape":"polygon"}`), "properties.shape", "cannot be made from a Point"},
		"no width":          {feature(line, `{"shape":"corridor"}`), "properties.width_m", "is missing"},
		"short line":        {feature(`{"type":"LineString","coordinates":[[0,0],[0,0]]}`, `{"shape":"tripwire"}`), "geometry.coordinates", "at least 2 different points"},
		"line latitude":     {feature(`{"type":"LineString","coordinates":[[0,0],[0,-91]]}`, `{"shape":"tripwire"}`), "geometry.coordinates[1]", "latitude -91"},
		"tags as text":      {feature(point, `{"radius_m":5,"tags":"a"}`), "properties.tags", "expected an array"},
		"properties array":  {feature(point, `[]`), "properties", "expected an object"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := fencejson.Parse([]byte(tt.in))
			if err == nil {
				_, _, err = f.Shape()
			}
			e, ok := errors.AsType[*fencejson.Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			if !strings.HasPrefix(e.Field, tt.field) || tt.field == "" && e.Field != "" || !strings.Contains(e.Detail, tt.detail) {
				t.Errorf("got %q: %q, want %q: %q", e.Field, e.Detail, tt.field, tt.detail)
			}
		})
	}
}

func TestEveryGeometry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want geofence.Shape
	}{
		"circle":          {feature(point, `{"radius_m":5}`), (*geofence.Circle)(nil)},
		"polygon":         {feature(`{"type":"Polygon","coordinates":[`+square+`]}`, `{}`), (*geofence.Polygon)(nil)},
		"altitudes":       {feature(`{"type":"Polygon","coordinates":[[[0,0,500],[1,0,500],[1,1,500,7],[0,0]]]}`, `null`), (*geofence.Polygon)(nil)},
		"multi polygon":   {feature(`{"type":"MultiPolygon","coordinates":[[`+square+`]]}`, `{"shape":"polygon"}`), (*geofence.Polygon)(nil)},
		"corridor":        {feature(line, `{"shape":"corridor","width_m":40}`), (*geofence.Corridor)(nil)},
		"tripwire":        {feature(line, `{"shape":"tripwire"}`), (*geofence.Tripwire)(nil)},
		"multi line":      {feature(`{"type":"MultiLineString","coordinates":[[[0,0],[1,0]],[[2,0],[3,0]]]}`, `{"shape":"tripwire"}`), (*geofence.Tripwire)(nil)},
		"number as id":    {strings.Replace(feature(point, `{"radius_m":5}`), `"x"`, `12`, 1), (*geofence.Circle)(nil)},
		"foreign members": {strings.Replace(feature(point, `{"radius_m":5}`), `"id"`, `"bbox":[1,2,1,2],"id"`, 1), (*geofence.Circle)(nil)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := fencejson.Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			s, _, err := f.Shape()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprintf("%T", s), fmt.Sprintf("%T", tt.want); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			again, err := fencejson.Parse(f.JSON())
			if err != nil {
				t.Fatalf("canonical form: %v", err)
			}
			if diff := cmp.Diff(f, again); diff != "" {
				t.Errorf("canonical form reads differently (-first +again):\n%s", diff)
			}
		})
	}
}

func TestUnknownPropertiesStay(t *testing.T) {
	t.Parallel()
	f, err := fencejson.Parse([]byte(feature(point,
		`{"radius_m":5,"b":{"x":[1,2.50]},"a":1e3,"tags":["t"],"rules":{"dwell_s":5},"name":"<A&B>"}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"Feature","id":"x","geometry":{"type":"Point","coordinates":[1,2]},"properties":` +
		`{"name":"<A&B>","shape":"circle","radius_m":5,"tags":["t"],"rules":{"dwell_s":5},"a":1e3,"b":{"x":[1,2.50]}}}`
	if diff := cmp.Diff(want, string(f.JSON())); diff != "" {
		t.Error(diff)
	}
}

func TestRepairsComeBack(t *testing.T) {
	t.Parallel()
	f, err := fencejson.Parse([]byte(feature(`{"type":"Polygon","coordinates":[[[0,0],[0.1,0],[0.1,0],[0.1,0.1]]]}`, `{}`)))
	if err != nil {
		t.Fatal(err)
	}
	_, repairs, err := f.Shape()
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(repairs, "; "); !strings.Contains(all, "1 repeated point") || !strings.Contains(all, "not closed") {
		t.Errorf("got %q", repairs)
	}
}

func TestTooManyPoints(t *testing.T) {
	t.Parallel()
	in := feature(`{"type":"LineString","coordinates":[`+strings.Repeat("[0,0],", fencejson.MostVertices)+`[1,1]]}`, `{"shape":"tripwire"}`)
	_, err := fencejson.Parse([]byte(in))
	if e, ok := errors.AsType[*fencejson.Error](err); !ok || !strings.Contains(e.Detail, "more than 1000000 points") {
		t.Errorf("got %v", err)
	}
}

func TestDeepNesting(t *testing.T) {
	t.Parallel()
	in := feature(`{"type":"Polygon","coordinates":`+strings.Repeat("[", 1_000_000)+strings.Repeat("]", 1_000_000)+`}`, `{}`)
	if _, err := fencejson.Parse([]byte(in)); err == nil {
		t.Error("got no error")
	}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	good := feature(point, `{"radius_m":5}`)
	tests := map[string]struct {
		in    string
		good  int
		wrong []string // how the faults begin
	}{
		"empty":            {`{"type":"FeatureCollection","features":[]}`, 0, nil},
		"two":              {`{"type":"FeatureCollection","features":[` + good + `,` + good + `]}`, 2, nil},
		"type last":        {`{"features":[` + good + `],"type":"FeatureCollection","crs":{}}`, 1, nil},
		"one bad":          {`{"type":"FeatureCollection","features":[` + good + `,{},` + good + `]}`, 2, []string{"fencejson: features[1].type"}},
		"single feature":   {good, 1, nil},
		"bad single":       {`{"type":"Feature"}`, 0, []string{"fencejson: geometry"}},
		"no features":      {`{"type":"FeatureCollection"}`, 0, []string{"fencejson: features"}},
		"another type":     {`{"type":"Topology","features":[]}`, 0, []string{"fencejson: type"}},
		"cut off":          {`{"type":"FeatureCollection","features":[` + good + `,{"ty`, 1, []string{"fencejson: features[1]"}},
		"something after":  {`{"type":"FeatureCollection","features":[]} {}`, 0, []string{"fencejson: has something"}},
		"features no list": {`{"type":"FeatureCollection","features":3}`, 0, []string{"fencejson: expected an array"}},
		"nothing":          {``, 0, []string{"fencejson: is not JSON"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			var wrong []string
			for item := range fencejson.ParseCollection(strings.NewReader(tt.in)) {
				if item.Err == nil {
					n++
					continue
				}
				wrong = append(wrong, item.Err.Error())
			}
			if n != tt.good || len(wrong) != len(tt.wrong) {
				t.Fatalf("got %d features and %q, want %d and %q", n, wrong, tt.good, tt.wrong)
			}
			for i, w := range wrong {
				if !strings.HasPrefix(w, tt.wrong[i]) {
					t.Errorf("got %q, want %q", w, tt.wrong[i])
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(feature(point, `{"radius_m":5,"x":[1]}`)))
	f.Add([]byte(feature(`{"type":"Polygon","coordinates":[`+square+`]}`, `{}`)))
	f.Add([]byte(feature(line, `{"shape":"corridor","width_m":40,"tags":["a"]}`)))
	f.Add([]byte(feature(`{"type":"Polygon","coordinates":[[[179,0],[-179,0],[-179,1],[179,1]]]}`, `{}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := fencejson.Parse(data)
		if err != nil {
			if _, ok := errors.AsType[*fencejson.Error](err); !ok {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		written := first.JSON()
		again, err := fencejson.Parse(written)
		if err != nil {
			t.Fatalf("canonical form %s: %v", written, err)
		}
		if string(again.JSON()) != string(written) {
			t.Fatalf("canonical form is not stable:\n%s\n%s", written, again.JSON())
		}
		if s, _, err := first.Shape(); err == nil {
			for _, b := range s.Bounds() {
				s.Distance(b.Center())
				s.Stretches(nil, b.Min, b.Max)
			}
		}
	})
}
