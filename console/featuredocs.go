package console

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// featureDocs describes GeoJSON bodies. They are read by fencejson, whose errors say more than a schema can.
type featureDocs struct{ feature, collection *huma.Schema }

func newFeatureDocs(r huma.Registry) featureDocs {
	schemas := r.Map()
	schemas["Geofence"] = geofenceSchema()
	schemas["GeofenceCollection"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"type", "features"},
		Properties: map[string]*huma.Schema{
			"type":     {Type: huma.TypeString, Enum: []any{"FeatureCollection"}},
			"features": {Type: huma.TypeArray, Items: ref("Geofence")},
			"next":     {Type: huma.TypeString, Description: "The cursor of the next page. Absent on the last page."},
		},
	}
	return featureDocs{ref("Geofence"), ref("GeofenceCollection")}
}

func ref(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }

// takeFeature registers an operation whose body is a feature. The schema is for readers; fencejson judges.
func takeFeature[I, O any](r *router, d featureDocs, op huma.Operation, fn func(context.Context, *I) (*O, error)) {
	op.SkipValidateBody, op.MaxBodyBytes = true, maxFenceBody
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{mediaJSON: {Schema: d.feature}}}
	op.RequestBody = body
	handle(r, op, fn)
	body.Content[mediaGeoJSON] = &huma.MediaType{Schema: d.feature} // registering a raw body calls it binary
}

// answers describes the successful answers of an operation.
func (d featureDocs) answers(s *huma.Schema, codes ...int) map[string]*huma.Response {
	all := map[string]*huma.Response{}
	for _, code := range codes {
		answer := &huma.Response{Description: http.StatusText(code)}
		if code != http.StatusNotModified {
			answer.Content = map[string]*huma.MediaType{mediaGeoJSON: {Schema: s}}
		}
		if code == http.StatusCreated {
			answer.Headers = map[string]*huma.Param{
				"ETag":     {Description: "Names this version, for If-Match.", Schema: &huma.Schema{Type: huma.TypeString}},
				"Location": {Description: "Where the geofence is.", Schema: &huma.Schema{Type: huma.TypeString}},
			}
		}
		all[strconv.Itoa(code)] = answer
	}
	return all
}

func geofenceSchema() *huma.Schema {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	metres := func(doc string) *huma.Schema {
		zero := 0.0
		return &huma.Schema{Type: huma.TypeNumber, Description: doc, ExclusiveMinimum: &zero}
	}
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"type", "geometry"},
		Description: "A GeoJSON feature (RFC 7946). Points are longitude, latitude in degrees on WGS84.",
		Examples:    []any{exampleFeature()},
		Properties: map[string]*huma.Schema{
			"type": {Type: huma.TypeString, Enum: []any{"Feature"}},
			"id":   text("Names the fence inside its tenant."),
			"geometry": {
				Type: huma.TypeObject, Required: []string{"type", "coordinates"},
				Properties: map[string]*huma.Schema{
					"type":        {Type: huma.TypeString, Enum: []any{"Point", "Polygon", "MultiPolygon", "LineString", "MultiLineString"}},
					"coordinates": {Type: huma.TypeArray, Items: &huma.Schema{}},
				},
			},
			"properties": {
				Type: huma.TypeObject, AdditionalProperties: true, Description: "Properties that are not named here are kept as they are.",
				Properties: map[string]*huma.Schema{
					"name":     text("What messages call the fence."),
					"shape":    {Type: huma.TypeString, Enum: []any{"circle", "polygon", "corridor", "tripwire"}},
					"radius_m": metres("Radius of a circle in metres."),
					"width_m":  metres("Full width of a corridor in metres."),
					"tags":     {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
				},
			},
			"warnings": {
				Type: huma.TypeArray, ReadOnly: true, Items: &huma.Schema{Type: huma.TypeString},
				Description: "In the answer to a write: what was put right in the geometry.",
			},
		},
	}
}

func exampleFeature() map[string]any {
	return map[string]any{
		"type": "Feature", "id": "depot",
		"geometry":   map[string]any{"type": "Point", "coordinates": []float64{11.5755, 48.1374}},
		"properties": map[string]any{"name": "Depot", "shape": "circle", "radius_m": 150},
	}
}
