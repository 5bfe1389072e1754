package fenceio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
)

// maxLine is how long a line may be.
const maxLine = 64 << 20

// lines yields the lines of a file that say something, with their numbers.
func lines(r *bufio.Reader) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 64<<10), maxLine)
		for n := 1; s.Scan(); n++ {
			text := strings.TrimSpace(strings.TrimPrefix(s.Text(), "\ufeff"))
			if text == "" || strings.HasPrefix(text, "#") {
				continue
			}
			if !yield(n, text) {
				return
			}
		}
		if s.Err() != nil {
			yield(0, "")
		}
	}
}

var (
	circleText = regexp.MustCompile(`(?i)^CIRCLE\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)\s*,\s*([\d.]+)\s*\)$`)
	wktBegins  = regexp.MustCompile(`(?i)(CIRCLE|POINT|POLYGON|MULTIPOLYGON|LINESTRING|MULTILINESTRING)\s*(EMPTY|\()`)
)

// readWKT reads a geometry a line, with what stands before it, apart from separators, as its name. Traccar's CIRCLE is
// latitude first, always.
func readWKT(r *bufio.Reader, o Options) iter.Seq[raw] {
	return func(yield func(raw) bool) {
		for n, text := range lines(r) {
			if n == 0 {
				yield(fault(0, "a line is longer than 64 MB"))
				return
			}
			if !yield(wktLine(n, text, o)) {
				return
			}
		}
	}
}

func wktLine(n int, text string, o Options) raw {
	at := wktBegins.FindStringIndex(text)
	if at == nil {
		return fault(n, "expected CIRCLE, POINT, POLYGON, MULTIPOLYGON, LINESTRING or MULTILINESTRING")
	}
	name := strings.Trim(text[:at[0]], " ;,\t\"")
	body := strings.Trim(text[at[0]:], " ;,\t\"")
	if c := circleText.FindStringSubmatch(body); c != nil {
		lat, _ := strconv.ParseFloat(c[1], 64)
		lon, _ := strconv.ParseFloat(c[2], 64)
		radius, _ := strconv.ParseFloat(c[3], 64)
		return made(n, "", geometry{"Point", []float64{lon, lat}}, map[string]any{"name": name, "radius_m": radius}, o)
	}
	g, err := wkt.Unmarshal(body)
	if err != nil {
		return fault(n, "the geometry cannot be read: %v", err)
	}
	out, err := geometryOf(g, o.LatLon)
	if err != nil {
		return fault(n, "%v", err)
	}
	return made(n, "", out, map[string]any{"name": name}, o)
}

// geometryOf turns a geometry into GeoJSON, its coordinates swapped if they are written latitude first.
func geometryOf(g orb.Geometry, latLon bool) (geometry, error) {
	switch g.(type) {
	case orb.Point, orb.LineString, orb.MultiLineString, orb.Polygon, orb.MultiPolygon:
	default:
		return geometry{}, errors.New("a " + g.GeoJSONType() + " is no geofence")
	}
	b, err := json.Marshal(g)
	if err != nil {
		return geometry{}, err
	}
	var coordinates any
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&coordinates); err != nil {
		return geometry{}, err
	}
	if latLon {
		swap(coordinates)
	}
	return geometry{g.GeoJSONType(), coordinates}, nil
}

// swap exchanges the numbers of every position.
func swap(v any) {
	list, _ := v.([]any)
	if len(list) >= 2 {
		if _, ok := list[0].(float64); ok {
			list[0], list[1] = list[1], list[0]
			return
		}
	}
	for _, x := range list {
		swap(x)
	}
}
