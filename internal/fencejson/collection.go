package fencejson

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
)

// Item is one feature of a collection: read, or refused with Err.
type Item struct {
	Index   int // from 0
	Feature *Feature
	Err     error // an *[Error] whose Field begins with "features[3]"
}

// ParseCollection reads a FeatureCollection feature by feature, without holding all of it. A single Feature
// is read as a collection of one. A feature with a fault does not end the reading; a document with a fault
// does, with a last item whose Err says so.
func ParseCollection(r io.Reader) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		c := collection{d: json.NewDecoder(r), yield: yield}
		if err := c.read(); err != nil {
			yield(Item{Index: c.n, Err: err})
		}
	}
}

// collection is a document being read.
type collection struct {
	d        *json.Decoder
	yield    func(Item) bool
	n        int
	kind     string
	features bool // the array of features was there
	stopped  bool
	single   map[string]json.RawMessage // members seen, in case it is a Feature
}

func (c *collection) read() error {
	if err := c.delim('{', "a FeatureCollection"); err != nil {
		return err
	}
	c.single = map[string]json.RawMessage{}
	for c.d.More() {
		key, err := c.d.Token()
		if err != nil {
			return jsonFault(err, "")
		}
		if err := c.member(key.(string)); err != nil || c.stopped {
			return err
		}
	}
	if _, err := c.d.Token(); err != nil {
		return jsonFault(err, "")
	}
	return c.finish()
}

func (c *collection) member(key string) error {
	if key == "features" {
		c.features = true
		return c.array()
	}
	var raw json.RawMessage
	if err := c.d.Decode(&raw); err != nil {
		return jsonFault(err, key)
	}
	switch key {
	case "type":
		_ = json.Unmarshal(raw, &c.kind) // another type than text leaves the kind empty, which finish refuses
		c.single[key] = raw
	case "id", "geometry", "properties":
		c.single[key] = raw
	}
	return nil
}

func (c *collection) array() error {
	if err := c.delim('[', "an array"); err != nil {
		return err
	}
	for ; c.d.More(); c.n++ {
		var raw json.RawMessage
		if err := c.d.Decode(&raw); err != nil {
			return jsonFault(err, "features["+strconv.Itoa(c.n)+"]")
		}
		item := Item{Index: c.n}
		if item.Feature, item.Err = Parse(raw); item.Err != nil {
			item.Feature, item.Err = nil, within(item.Err, c.n)
		}
		if !c.yield(item) {
			c.stopped = true
			return nil
		}
	}
	_, err := c.d.Token()
	if err != nil {
		return jsonFault(err, "features")
	}
	return nil
}

// finish judges the document as a whole, and reads it as a single feature if it is one.
func (c *collection) finish() error {
	if t, err := c.d.Token(); err != io.EOF {
		return wrong("", "has something after its end: %v", t)
	}
	switch {
	case c.kind == "FeatureCollection" && c.features:
		return nil
	case c.kind == "FeatureCollection":
		return wrong("features", "is missing")
	case c.kind != "Feature":
		return wrong("type", "is %q; expected \"FeatureCollection\"", c.kind)
	}
	raw, err := json.Marshal(c.single)
	if err != nil {
		return fmt.Errorf("fencejson: %w", err)
	}
	f, err := Parse(raw)
	if err != nil {
		return err
	}
	c.yield(Item{Feature: f})
	return nil
}

func (c *collection) delim(want json.Delim, name string) error {
	t, err := c.d.Token()
	if err != nil {
		return jsonFault(err, "")
	}
	if t != want {
		return wrong("", "expected %s", name)
	}
	return nil
}

// within puts the place of a feature before a field.
func within(err error, n int) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	return &Error{Field: join("features["+strconv.Itoa(n)+"]", e.Field), Detail: e.Detail}
}
