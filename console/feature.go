package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/fencejson"
	"outrider/store"
)

// feature is a fence from a request, found sound.
type feature struct {
	*fencejson.Feature
	bound   orb.Bound
	repairs []string // what was put right, in words
}

// parseFeature reads a GeoJSON feature and prepares its shape, so that what is stored can be watched.
func parseFeature(body []byte) (*feature, error) {
	parsed, err := fencejson.Parse(body)
	if err != nil {
		if syntax := syntaxFault(body); syntax != nil {
			return nil, syntax
		}
		return nil, featureFault(err)
	}
	var f faults
	if parsed.ID != "" {
		f.check("body.id", string(parsed.ID), idFault(string(parsed.ID)))
	}
	f.check("body.properties.name", parsed.Name, textFault(parsed.Name))
	if err := f.problem(); err != nil {
		return nil, err
	}
	shape, repairs, err := parsed.Shape()
	if err != nil {
		return nil, featureFault(err)
	}
	parsed.CloseRings()
	return &feature{Feature: parsed, repairs: repairs, bound: fencejson.BoundOf(shape)}, nil
}

// syntaxFault says why the body is not JSON; nil if it is.
func syntaxFault(body []byte) error {
	var v json.RawMessage
	if err := json.Unmarshal(body, &v); err != nil {
		return problem(http.StatusBadRequest, validationFailed, &huma.ErrorDetail{Location: "body", Message: err.Error()})
	}
	return nil
}

// featureFault turns what fencejson says into an answer that names the place in the body.
func featureFault(err error) error {
	e, ok := errors.AsType[*fencejson.Error](err)
	if !ok {
		return err
	}
	location := "body"
	if e.Field != "" {
		location += "." + e.Field
	}
	var f faults
	f.add(location, nil, "%s", e.Detail)
	return f.problem()
}

// adopt gives the feature the id of its path. One that names another id is refused.
func adopt(f *feature, id geofence.FenceID) error {
	if f.ID != "" && f.ID != id {
		var wrong faults
		wrong.add("body.id", string(f.ID), "expected %q, the id in the path, or none", id)
		return wrong.problem()
	}
	f.ID = id
	return nil
}

// version is the feature as the store keeps it.
func (f *feature) version(tenant identity.TenantID) store.Geofence {
	return store.Geofence{Tenant: tenant, ID: f.ID, Name: f.Name, Feature: f.JSON(), Bound: f.bound}
}

// answer is the stored feature, with the repairs as a foreign member.
func (f *feature) answer(stored []byte) ([]byte, error) {
	if len(f.repairs) == 0 {
		return stored, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(stored, &members); err != nil {
		return nil, fmt.Errorf("console: stored geofence %q: %w", f.ID, err)
	}
	warnings, err := json.Marshal(f.repairs)
	if err != nil {
		return nil, fmt.Errorf("console: encode repairs of %q: %w", f.ID, err)
	}
	members["warnings"] = warnings
	return json.Marshal(members)
}
