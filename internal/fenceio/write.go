package fenceio

import (
	"archive/zip"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
	"github.com/paulmach/orb/geo"

	"outrider/internal/fencejson"
)

// MediaTypes are the types under which files of a format are known.
var MediaTypes = map[Format]string{
	GeoJSON: "application/geo+json", KML: "application/vnd.google-earth.kml+xml", KMZ: "application/vnd.google-earth.kmz",
	GPX: "application/gpx+xml", WKT: "text/plain", CSV: "text/csv",
}

// ErrReadOnly says that a format can be read, but is not written.
var ErrReadOnly = errors.New("fenceio: this format is not written; expected geojson, kml, kmz, gpx, wkt or csv")

// Write writes geofences as they come, and returns how many of them the format has no word for: CSV is for circles
// only, and GPX for circles and lines. An error of the sequence ends it.
func Write(w io.Writer, f Format, all iter.Seq2[*fencejson.Feature, error]) (left int, err error) {
	write, ok := writers[f]
	if !ok {
		return 0, ErrReadOnly
	}
	return write(w, all)
}

type features = iter.Seq2[*fencejson.Feature, error]

var writers = map[Format]func(io.Writer, features) (int, error){
	GeoJSON: writeGeoJSON, KML: writeKML, KMZ: writeKMZ, GPX: writeGPX, WKT: writeWKT, CSV: writeCSV,
}

func writeGeoJSON(w io.Writer, all features) (int, error) {
	if _, err := io.WriteString(w, `{"type":"FeatureCollection","features":[`); err != nil {
		return 0, err
	}
	separator := "\n"
	for f, err := range all {
		if err != nil {
			return 0, err
		}
		if _, err := fmt.Fprintf(w, "%s%s", separator, f.JSON()); err != nil {
			return 0, err
		}
		separator = ",\n"
	}
	_, err := io.WriteString(w, "\n]}\n")
	return 0, err
}

const kmlHead = `<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
`

// writeKML draws circles as polygons of 64 corners, since KML has none; their centre and radius are in the data of the
// placemark, from which they are read again exactly.
func writeKML(w io.Writer, all features) (int, error) {
	p := &printer{w: w}
	p.print(kmlHead)
	for f, err := range all {
		if err != nil {
			return 0, err
		}
		p.placemark(f)
	}
	p.print("</Document></kml>\n")
	return 0, p.err
}

// printer writes until the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

func (p *printer) placemark(f *fencejson.Feature) {
	p.print("<Placemark><name>%s</name><ExtendedData>", escaped(f.Name))
	data := func(name, value string) {
		if value != "" && value != "0" {
			p.print("<Data name=%q><value>%s</value></Data>", name, escaped(value))
		}
	}
	data("id", string(f.ID))
	data("shape", string(f.Kind))
	data("radius_m", number(f.Radius))
	data("width_m", number(f.Width))
	data("tags", strings.Join(f.Tags, " "))
	if c, ok := f.Geometry.(orb.Point); ok {
		data("center", position(c))
	}
	p.print("</ExtendedData>")
	p.kmlGeometry(f)
	p.print("</Placemark>\n")
}

func (p *printer) kmlGeometry(f *fencejson.Feature) {
	switch g := f.Geometry.(type) {
	case orb.Point:
		p.kmlPolygon(orb.Polygon{around(g, f.Radius)})
	case orb.Polygon:
		p.kmlPolygon(g)
	case orb.MultiPolygon:
		p.print("<MultiGeometry>")
		for _, one := range g {
			p.kmlPolygon(one)
		}
		p.print("</MultiGeometry>")
	case orb.LineString:
		p.kmlLine(g)
	case orb.MultiLineString:
		p.print("<MultiGeometry>")
		for _, one := range g {
			p.kmlLine(one)
		}
		p.print("</MultiGeometry>")
	}
}

func (p *printer) kmlPolygon(g orb.Polygon) {
	p.print("<Polygon>")
	for i, ring := range g {
		side := "outer"
		if i > 0 {
			side = "inner"
		}
		p.print("<%[1]sBoundaryIs><LinearRing><coordinates>%[2]s</coordinates></LinearRing></%[1]sBoundaryIs>", side, positions(ring))
	}
	p.print("</Polygon>")
}

func (p *printer) kmlLine(g orb.LineString) {
	p.print("<LineString><tessellate>1</tessellate><coordinates>%s</coordinates></LineString>", positions(g))
}

// around is a circle as 64 corners. It lies inside the circle, by 0.12 m for each 100 m of radius at most.
func around(center orb.Point, radius float64) orb.Ring {
	var ring orb.Ring
	for i := range 64 {
		ring = append(ring, geo.PointAtBearingAndDistance(center, float64(i)*360/64, radius))
	}
	return append(ring, ring[0])
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func position(p orb.Point) string { return number(p[0]) + "," + number(p[1]) }

func positions[T ~[]orb.Point](points T) string {
	var b strings.Builder
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(position(p))
	}
	return b.String()
}

func writeKMZ(w io.Writer, all features) (int, error) {
	archive := zip.NewWriter(w)
	doc, err := archive.Create("doc.kml")
	if err != nil {
		return 0, err
	}
	if _, err := writeKML(doc, all); err != nil {
		return 0, err
	}
	return 0, archive.Close()
}

func writeGPX(w io.Writer, all features) (left int, err error) {
	p := &printer{w: w}
	p.print("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Outrider\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n")
	var ways []*fencejson.Feature // way points come first in GPX, routes after them
	for f, err := range all {
		if err != nil {
			return left, err
		}
		switch g := f.Geometry.(type) {
		case orb.Point:
			p.print("<wpt lat=%q lon=%q><name>%s</name></wpt>\n", number(g[1]), number(g[0]), escaped(nameOf(f)))
		case orb.LineString, orb.MultiLineString:
			ways = append(ways, f)
		default:
			left++
		}
	}
	for _, f := range ways {
		p.track(f)
	}
	p.print("</gpx>\n")
	return left, p.err
}

func nameOf(f *fencejson.Feature) string {
	if f.Name != "" {
		return f.Name
	}
	return string(f.ID)
}

func (p *printer) track(f *fencejson.Feature) {
	p.print("<trk><name>%s</name>", escaped(nameOf(f)))
	lines, _ := f.Geometry.(orb.MultiLineString)
	if one, ok := f.Geometry.(orb.LineString); ok {
		lines = orb.MultiLineString{one}
	}
	for _, line := range lines {
		p.print("<trkseg>")
		for _, x := range line {
			p.print("<trkpt lat=%q lon=%q/>", number(x[1]), number(x[0]))
		}
		p.print("</trkseg>")
	}
	p.print("</trk>\n")
}

// writeWKT writes the id and the geometry, a line each. Circles are written as Traccar does.
func writeWKT(w io.Writer, all features) (int, error) {
	p := &printer{w: w}
	for f, err := range all {
		if err != nil {
			return 0, err
		}
		text := ""
		if c, ok := f.Geometry.(orb.Point); ok {
			text = fmt.Sprintf("CIRCLE (%s %s, %s)", number(c[1]), number(c[0]), number(f.Radius))
		} else {
			text = wkt.MarshalString(f.Geometry)
		}
		p.print("%s;%s\n", strings.NewReplacer(";", " ", "\n", " ").Replace(nameOf(f)), text)
	}
	return 0, p.err
}

func writeCSV(w io.Writer, all features) (left int, err error) {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"id", "name", "lat", "lon", "radius_m", "tags"}); err != nil {
		return 0, err
	}
	for f, err := range all {
		if err != nil {
			return left, err
		}
		at, ok := f.Geometry.(orb.Point)
		if !ok {
			left++
			continue
		}
		row := []string{string(f.ID), f.Name, number(at[1]), number(at[0]), number(f.Radius), strings.Join(f.Tags, " ")}
		if err := c.Write(row); err != nil {
			return left, err
		}
	}
	c.Flush()
	return left, c.Error()
}
