package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outrider/identity"
	"outrider/internal/fenceio"
	"outrider/internal/fencejson"
	"outrider/store"
)

// Bounds of an import: the body's size and the time in which it must have come; how many geofences are told one by one;
// how long storing them and putting them in force may take.
const (
	maxImport     = 256 << 20
	importTime    = 10 * time.Minute
	importShown   = 1000
	importSettles = 5 * time.Minute
)

// importReport says what became of a file.
type importReport struct {
	Read     int        `json:"read" doc:"How many geofences the file has."`
	Good     int        `json:"good"`
	Repaired int        `json:"repaired" doc:"How many of the good ones had something put right."`
	Refused  int        `json:"refused"`
	Stored   int        `json:"stored" doc:"All good ones, or none: nothing is stored while any is refused."`
	Findings []imported `json:"findings" nullable:"false" doc:"Those that were refused or repaired, up to 1000."`
}

// imported is one geofence of a file of which there is something to say.
type imported struct {
	Index   int      `json:"index" doc:"Its place in the file, from 0."`
	Line    int      `json:"line,omitempty" doc:"From 1, where the format has lines."`
	ID      string   `json:"id,omitempty"`
	Name    string   `json:"name,omitempty"`
	Field   string   `json:"field,omitempty" doc:"Where the fault is, as geometry.coordinates[0][3]."`
	Fault   string   `json:"fault,omitempty" doc:"Why it is refused. Absent: it was repaired."`
	Repairs []string `json:"repairs,omitempty" nullable:"false"`
}

// importInput is what an import is told besides the file. It is exported for binding only.
type importInput struct {
	Format fenceio.Format `query:"format" enum:"geojson,kml,kmz,gpx,wkt,csv,tile38" doc:"Absent: found out."`
	Mode   string         `query:"mode" default:"put" enum:"put,check" doc:"check stores nothing."`
	Order  string         `query:"order" default:"lonlat" enum:"lonlat,latlon" doc:"How WKT writes its coordinates; latlon is Traccar's."`
	Radius float64        `query:"radius_m" minimum:"0" doc:"Of points that have none of their own."`
	Width  float64        `query:"width_m" minimum:"0" doc:"Of lines that have none of their own."`
	Tag    string         `query:"tag" maxLength:"100" doc:"Added to every geofence."`

	body io.Reader
}

// Resolve implements huma.Resolver: it takes the body as a stream.
func (in *importInput) Resolve(ctx huma.Context) []error {
	r, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(importTime)) //nolint:forbidigo // a deadline of the socket
	in.body = http.MaxBytesReader(w, r.Body, maxImport)
	return nil
}

func (f *fences) registerTransfer(r *router) {
	handle(r, huma.Operation{
		OperationID: "import-geofences", Method: http.MethodPost, Path: fencesPath + "/import", Tags: []string{tagFences},
		Summary: "Import geofences",
		Description: "The body is a file: GeoJSON, KML, KMZ, GPX, WKT a line each, CSV of circles, or Tile38's SETHOOK and SETCHAN commands. " +
			"A geofence that exists is replaced. All are stored, or none: while any is refused the answer is 422 with the report.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
			mediaGeoJSON:               {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}},
		SkipValidateBody: true, MaxBodyBytes: maxImport,
	}, f.importFile)
	handle(r, huma.Operation{
		OperationID: "export-geofences", Method: http.MethodGet, Path: fencesPath + "/export", Tags: []string{tagFences},
		Summary: "Export geofences", Description: "As a file. CSV holds circles only, GPX circles and lines.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The file.",
			Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, f.exportFile)
}

func (f *fences) importFile(ctx context.Context, in *importInput) (*recordAnswer[importReport], error) {
	o := fenceio.Options{Format: in.Format, LatLon: in.Order == "latlon", Radius: in.Radius, Width: in.Width}
	report, all := importReport{Findings: []imported{}}, []store.Geofence{}
	for x := range fenceio.Read(in.body, o) {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(x.Err, &tooLarge) {
			return nil, problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the file is larger than %d MB: import it in parts", maxImport>>20))
		}
		report.note(&x)
		if x.Err == nil && report.Refused == 0 {
			all = append(all, storable(tenantOf(ctx), &x, in.Tag))
		}
	}
	if report.Refused > 0 {
		return &recordAnswer[importReport]{http.StatusUnprocessableEntity, report}, nil
	}
	if in.Mode == "check" || len(all) == 0 {
		return &recordAnswer[importReport]{http.StatusOK, report}, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importSettles)
	defer cancel()
	var err error
	if report.Stored, err = f.store.PutGeofences(ctx, all); err != nil {
		return nil, err
	}
	if err := f.changed(ctx); err != nil {
		return nil, err
	}
	return &recordAnswer[importReport]{http.StatusOK, report}, nil
}

func storable(tenant identity.TenantID, x *fenceio.Found, tag string) store.Geofence {
	if tag != "" && !slices.Contains(x.Feature.Tags, tag) {
		x.Feature.Tags = append(x.Feature.Tags, tag)
	}
	x.Feature.CloseRings()
	return store.Geofence{
		Tenant: tenant, ID: x.Feature.ID, Name: x.Feature.Name, Feature: x.Feature.JSON(), Bound: fencejson.BoundOf(x.Shape),
	}
}

func (r *importReport) note(x *fenceio.Found) {
	r.Read++
	switch {
	case x.Err != nil:
		r.Refused++
	case len(x.Repairs) > 0:
		r.Good++
		r.Repaired++
	default:
		r.Good++
		return
	}
	if len(r.Findings) >= importShown {
		return
	}
	n := imported{Index: x.Index, Line: x.Line, Repairs: x.Repairs}
	if x.Feature != nil {
		n.ID, n.Name = string(x.Feature.ID), x.Feature.Name
	}
	n.Field, n.Fault = x.Fault()
	r.Findings = append(r.Findings, n)
}

// exportAnswer is a file that is written as it goes.
type exportAnswer struct {
	Body func(huma.Context)
}

func (f *fences) exportFile(ctx context.Context, in *struct {
	Selected
	Format fenceio.Format `query:"format" default:"geojson" enum:"geojson,kml,kmz,gpx,wkt,csv"`
}) (*exportAnswer, error) {
	chosen, err := in.selection()
	if err != nil {
		return nil, err
	}
	tenant := tenantOf(ctx)
	return &exportAnswer{func(hc huma.Context) {
		hc.SetHeader("Content-Type", fenceio.MediaTypes[in.Format])
		hc.SetHeader("Content-Disposition", `attachment; filename="geofences.`+string(in.Format)+`"`)
		if _, err := fenceio.Write(hc.BodyWriter(), in.Format, f.features(ctx, tenant, chosen)); err != nil {
			panic(http.ErrAbortHandler) // the answer has begun: only its end can say that it is not whole
		}
	}}, nil
}

// features reads a tenant's fences.
func (f *fences) features(ctx context.Context, tenant identity.TenantID, chosen selection) iter.Seq2[*fencejson.Feature, error] {
	return func(yield func(*fencejson.Feature, error) bool) {
		for g, err := range store.EachGeofence(ctx, f.store, tenant, "") {
			if err != nil {
				yield(nil, err)
				return
			}
			if !chosen.has(g) {
				continue
			}
			feature, err := fencejson.Parse(g.Feature)
			if !yield(feature, err) || err != nil {
				return
			}
		}
	}
}
