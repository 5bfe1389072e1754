package card

import (
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
)

// ParseShape reads a fence as the gateway stores it: a GeoJSON Feature whose properties hold radius_m of a circle and
// width_m, the full width, of a corridor.
func ParseShape(feature []byte) (Shape, error) {
	var f struct {
		Geometry struct {
			Type        string          `json:"type"`
			Coordinates json.RawMessage `json:"coordinates"`
		} `json:"geometry"`
		Properties struct {
			Name   string  `json:"name"`
			Radius float64 `json:"radius_m"`
			Width  float64 `json:"width_m"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(feature, &f); err != nil {
		return Shape{}, fmt.Errorf("card: read fence: %w", err)
	}
	s := Shape{Name: f.Properties.Name, HalfWidth: f.Properties.Width / 2}
	var err error
	read := func(v any) bool {
		err = json.Unmarshal(f.Geometry.Coordinates, v)
		return err == nil
	}
	switch f.Geometry.Type {
	case "Point":
		var p orb.Point
		if read(&p) {
			s.Circles = []Circle{{p, f.Properties.Radius}}
		}
	case "Polygon":
		var p orb.Polygon
		if read(&p) {
			s.Polygons = []orb.Polygon{p}
		}
	case "MultiPolygon":
		read(&s.Polygons)
	case "LineString":
		var l orb.LineString
		if read(&l) {
			s.Lines = []orb.LineString{l}
		}
	case "MultiLineString":
		read(&s.Lines)
	default:
		err = fmt.Errorf("geometry %q is none of a fence", f.Geometry.Type)
	}
	if err != nil {
		return Shape{}, fmt.Errorf("card: read fence: %w", err)
	}
	return s, nil
}
