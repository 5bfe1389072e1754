package fencejson

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

// Feature is a geofence as it is written. Coordinates are checked when the shape is made, by
// [Feature.Shape].
type Feature struct {
	ID       geofence.FenceID
	Name     string
	Kind     Kind
	Geometry orb.Geometry // Point, Polygon, MultiPolygon, LineString or MultiLineString
	Radius   float64      // metres, of a circle
	Width    float64      // metres, the full width of a corridor
	Tags     []string
	Owner    string                     // whose fence it is alone; empty: everybody's
	Rules    json.RawMessage            // as written, see [Rules]; nil for none
	Other    map[string]json.RawMessage // properties that are not named above, as written
}

// Most lengths of texts, in bytes.
const (
	mostID   = 256
	mostName = 1024
	mostTags = 256
)

// members are those of a feature that mean something here.
type members struct {
	Type       *string         `json:"type"`
	ID         json.RawMessage `json:"id"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties json.RawMessage `json:"properties"`
}

// Parse reads one feature. Faults are returned as an *[Error]; what the coordinates enclose is judged by
// [Feature.Shape]. The caller limits the size of data.
func Parse(data []byte) (*Feature, error) {
	var m members
	if err := decode(data, &m, ""); err != nil {
		return nil, err
	}
	switch {
	case m.Type == nil:
		return nil, wrong("type", "is missing; expected \"Feature\"")
	case *m.Type != "Feature":
		return nil, wrong("type", "is %q; expected \"Feature\"", *m.Type)
	}
	f := &Feature{}
	for _, step := range []func(members) error{f.readID, f.readGeometry, f.readProperties} {
		if err := step(m); err != nil {
			return nil, err
		}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return f, nil
}

// readID takes a text, or a number as its text.
func (f *Feature) readID(m members) error {
	if none(m.ID) {
		return nil
	}
	var text string
	if json.Unmarshal(m.ID, &text) != nil {
		var n json.Number
		if json.Unmarshal(m.ID, &n) != nil {
			return wrong("id", "expected a text")
		}
		text = n.String()
	}
	if len(text) > mostID {
		return wrong("id", "is %d bytes long; at most %d", len(text), mostID)
	}
	f.ID = geofence.FenceID(text)
	return nil
}

func (f *Feature) readProperties(m members) error {
	if none(m.Properties) {
		return nil
	}
	var all map[string]json.RawMessage
	if err := decode(m.Properties, &all, "properties"); err != nil {
		return err
	}
	known := map[string]any{
		"name": &f.Name, "shape": &f.Kind, "radius_m": &f.Radius, "width_m": &f.Width, "tags": &f.Tags, "owner": &f.Owner, "rules": &f.Rules,
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value := all[key]
		target, ok := known[key]
		switch {
		case !ok:
			if f.Other == nil {
				f.Other = map[string]json.RawMessage{}
			}
			f.Other[key] = value
		case none(value):
		default:
			if err := decode(value, target, "properties."+key); err != nil {
				return err
			}
		}
	}
	return nil
}

// check completes the kind and compares it with the geometry and the numbers.
func (f *Feature) check() error {
	if len(f.Name) > mostName {
		return wrong("properties.name", "is %d bytes long; at most %d", len(f.Name), mostName)
	}
	if len(f.Tags) > mostTags {
		return wrong("properties.tags", "has %d tags; at most %d", len(f.Tags), mostTags)
	}
	if len(f.Owner) > mostID {
		return wrong("properties.owner", "is %d bytes long; at most %d", len(f.Owner), mostID)
	}
	if err := f.checkKind(); err != nil {
		return err
	}
	if err := measure("radius_m", f.Radius, f.Kind == Circle); err != nil {
		return err
	}
	if _, err := f.ReadRules(); err != nil {
		return err
	}
	return measure("width_m", f.Width, f.Kind == Corridor)
}

func (f *Feature) checkKind() error {
	var may []Kind
	switch f.Geometry.(type) {
	case orb.Point:
		may = []Kind{Circle}
	case orb.Polygon, orb.MultiPolygon:
		may = []Kind{Polygon}
	default:
		may = []Kind{Corridor, Tripwire}
	}
	switch {
	case f.Kind == "" && len(may) == 1:
		f.Kind = may[0]
	case f.Kind == "":
		return wrong("properties.shape", "is missing; a line is a \"corridor\" or a \"tripwire\"")
	case !slices.Contains(Kinds(), f.Kind):
		return wrong("properties.shape", "is %q; expected circle, polygon, corridor or tripwire", f.Kind)
	case !slices.Contains(may, f.Kind):
		return wrong("properties.shape", "a %s cannot be made from a %s", f.Kind, f.Geometry.GeoJSONType())
	}
	return nil
}

// measure checks a number of metres. 0 stands for one that is not there.
func measure(name string, v float64, wanted bool) error {
	switch {
	case v < 0 || math.IsInf(v, 0) || math.IsNaN(v):
		return wrong("properties."+name, "is %s; expected metres above 0", strconv.FormatFloat(v, 'g', -1, 64))
	case wanted && v == 0:
		return wrong("properties."+name, "is missing or 0; expected metres above 0")
	}
	return nil
}

// Shape checks the coordinates and prepares the shape. What was repaired comes back as sentences.
func (f *Feature) Shape() (geofence.Shape, geofence.Repairs, error) {
	shape, repairs, skip, err := f.shape()
	if err != nil {
		return nil, repairs, placed(err, skip)
	}
	return shape, repairs, nil
}

func (f *Feature) shape() (s geofence.Shape, repairs geofence.Repairs, skip int, err error) {
	switch g := f.Geometry.(type) {
	case orb.Point:
		s, err = geofence.NewCircle(g, f.Radius)
	case orb.Polygon:
		skip = 1
		s, repairs, err = geofence.NewPolygon(orb.MultiPolygon{g})
	case orb.MultiPolygon:
		s, repairs, err = geofence.NewPolygon(g)
	case orb.LineString:
		skip = 1
		s, err = f.line(orb.MultiLineString{g})
	case orb.MultiLineString:
		s, err = f.line(g)
	default:
		err = wrong("geometry", "is missing")
	}
	return s, repairs, skip, err
}

func (f *Feature) line(g orb.MultiLineString) (geofence.Shape, error) {
	if f.Kind == Tripwire {
		return geofence.NewTripwire(g)
	}
	return geofence.NewCorridor(g, f.Width)
}

// Fence returns the feature as a fence of the engine, of the given revision.
func (f *Feature) Fence(revision uint64) (geofence.Fence, error) {
	shape, _, err := f.Shape()
	if err != nil {
		return geofence.Fence{}, err
	}
	rules, err := f.ReadRules()
	if err != nil {
		return geofence.Fence{}, err
	}
	return geofence.Fence{ID: f.ID, Name: f.Name, Owner: f.Owner, Revision: revision, Shape: shape, Tags: f.Tags, Dwell: rules.Dwell, Watch: rules.Watch}, nil
}

// JSON returns the feature in canonical form: no white space, members and properties in a fixed order,
// coordinates in the shortest form that reads back as the same numbers.
func (f *Feature) JSON() []byte {
	var b bytes.Buffer
	b.WriteString(`{"type":"Feature"`)
	if f.ID != "" {
		b.WriteString(`,"id":`)
		writeValue(&b, f.ID)
	}
	b.WriteString(`,"geometry":`)
	writeGeometry(&b, f.Geometry)
	b.WriteString(`,"properties":{`)
	f.writeProperties(&b)
	b.WriteString(`}}`)
	return b.Bytes()
}

func (f *Feature) writeProperties(b *bytes.Buffer) {
	first := true
	write := func(key string, value any) {
		if !first {
			b.WriteByte(',')
		}
		first = false
		writeValue(b, key)
		b.WriteByte(':')
		writeValue(b, value)
	}
	if f.Name != "" {
		write("name", f.Name)
	}
	write("shape", f.Kind)
	if f.Radius != 0 {
		write("radius_m", f.Radius)
	}
	if f.Width != 0 {
		write("width_m", f.Width)
	}
	if len(f.Tags) > 0 {
		write("tags", f.Tags)
	}
	if f.Owner != "" {
		write("owner", f.Owner)
	}
	if len(f.Rules) > 0 {
		write("rules", f.Rules)
	}
	for _, key := range slices.Sorted(maps.Keys(f.Other)) {
		write(key, f.Other[key])
	}
}

// writeValue writes JSON without HTML escapes. All values that come here have been read from JSON, or are
// texts and finite numbers, so that there is nothing to go wrong.
func writeValue(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("fencejson: " + err.Error())
	}
	b.Truncate(b.Len() - 1) // the line break
}

func none(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// decode reads JSON and tells faults by place.
func decode(data []byte, into any, field string) error {
	if !utf8.Valid(data) {
		return wrong(field, "is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return jsonFault(err, field)
	}
	if _, err := d.Token(); err != io.EOF {
		return wrong(field, "has something after its end")
	}
	return nil
}
