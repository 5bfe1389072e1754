package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

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
	f.registerTransfer(r)
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

func (f *fences) list(ctx context.Context, in *struct {
	Paging
	Selected
}) (*featuresAnswer, error) {
	after, err := in.afterID()
	if err != nil {
		return nil, err
	}
	wanted, err := in.selection()
	if err != nil {
		return nil, err
	}
	read, err := f.selectPage(ctx, geofence.FenceID(after), in.Limit+1, wanted)
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

// missing says which fence does not exist; any other error stays as it is.
func missing(err error, id geofence.FenceID) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem(http.StatusNotFound, fmt.Sprintf("there is no geofence %q in this tenant", id))
	}
	return err
}
