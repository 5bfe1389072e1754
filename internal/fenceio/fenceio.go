package fenceio

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"

	"outrider/geofence"
	"outrider/internal/fencejson"
)

// Format is the form of a file.
type Format string

// The formats. Tile38 can be read only.
const (
	GeoJSON Format = "geojson"
	KML     Format = "kml"
	KMZ     Format = "kmz"
	GPX     Format = "gpx"
	WKT     Format = "wkt"
	CSV     Format = "csv"
	Tile38  Format = "tile38"
)

// Formats returns every format.
func Formats() []Format { return []Format{GeoJSON, KML, KMZ, GPX, WKT, CSV, Tile38} }

// Options says what a file itself does not.
type Options struct {
	Format Format  // empty: found out
	LatLon bool    // coordinates of WKT are written latitude first, as Traccar does
	Radius float64 // metres, of points that have none of their own; 0: such points are refused
	Width  float64 // metres, of lines that have none of their own; 0: such lines are refused
}

// Found is one geofence of a file.
type Found struct {
	Index   int                // from 0
	Line    int                // of the file, from 1, where its place is known; 0: not
	Feature *fencejson.Feature // nil if it could not be read
	Shape   geofence.Shape     // nil with Err
	Repairs []string           // what was put right, in sentences
	Err     error              // a *[fencejson.Error], or of the file itself
}

// Fault returns where the fault is, and what, in a sentence; nothing for a good one.
func (f *Found) Fault() (field, detail string) {
	if e, ok := errors.AsType[*fencejson.Error](f.Err); ok {
		return e.Field, e.Detail
	}
	if f.Err != nil {
		detail = f.Err.Error()
	}
	return "", detail
}

// ErrFormat says that a file is of no known format.
var ErrFormat = errors.New("fenceio: the format of the file cannot be told; name it: geojson, kml, kmz, gpx, wkt, csv or tile38")

// raw is a feature as GeoJSON, or what is wrong with it.
type raw struct {
	line int
	json []byte
	err  error
}

// Read yields the geofences of a file. Ids come from the file, else from names, else from the geometry, so that a file
// read again gives the same ids. An id that was there before is a fault of the later one. A fault of the file itself
// ends it.
func Read(r io.Reader, o Options) iter.Seq[Found] {
	return func(yield func(Found) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		if o.Format == "" {
			o.Format = sniff(in)
		}
		read, ok := readers[o.Format]
		if !ok {
			yield(Found{Err: ErrFormat})
			return
		}
		first, n := map[geofence.FenceID]int{}, 0
		for x := range read(in, o) {
			f := judge(x, n)
			if f.Err == nil {
				if at, twice := first[f.Feature.ID]; twice {
					f.Shape, f.Err = nil, &fencejson.Error{Field: "id", Detail: fmt.Sprintf("%q is taken by the geofence of index %d", f.Feature.ID, at)}
				} else {
					first[f.Feature.ID] = n
				}
			}
			if !yield(f) {
				return
			}
			n++
		}
	}
}

var readers = map[Format]func(*bufio.Reader, Options) iter.Seq[raw]{
	GeoJSON: readGeoJSON, KML: readKML, KMZ: readKMZ, GPX: readGPX, WKT: readWKT, CSV: readCSV, Tile38: readTile38,
}

// judge reads one feature and makes its shape.
func judge(x raw, n int) Found {
	f := Found{Index: n, Line: x.line, Err: x.err}
	if f.Err != nil {
		return f
	}
	f.Feature, f.Err = fencejson.Parse(x.json)
	if f.Err != nil {
		return f
	}
	if f.Feature.ID == "" {
		f.Feature.ID = idOf(f.Feature)
	}
	var repairs geofence.Repairs
	f.Shape, repairs, f.Err = f.Feature.Shape()
	f.Repairs = repairs
	return f
}

var notInID = regexp.MustCompile(`[^\p{L}\p{N}]+`)

// idOf makes an id of a name, else of the geometry.
func idOf(f *fencejson.Feature) geofence.FenceID {
	if id := strings.Trim(notInID.ReplaceAllString(strings.ToLower(f.Name), "-"), "-"); id != "" && len(id) <= 128 {
		return geofence.FenceID(id)
	}
	sum := sha256.Sum256(f.JSON())
	return geofence.FenceID("f-" + hex.EncodeToString(sum[:6]))
}

var wktWord = regexp.MustCompile(`(?i)(^|[;\t"])\s*"?(CIRCLE|POINT|POLYGON|MULTIPOLYGON|LINESTRING|MULTILINESTRING)\s*\(`)

// sniff tells the format by how a file begins.
func sniff(r *bufio.Reader) Format {
	head, _ := r.Peek(4096)
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	line, _, _ := bytes.Cut(head, []byte("\n"))
	lower := strings.ToLower(string(head))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return KMZ
	case len(head) > 0 && head[0] == '{', len(head) > 0 && head[0] == 0x1e:
		return GeoJSON
	case strings.HasPrefix(lower, "<") && strings.Contains(lower, "<gpx"):
		return GPX
	case strings.HasPrefix(lower, "<"):
		return KML
	case strings.HasPrefix(lower, "sethook ") || strings.HasPrefix(lower, "setchan "):
		return Tile38
	case wktWord.Match(line):
		return WKT
	case slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(string(line)), separator), func(s string) bool { return s == "lat" || s == "latitude" }):
		return CSV
	}
	return ""
}

func separator(r rune) bool { return strings.ContainsRune(",;\t\r \"", r) }

// feature is a GeoJSON feature that is written.
type feature struct {
	Type       string         `json:"type"`
	ID         string         `json:"id,omitempty"`
	Geometry   geometry       `json:"geometry"`
	Properties map[string]any `json:"properties"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// made is a raw feature of its parts. Properties that are empty are left out.
func made(line int, id string, g geometry, properties map[string]any, o Options) raw {
	for key, value := range properties {
		if value == "" || value == nil || value == 0.0 {
			delete(properties, key)
		}
	}
	switch {
	case g.Type == "Point" && properties["radius_m"] == nil && o.Radius > 0:
		properties["radius_m"] = o.Radius
	case strings.HasSuffix(g.Type, "LineString") && properties["shape"] == nil:
		properties["shape"] = "corridor"
		if properties["width_m"] == nil && o.Width > 0 {
			properties["width_m"] = o.Width
		}
	}
	b, err := json.Marshal(feature{"Feature", id, g, properties})
	return raw{line, b, err}
}

// fault is a raw feature that could not be read.
func fault(line int, format string, args ...any) raw {
	return raw{line: line, err: &fencejson.Error{Detail: fmt.Sprintf(format, args...)}}
}
