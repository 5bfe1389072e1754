package fenceio

import (
	"bufio"
	"encoding/xml"
	"iter"
)

// gpxPoint is a point of GPX 1.1.
type gpxPoint struct {
	Lat  float64 `xml:"lat,attr"`
	Lon  float64 `xml:"lon,attr"`
	Name string  `xml:"name"`
}

// gpxWay is a route or a track.
type gpxWay struct {
	Name     string     `xml:"name"`
	Points   []gpxPoint `xml:"rtept"`
	Segments []struct {
		Points []gpxPoint `xml:"trkpt"`
	} `xml:"trkseg"`
}

// readGPX reads routes and tracks as corridors, and way points as circles.
func readGPX(r *bufio.Reader, o Options) iter.Seq[raw] {
	names := map[string]bool{"wpt": true, "rte": true, "trk": true}
	return elements(r, names, func(d *xml.Decoder, start xml.StartElement, line int) (raw, error) {
		if start.Name.Local == "wpt" {
			var p gpxPoint
			err := d.DecodeElement(&p, &start)
			return made(line, "", geometry{"Point", []float64{p.Lon, p.Lat}}, map[string]any{"name": p.Name}, o), err
		}
		var w gpxWay
		err := d.DecodeElement(&w, &start)
		return w.feature(line, o), err
	})
}

func (w *gpxWay) feature(line int, o Options) raw {
	var lines [][][]float64
	add := func(points []gpxPoint) {
		var list [][]float64
		for _, p := range points {
			list = append(list, []float64{p.Lon, p.Lat})
		}
		if len(list) > 0 {
			lines = append(lines, list)
		}
	}
	add(w.Points)
	for _, s := range w.Segments {
		add(s.Points)
	}
	properties := map[string]any{"name": w.Name}
	if len(lines) == 1 {
		return made(line, "", geometry{"LineString", lines[0]}, properties, o)
	}
	return made(line, "", geometry{"MultiLineString", lines}, properties, o)
}
