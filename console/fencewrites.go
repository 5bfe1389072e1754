package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"outrider/geofence"
	"outrider/store"
)

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
	expect, err = c.expect(current)
	return current, expect, err
}

// overtaken is the answer when another change came between the check of a condition and the change itself.
func overtaken() *huma.ErrorModel {
	return problem(http.StatusPreconditionFailed, "it was changed at the same moment; read it again, and repeat the change on it")
}
