package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"outrider/geofence"
	"outrider/store"
)

const (
	tagFences  = "Geofences"
	fencesPath = "/api/v1/geofences"
	fencePath  = fencesPath + "/{id}"
)

// fences serves the geofences of a tenant.
type fences struct {
	store   Geofences
	changed func(context.Context) error
}

func newFences(o Options) *fences { return &fences{o.Store, o.FencesChanged} }

func (f *fences) register(r *router) {
	docs := newFeatureDocs(r.api.OpenAPI().Components.Schemas)
	handle(r, huma.Operation{
		OperationID: "list-geofences", Method: http.MethodGet, Path: fencesPath, Tags: []string{tagFences},
		Summary: "List geofences", Description: "In order of id, as a GeoJSON FeatureCollection.",
		Responses: docs.answers(docs.collection, http.StatusOK),
	}, f.list)
	takeFeature(r, docs, huma.Operation{
		OperationID: "create-geofence", Method: http.MethodPost, Path: fencesPath, Tags: []string{tagFences},
		Summary: "Create a geofence", Description: "An id is made for a feature that has none.",
		DefaultStatus: http.StatusCreated, Responses: docs.answers(docs.feature, http.StatusCreated),
		Errors: []int{http.StatusConflict},
	}, f.create)
	handle(r, huma.Operation{
		OperationID: "get-geofence", Method: http.MethodGet, Path: fencePath, Tags: []string{tagFences},
		Summary: "Read a geofence", Responses: docs.answers(docs.feature, http.StatusOK, http.StatusNotModified),
		Errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, f.get)
	takeFeature(r, docs, huma.Operation{
		OperationID: "put-geofence", Method: http.MethodPut, Path: fencePath, Tags: []string{tagFences},
		Summary: "Create or replace a geofence", Responses: docs.answers(docs.feature, http.StatusOK, http.StatusCreated),
		Errors: []int{http.StatusPreconditionFailed},
	}, f.put)
	handle(r, huma.Operation{
		OperationID: "patch-geofence", Method: http.MethodPatch, Path: fencePath, Tags: []string{tagFences},
		Summary: "Change a part of a geofence", Description: "A JSON merge patch (RFC 7396) of the feature: members replace, null removes.",
		SkipValidateBody: true, MaxBodyBytes: maxFenceBody, Responses: docs.answers(docs.feature, http.StatusOK),
		Errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, f.patch)
	handle(r, huma.Operation{
		OperationID: "delete-geofence", Method: http.MethodDelete, Path: fencePath, Tags: []string{tagFences},
		Summary: "Delete a geofence", Errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, f.delete)
}

// featureAnswer is one fence in an answer.
type featureAnswer struct {
	Status      int
	ContentType string `header:"Content-Type" hidden:"true"`
	ETag        string `header:"ETag" doc:"Names this version, for If-Match."`
	Location    string `header:"Location" doc:"Where a created geofence is."`
	Body        []byte
}

// featuresAnswer is a page of fences in an answer.
type featuresAnswer struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Link        string `header:"Link" doc:"The address of the next page."`
	Body        []byte
}

// featureCollection is a page of fences; next is a foreign member, as RFC 7946 permits.
type featureCollection struct {
	Type     string            `json:"type"`
	Features []json.RawMessage `json:"features"`
	Next     string            `json:"next,omitempty"`
}

func (f *fences) list(ctx context.Context, in *struct{ Paging }) (*featuresAnswer, error) {
	after, err := in.afterID()
	if err != nil {
		return nil, err
	}
	read, err := f.store.Geofences(ctx, tenantOf(ctx), geofence.FenceID(after), in.Limit+1)
	if err != nil {
		return nil, err
	}
	page, more := cut(read, in.Limit)
	collection := featureCollection{Type: "FeatureCollection", Features: make([]json.RawMessage, len(page))}
	for i, g := range page {
		collection.Features[i] = g.Feature
	}
	if more {
		collection.Next = nextID(page[len(page)-1].ID)
	}
	body, err := json.Marshal(collection)
	if err != nil {
		return nil, fmt.Errorf("console: encode geofences: %w", err)
	}
	return &featuresAnswer{mediaGeoJSON, nextLink(ctx, collection.Next), body}, nil
}

func (f *fences) get(ctx context.Context, in *struct {
	IDPath
	Condition
}) (*featureAnswer, error) {
	id := geofence.FenceID(in.ID)
	g, err := f.store.Geofence(ctx, tenantOf(ctx), id)
	if err != nil {
		return nil, missing(err, id)
	}
	out := &featureAnswer{Status: http.StatusOK, ContentType: mediaGeoJSON, ETag: etag(g.Revision), Body: g.Feature}
	switch {
	case !in.matches(g.Revision):
		return nil, changed(g.Revision)
	case in.excludes(g.Revision):
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

func (f *fences) create(ctx context.Context, in *struct {
	RawBody []byte `contentType:"application/geo+json"`
}) (*featureAnswer, error) {
	feature, err := parseFeature(in.RawBody)
	if err != nil {
		return nil, err
	}
	if feature.ID == "" {
		feature.ID = geofence.FenceID(strings.ToLower(rand.Text()[:16]))
	}
	out, err := f.save(ctx, feature, store.ExpectAbsent)
	if errors.Is(err, store.ErrConflict) {
		return nil, problem(http.StatusConflict, fmt.Sprintf("a geofence %q exists already; PUT replaces it", feature.ID))
	}
	if err != nil {
		return nil, err
	}
	out.Status, out.Location = http.StatusCreated, fencesPath+"/"+url.PathEscape(string(feature.ID))
	return out, nil
}

func (f *fences) put(ctx context.Context, in *struct {
	IDPath
	Condition
	RawBody []byte `contentType:"application/geo+json"`
}) (*featureAnswer, error) {
	id := geofence.FenceID(in.ID)
	feature, err := parseFeature(in.RawBody)
	if err != nil {
		return nil, err
	}
	if err := adopt(feature, id); err != nil {
		return nil, err
	}
	current, expect, err := f.expectation(ctx, id, in.Condition)
	if err != nil {
		return nil, err
	}
	out, err := f.save(ctx, feature, expect)
	if errors.Is(err, store.ErrConflict) {
		return nil, overtaken()
	}
	if err != nil {
		return nil, err
	}
	out.Status = http.StatusOK
	if current == 0 {
		out.Status, out.Location = http.StatusCreated, fencesPath+"/"+url.PathEscape(string(id))
	}
	return out, nil
}

func (f *fences) patch(ctx context.Context, in *struct {
	IDPath
	Condition
	RawBody []byte `contentType:"application/merge-patch+json"`
}) (*featureAnswer, error) {
	id := geofence.FenceID(in.ID)
	g, err := f.store.Geofence(ctx, tenantOf(ctx), id)
	if err != nil {
		return nil, missing(err, id)
	}
	if !in.matches(g.Revision) || in.excludes(g.Revision) {
		return nil, changed(g.Revision)
	}
	whole, err := applyPatch(g.Feature, in.RawBody)
	if err != nil {
		return nil, err
	}
	feature, err := parseFeature(whole)
	if err != nil {
		return nil, err
	}
	if err := adopt(feature, id); err != nil {
		return nil, err
	}
	out, err := f.save(ctx, feature, g.Revision)
	if errors.Is(err, store.ErrConflict) {
		return nil, overtaken()
	}
	if err != nil {
		return nil, err
	}
	out.Status = http.StatusOK
	return out, nil
}

func (f *fences) delete(ctx context.Context, in *struct {
	IDPath
	Condition
}) (*struct{}, error) {
	id := geofence.FenceID(in.ID)
	current, expect, err := f.expectation(ctx, id, in.Condition)
	if err != nil {
		return nil, err
	}
	if current == 0 {
		return nil, missing(store.ErrNotFound, id)
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	switch _, err := f.store.DeleteGeofence(ctx, tenantOf(ctx), id, expect); {
	case errors.Is(err, store.ErrConflict):
		return nil, overtaken()
	case err != nil:
		return nil, missing(err, id)
	}
	return nil, f.changed(ctx)
}

// save stores the feature and puts it in force.
func (f *fences) save(ctx context.Context, feature *feature, expect uint64) (*featureAnswer, error) {
	ctx, cancel := settle(ctx)
	defer cancel()
	g, err := f.store.PutGeofence(ctx, feature.version(tenantOf(ctx)), expect)
	if err != nil {
		return nil, err
	}
	if err := f.changed(ctx); err != nil {
		return nil, err
	}
	body, err := feature.answer(g.Feature)
	if err != nil {
		return nil, err
	}
	return &featureAnswer{ContentType: mediaGeoJSON, ETag: etag(g.Revision), Body: body}, nil
}

// expectation returns the current revision, 0 if there is none, and the one to expect when the change is
// stored: a caller's condition is checked here and holds until then.
func (f *fences) expectation(ctx context.Context, id geofence.FenceID, c Condition) (current, expect uint64, err error) {
	g, err := f.store.Geofence(ctx, tenantOf(ctx), id)
	switch {
	case err == nil:
		current = g.Revision
	case !errors.Is(err, store.ErrNotFound):
		return 0, 0, err
	}
	switch {
	case !c.matches(current) || c.excludes(current):
		return 0, 0, changed(current)
	case !c.given():
		return current, 0, nil
	case current == 0:
		return 0, store.ExpectAbsent, nil
	default:
		return current, current, nil
	}
}

// overtaken is the answer when another change came between the check of a condition and the change itself.
func overtaken() *huma.ErrorModel {
	return problem(http.StatusPreconditionFailed, "the geofence was changed at the same moment; read it again, and repeat the change on it")
}

// missing says which fence does not exist; any other error stays as it is.
func missing(err error, id geofence.FenceID) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem(http.StatusNotFound, fmt.Sprintf("there is no geofence %q in this tenant", id))
	}
	return err
}
