package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/geofence"
	"outrider/identity"
)

// Paths of OGC API - Features.
const (
	ogcRoot       = "/ogc"
	ogcCollection = ogcRoot + "/collections/geofences"
	ogcItems      = ogcCollection + "/items"
	crs84         = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
)

// ogc serves the geofences to GIS programs, by OGC API - Features Part 1 (OGC 17-069r4: core, GeoJSON, OpenAPI 3.0's place
// taken by 3.1) and Part 4 (OGC 20-002: create, replace, delete; OPTIONS tells what may be done). It is the API of
// geofences in other words: keys, roles and rules are the same.
type ogc struct {
	fences *fences
	api    *router
	now    func() time.Time
}

func (o *ogc) register(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET " + ogcRoot:                  o.asked(identity.Viewer, o.landing),
		"GET " + ogcRoot + "/{$}":         o.asked(identity.Viewer, o.landing),
		"GET " + ogcRoot + "/conformance": o.asked(identity.Viewer, o.conformance),
		"GET " + ogcRoot + "/collections": o.asked(identity.Viewer, o.collections),
		"GET " + ogcCollection:            o.asked(identity.Viewer, o.collection),
		"GET " + ogcItems:                 o.asked(identity.Viewer, o.items),
		"GET " + ogcItems + "/{id}":       o.asked(identity.Viewer, o.item),
		"POST " + ogcItems:                o.asked(identity.Operator, o.create),
		"PUT " + ogcItems + "/{id}":       o.asked(identity.Operator, o.replace),
		"DELETE " + ogcItems + "/{id}":    o.asked(identity.Operator, o.delete),
		"OPTIONS " + ogcItems:             allow("GET, HEAD, POST, OPTIONS"),
		"OPTIONS " + ogcItems + "/{id}":   allow("GET, HEAD, PUT, DELETE, OPTIONS"),
	} {
		mux.HandleFunc(pattern, handler)
	}
}

// allow answers OPTIONS.
func allow(methods string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", methods)
		w.WriteHeader(http.StatusNoContent)
	}
}

// asked lets a request through whose key is good and whose role is enough, with its caller in its context.
func (o *ogc) asked(need identity.Role, do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, refusal := o.api.keys.admit(r)
		if refusal == nil && !who.role.May(need) {
			refusal = problem(http.StatusForbidden, fmt.Sprintf("the key has the role %s; this takes %s", who.role, need))
		}
		if refusal != nil {
			refuse(w, refusal)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, who))
		answer := func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				o.fail(w, r, err)
			}
		}
		if need == identity.Viewer {
			answer(w, r)
			return
		}
		o.api.audit.record(w, r, "ogc-"+strings.ToLower(r.Method), answer)
	}
}

// fail answers with what went wrong.
func (o *ogc) fail(w http.ResponseWriter, r *http.Request, err error) {
	answer := o.api.answer(r.Context(), err)
	if p, ok := errors.AsType[*huma.ErrorModel](answer); ok {
		writeProblem(w, p)
		return
	}
	writeProblem(w, unexpected(r.Context()))
}

// link is a link of a document.
type link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type,omitempty"`
	Title string `json:"title,omitempty"`
}

// at is the address of a path on this server, as the caller sees it.
func at(r *http.Request, path string) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String() + path
}

func (o *ogc) landing(w http.ResponseWriter, r *http.Request) error {
	return reply(w, mediaJSON, map[string]any{
		"title": "Outrider", "description": "The geofences of a fleet.",
		"links": []link{
			{at(r, ogcRoot+"/"), "self", mediaJSON, "This document"},
			{at(r, "/openapi.json"), "service-desc", "application/vnd.oai.openapi+json;version=3.1", "The API"},
			{at(r, "/api"), "service-doc", "text/html", "The API, for people"},
			{at(r, ogcRoot+"/conformance"), "conformance", mediaJSON, "What is conformed to"},
			{at(r, ogcRoot+"/collections"), "data", mediaJSON, "The collections"},
		},
	})
}

func (o *ogc) conformance(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, mediaJSON, map[string]any{"conformsTo": []string{
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
	}})
}

// described is the one collection.
func described(r *http.Request) map[string]any {
	return map[string]any{
		"id": "geofences", "title": "Geofences", "itemType": "feature", "crs": []string{crs84}, "storageCrs": crs84,
		"description": "Circles are points with radius_m, corridors and tripwires lines with shape and width_m.",
		"extent":      map[string]any{"spatial": map[string]any{"bbox": [][]float64{{-180, -90, 180, 90}}, "crs": crs84}},
		"links": []link{
			{at(r, ogcCollection), "self", mediaJSON, "This document"},
			{at(r, ogcItems), "items", mediaGeoJSON, "The geofences"},
		},
	}
}

func (o *ogc) collections(w http.ResponseWriter, r *http.Request) error {
	return reply(w, mediaJSON, map[string]any{
		"links":       []link{{at(r, ogcRoot+"/collections"), "self", mediaJSON, "This document"}},
		"collections": []any{described(r)},
	})
}

func (o *ogc) collection(w http.ResponseWriter, r *http.Request) error {
	return reply(w, mediaJSON, described(r))
}

// items answers a page; its link "next" leads to the following one.
func (o *ogc) items(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := ogcLimit(q.Get("limit"))
	if err != nil {
		return err
	}
	wanted, err := Selected{BBox: q.Get("bbox"), Tag: q.Get("tag")}.selection()
	if err != nil {
		return err
	}
	after, err := Paging{Cursor: q.Get("cursor")}.afterID()
	if err != nil {
		return err
	}
	read, err := o.fences.selectPage(r.Context(), geofence.FenceID(after), limit+1, wanted)
	if err != nil {
		return err
	}
	page, more := cut(read, limit)
	links := []link{{at(r, r.URL.RequestURI()), "self", mediaGeoJSON, ""}, {at(r, ogcCollection), "collection", mediaJSON, ""}}
	if more {
		q.Set("cursor", nextID(page[len(page)-1].ID))
		links = append(links, link{at(r, ogcItems+"?"+q.Encode()), "next", mediaGeoJSON, ""})
	}
	features := make([]json.RawMessage, len(page))
	for i := range page {
		features[i] = page[i].Feature
	}
	return reply(w, mediaGeoJSON, map[string]any{
		"type": "FeatureCollection", "features": features, "links": links, "numberReturned": len(page), "timeStamp": o.now().UTC().Format(time.RFC3339),
	})
}

// ogcLimit reads how many features a page is to have: 10 where it is not said, as the standard proposes, and 10,000 at most.
func ogcLimit(text string) (int, error) {
	if text == "" {
		return 10, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		var f faults
		f.add("query.limit", text, "expected a number of 1 or more")
		return 0, f.problem()
	}
	return min(n, 10_000), nil
}

func (o *ogc) item(w http.ResponseWriter, r *http.Request) error {
	id := geofence.FenceID(r.PathValue("id"))
	g, err := o.fences.store.Geofence(r.Context(), tenantOf(r.Context()), id)
	if err != nil {
		return missing(err, id)
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(g.Feature, &whole); err != nil {
		return err
	}
	whole["links"], err = json.Marshal([]link{
		{at(r, ogcItems+"/"+url.PathEscape(string(id))), "self", mediaGeoJSON, ""}, {at(r, ogcCollection), "collection", mediaJSON, ""},
	})
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(g.Revision))
	return reply(w, mediaGeoJSON, whole)
}

func (o *ogc) create(w http.ResponseWriter, r *http.Request) error {
	body, err := ogcBody(w, r)
	if err != nil {
		return err
	}
	out, err := o.fences.create(r.Context(), &struct {
		RawBody []byte `contentType:"application/geo+json"`
	}{body})
	if err != nil {
		return err
	}
	id := strings.TrimPrefix(out.Location, fencesPath)
	w.Header().Set("Location", at(r, ogcItems+id))
	w.Header().Set("ETag", out.ETag)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (o *ogc) replace(w http.ResponseWriter, r *http.Request) error {
	body, err := ogcBody(w, r)
	if err != nil {
		return err
	}
	id := geofence.FenceID(r.PathValue("id"))
	if _, err := o.fences.store.Geofence(r.Context(), tenantOf(r.Context()), id); err != nil {
		return missing(err, id) // Part 4 replaces what exists
	}
	out, err := o.fences.put(r.Context(), &struct {
		IDPath
		Condition
		RawBody []byte `contentType:"application/geo+json"`
	}{IDPath{string(id)}, Condition{IfMatch: r.Header.Get("If-Match")}, body})
	if err != nil {
		return err
	}
	w.Header().Set("ETag", out.ETag)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (o *ogc) delete(w http.ResponseWriter, r *http.Request) error {
	_, err := o.fences.delete(r.Context(), &struct {
		IDPath
		Condition
	}{IDPath{r.PathValue("id")}, Condition{IfMatch: r.Header.Get("If-Match")}})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ogcBody reads a feature. Programs send links and null properties along, which mean nothing.
func ogcBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFenceBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("a feature may have %d MB", maxFenceBody>>20))
	}
	if err != nil {
		return nil, err
	}
	var f map[string]json.RawMessage
	var properties map[string]json.RawMessage
	if json.Unmarshal(body, &f) != nil || json.Unmarshal(f["properties"], &properties) != nil {
		return body, nil // which fails with a better word
	}
	for key, value := range properties {
		if string(value) == "null" {
			delete(properties, key)
		}
	}
	if f["properties"], err = json.Marshal(properties); err != nil {
		return nil, err
	}
	return json.Marshal(f)
}

func reply(w http.ResponseWriter, media string, body any) error {
	writeJSON(w, http.StatusOK, media, body)
	return nil
}
