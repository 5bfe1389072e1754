package fenceio

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"outrider/internal/fencejson"
)

// readGeoJSON reads a FeatureCollection, a Feature, or features one after the other (RFC 8142, or a line each).
func readGeoJSON(r *bufio.Reader, o Options) iter.Seq[raw] {
	return func(yield func(raw) bool) {
		d := json.NewDecoder(unseparated{r})
		for n := 0; ; n++ {
			if err := document(d, yield, o); err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, errStop) {
					yield(raw{err: jsonFault(err)})
				} else if n == 0 && errors.Is(err, io.EOF) {
					yield(fault(0, "the file is empty"))
				}
				return
			}
		}
	}
}

// unseparated takes out the record separators of RFC 8142.
type unseparated struct{ r io.Reader }

func (u unseparated) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	for i := range p[:n] {
		if p[i] == 0x1e {
			p[i] = ' '
		}
	}
	return n, err
}

// errStop says that nobody wants more.
var errStop = errors.New("stop")

func jsonFault(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &fencejson.Error{Detail: "the file ends in the middle of a feature"}
	}
	return &fencejson.Error{Detail: "is not GeoJSON: " + err.Error()}
}

// document reads one object: a collection feature by feature, without holding all of it, or a feature.
func document(d *json.Decoder, yield func(raw) bool, o Options) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("expected a FeatureCollection or a Feature")
	}
	single, collection := map[string]json.RawMessage{}, false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key == "features" {
			collection = true
			if err := array(d, yield, o); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if len(value) < maxFeature {
			single[key.(string)] = value
		}
	}
	if _, err := d.Token(); err != nil || collection {
		return err
	}
	b, err := json.Marshal(single)
	if err == nil && !yield(raw{json: adapted(b, o)}) {
		return errStop
	}
	return err
}

// maxFeature is how many bytes one feature may have.
const maxFeature = 64 << 20

func array(d *json.Decoder, yield func(raw) bool, o Options) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(err, errors.New("features: expected an array"))
	}
	for d.More() {
		var b json.RawMessage
		if err := d.Decode(&b); err != nil {
			return err
		}
		if !yield(raw{json: adapted(b, o)}) {
			return errStop
		}
	}
	_, err := d.Token()
	return err
}

// adapted turns the circles of other products into ours, and gives points and lines what the options say. What cannot
// be read stays as it is, for [fencejson.Parse] to say why.
func adapted(b []byte, o Options) []byte {
	var f struct {
		ID       json.RawMessage `json:"id"`
		Geometry struct {
			Type string `json:"type"`
		} `json:"geometry"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(b, &f) != nil {
		return b
	}
	text := func(key string) string {
		var s string
		_ = json.Unmarshal(f.Properties[key], &s) // what is no text is not the text that is looked for
		return s
	}
	set := map[string]any{}
	switch {
	case f.Geometry.Type != "Point" && text("shape") == "" && o.Width > 0 && (f.Geometry.Type == "LineString" || f.Geometry.Type == "MultiLineString"):
		set["shape"], set["width_m"] = "corridor", o.Width
	case f.Geometry.Type != "Point" || f.Properties["radius_m"] != nil:
	case text("subType") == "Circle" || text("shapeType") == "Circle": // Azure Maps, TomTom
		set["shape"], set["radius_m"] = "circle", f.Properties["radius"]
	case o.Radius > 0:
		set["radius_m"] = o.Radius
	}
	id := text("geometryId") // Azure Maps
	if len(set) == 0 && (id == "" || f.ID != nil) {
		return b
	}
	return merged(b, id, f.ID != nil, set)
}

// merged returns a feature with properties set, and an id if it has none.
func merged(b []byte, id string, hasID bool, set map[string]any) []byte {
	var whole map[string]any
	if json.Unmarshal(b, &whole) != nil {
		return b
	}
	properties, _ := whole["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	for key, value := range set {
		properties[key] = value
	}
	whole["properties"] = properties
	if id != "" && !hasID {
		whole["id"] = id
	}
	out, err := json.Marshal(whole)
	if err != nil {
		return b
	}
	return out
}
