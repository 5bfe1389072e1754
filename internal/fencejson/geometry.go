package fencejson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

// MostVertices is the largest number of points a feature may have.
const MostVertices = 1_000_000

func (f *Feature) readGeometry(m members) error {
	if none(m.Geometry) {
		return wrong("geometry", "is missing")
	}
	var g struct {
		Type        *string         `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := decode(m.Geometry, &g, "geometry"); err != nil {
		return err
	}
	if g.Type == nil {
		return wrong("geometry.type", "is missing")
	}
	levels, ok := map[string]int{"Point": 0, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}[*g.Type]
	switch {
	case !ok:
		return wrong("geometry.type", "is %q; expected Point, Polygon, MultiPolygon, LineString or MultiLineString", *g.Type)
	case none(g.Coordinates):
		return wrong("geometry.coordinates", "is missing")
	}
	c := coordinates{d: json.NewDecoder(bytes.NewReader(g.Coordinates))}
	var err error
	f.Geometry, err = c.geometry(*g.Type, levels)
	return err
}

// coordinates reads nested arrays of numbers.
type coordinates struct {
	d      *json.Decoder
	path   []int
	points int
}

func (c *coordinates) geometry(kind string, levels int) (orb.Geometry, error) {
	switch kind {
	case "Point":
		return c.point()
	case "LineString":
		pts, err := c.line()
		return orb.LineString(pts), err
	}
	if levels == 2 {
		lines, err := c.lines()
		if kind == "Polygon" {
			return polygonOf(lines), err
		}
		out := make(orb.MultiLineString, len(lines))
		for i, l := range lines {
			out[i] = l
		}
		return out, err
	}
	var out orb.MultiPolygon
	err := c.array(func() error {
		lines, err := c.lines()
		out = append(out, polygonOf(lines))
		return err
	})
	return out, err
}

func polygonOf(lines [][]orb.Point) orb.Polygon {
	out := make(orb.Polygon, len(lines))
	for i, l := range lines {
		out[i] = l
	}
	return out
}

func (c *coordinates) lines() (lines [][]orb.Point, err error) {
	err = c.array(func() error {
		l, err := c.line()
		lines = append(lines, l)
		return err
	})
	return lines, err
}

func (c *coordinates) line() (pts []orb.Point, err error) {
	err = c.array(func() error {
		p, err := c.point()
		pts = append(pts, p)
		return err
	})
	return pts, err
}

// point reads a position. What comes after latitude, such as an altitude, is let pass.
func (c *coordinates) point() (p orb.Point, err error) {
	if c.points++; c.points > MostVertices {
		return p, c.wrong("there are more than %d points", MostVertices)
	}
	n := 0
	err = c.array(func() error {
		t, err := c.d.Token()
		v, ok := t.(float64)
		switch {
		case err != nil:
			return c.fault(err)
		case !ok:
			return c.wrong("expected a number")
		case math.IsInf(v, 0):
			return c.wrong("is too large")
		}
		if n < 2 {
			p[n] = v
		}
		n++
		return nil
	})
	if err == nil && n < 2 {
		err = c.wrong("a position is longitude and latitude; this one has %d of them", n)
	}
	return p, err
}

// array reads an array, item by item.
func (c *coordinates) array(item func() error) error {
	t, err := c.d.Token()
	if err != nil {
		return c.fault(err)
	}
	if t != json.Delim('[') {
		return c.wrong("expected an array")
	}
	c.path = append(c.path, 0)
	for ; c.d.More(); c.path[len(c.path)-1]++ {
		if err := item(); err != nil {
			return err
		}
	}
	c.path = c.path[:len(c.path)-1]
	_, err = c.d.Token()
	return c.fault(err)
}

func (c *coordinates) wrong(format string, args ...any) error {
	return wrong(c.field(), format, args...)
}

func (c *coordinates) field() string {
	field := "geometry.coordinates"
	for _, i := range c.path {
		field += "[" + strconv.Itoa(i) + "]"
	}
	return field
}

func (c *coordinates) fault(err error) error {
	if err == nil {
		return nil
	}
	return jsonFault(err, c.field())
}

// jsonFault turns an error of the decoder into ours.
func jsonFault(err error, field string) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field != "" {
			field = join(field, e.Field)
		}
		return wrong(field, "is a %s; expected %s", e.Value, expected(e.Type.Kind().String()))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return wrong(field, "is not JSON: %s at byte %d", e.Error(), e.Offset)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wrong(field, "is not JSON: it ends too early")
	}
	return wrong(field, "is not JSON: %v", err)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}

// expected names a Go kind as JSON does.
func expected(kind string) string {
	switch kind {
	case "string":
		return "a text"
	case "float64":
		return "a number"
	case "slice":
		return "an array"
	case "struct", "map":
		return "an object"
	}
	return "another type"
}

// writeGeometry writes a geometry in canonical form.
func writeGeometry(b *bytes.Buffer, g orb.Geometry) {
	if g == nil {
		b.WriteString("null")
		return
	}
	b.WriteString(`{"type":"` + g.GeoJSONType() + `","coordinates":`)
	switch g := g.(type) {
	case orb.Point:
		writePoint(b, g)
	case orb.LineString:
		writeLine(b, g)
	case orb.MultiLineString:
		writeList(b, g, func(l orb.LineString) { writeLine(b, l) })
	case orb.Polygon:
		writePolygon(b, g)
	case orb.MultiPolygon:
		writeList(b, g, func(p orb.Polygon) { writePolygon(b, p) })
	}
	b.WriteByte('}')
}

func writePolygon(b *bytes.Buffer, p orb.Polygon) {
	writeList(b, p, func(r orb.Ring) { writeLine(b, r) })
}

func writeLine(b *bytes.Buffer, pts []orb.Point) {
	writeList(b, pts, func(p orb.Point) { writePoint(b, p) })
}

func writePoint(b *bytes.Buffer, p orb.Point) {
	buf := append(b.AvailableBuffer(), '[')
	buf = strconv.AppendFloat(buf, p[0], 'f', -1, 64)
	buf = append(buf, ',')
	buf = strconv.AppendFloat(buf, p[1], 'f', -1, 64)
	b.Write(append(buf, ']'))
}

func writeList[T any](b *bytes.Buffer, items []T, write func(T)) {
	b.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		write(item)
	}
	b.WriteByte(']')
}
