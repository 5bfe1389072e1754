package fenceio

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
)

// Bounds of what is unpacked and read at once.
const (
	maxArchive  = 64 << 20
	maxUnpacked = 512 << 20
)

// placemark is a Placemark of KML (OGC 12-007r2), as far as it says something about a geofence.
type placemark struct {
	ID    string       `xml:"id,attr"`
	Name  string       `xml:"name"`
	Data  []kmlData    `xml:"ExtendedData>Data"`
	Multi *kmlGeometry `xml:"MultiGeometry"`
	kmlGeometry
}

type kmlData struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value"`
}

type kmlGeometry struct {
	Points   []string     `xml:"Point>coordinates"`
	Lines    []string     `xml:"LineString>coordinates"`
	Polygons []kmlPolygon `xml:"Polygon"`
}

type kmlPolygon struct {
	Outer string   `xml:"outerBoundaryIs>LinearRing>coordinates"`
	Inner []string `xml:"innerBoundaryIs>LinearRing>coordinates"`
}

// readKML reads a document placemark by placemark, whatever folders they are in.
func readKML(r *bufio.Reader, o Options) iter.Seq[raw] {
	return elements(r, map[string]bool{"Placemark": true}, func(d *xml.Decoder, start xml.StartElement, line int) (raw, error) {
		var p placemark
		if err := d.DecodeElement(&p, &start); err != nil {
			return raw{}, err
		}
		return p.feature(line, o), nil
	})
}

// elements yields what read makes of each element of the names.
func elements(r io.Reader, names map[string]bool, read func(*xml.Decoder, xml.StartElement, int) (raw, error)) iter.Seq[raw] {
	return func(yield func(raw) bool) {
		d := xml.NewDecoder(r)
		d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
			if strings.EqualFold(charset, "us-ascii") {
				return in, nil
			}
			return nil, errors.New("expected UTF-8, found " + charset)
		}
		for {
			t, err := d.Token()
			if err == io.EOF {
				return
			}
			line, _ := d.InputPos()
			start, ok := t.(xml.StartElement)
			x := raw{}
			switch {
			case err != nil:
				yield(fault(line, "the document cannot be read: %v", err))
				return
			case !ok || !names[start.Name.Local]:
				continue
			}
			if x, err = read(d, start, line); err != nil {
				yield(fault(line, "the document cannot be read: %v", err))
				return
			}
			if !yield(x) {
				return
			}
		}
	}
}

// feature turns a placemark into GeoJSON.
func (p *placemark) feature(line int, o Options) raw {
	g := p.kmlGeometry
	if p.Multi != nil {
		g = *p.Multi
	}
	properties := map[string]any{"name": strings.TrimSpace(p.Name)}
	id := p.ID
	for _, d := range p.Data {
		value := strings.TrimSpace(d.Value)
		switch d.Name {
		case "id":
			id = value
		case "radius_m", "width_m":
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				properties[d.Name] = n
			}
		case "shape":
			properties[d.Name] = value
		case "tags":
			properties[d.Name] = strings.FieldsFunc(value, separator)
		case "center":
			g = kmlGeometry{Points: []string{value}} // a circle that was drawn as a polygon, see writeKML
		}
	}
	out, err := g.geometry()
	if err != nil {
		return fault(line, "%q: %v", strings.TrimSpace(p.Name), err)
	}
	return made(line, id, out, properties, o)
}

func (g *kmlGeometry) geometry() (geometry, error) {
	switch {
	case len(g.Polygons) > 0:
		return g.polygons()
	case len(g.Lines) > 0:
		lines, err := pointLists(g.Lines)
		if len(lines) == 1 {
			return geometry{"LineString", lines[0]}, err
		}
		return geometry{"MultiLineString", lines}, err
	case len(g.Points) == 1:
		points, err := points(g.Points[0])
		if err == nil && len(points) != 1 {
			err = errors.New("a point needs one position")
		}
		if err != nil {
			return geometry{}, err
		}
		return geometry{"Point", points[0]}, nil
	}
	return geometry{}, errors.New("has no polygon, line or single point")
}

func (g *kmlGeometry) polygons() (geometry, error) {
	var all [][][][]float64
	for _, p := range g.Polygons {
		rings, err := pointLists(append([]string{p.Outer}, p.Inner...))
		if err != nil {
			return geometry{}, err
		}
		all = append(all, rings)
	}
	if len(all) == 1 {
		return geometry{"Polygon", all[0]}, nil
	}
	return geometry{"MultiPolygon", all}, nil
}

func pointLists(texts []string) ([][][]float64, error) {
	var all [][][]float64
	for _, text := range texts {
		list, err := points(text)
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	return all, nil
}

// points reads "lon,lat[,alt]" tuples.
func points(text string) ([][]float64, error) {
	var all [][]float64
	for tuple := range strings.FieldsSeq(text) {
		parts := strings.Split(tuple, ",")
		if len(parts) < 2 {
			return nil, errors.New("the position " + strconv.Quote(tuple) + " is not longitude,latitude")
		}
		lon, err1 := strconv.ParseFloat(parts[0], 64)
		lat, err2 := strconv.ParseFloat(parts[1], 64)
		if err1 != nil || err2 != nil {
			return nil, errors.New("the position " + strconv.Quote(tuple) + " is not longitude,latitude")
		}
		all = append(all, []float64{lon, lat})
	}
	return all, nil
}

// readKMZ reads the first document of an archive.
func readKMZ(r *bufio.Reader, o Options) iter.Seq[raw] {
	return func(yield func(raw) bool) {
		b, err := io.ReadAll(io.LimitReader(r, maxArchive+1))
		if err == nil && len(b) > maxArchive {
			err = errors.New("is larger than 64 MB")
		}
		var archive *zip.Reader
		if err == nil {
			archive, err = zip.NewReader(bytes.NewReader(b), int64(len(b)))
		}
		if err != nil {
			yield(fault(0, "the archive cannot be read: %v", err))
			return
		}
		for _, f := range archive.File {
			if strings.EqualFold(f.Name[max(0, len(f.Name)-4):], ".kml") {
				unpack(f, o, yield)
				return
			}
		}
		yield(fault(0, "the archive holds no .kml"))
	}
}

func unpack(f *zip.File, o Options, yield func(raw) bool) {
	in, err := f.Open()
	if err != nil {
		yield(fault(0, "%s cannot be read: %v", f.Name, err))
		return
	}
	defer in.Close()
	for x := range readKML(bufio.NewReader(io.LimitReader(in, maxUnpacked)), o) {
		if !yield(x) {
			return
		}
	}
}
