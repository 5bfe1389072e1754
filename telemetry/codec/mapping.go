package codec

import (
	"bytes"
	_ "embed" // for the presets
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

// Mapping is a JSON format that is declared and not programmed: which member holds what, and in which unit.
// It is immutable.
type Mapping struct {
	// Name is the codec's name.
	Name Codec
	// Topics are the filters of topic rules that come with it; see [Rule].
	Topics []string

	format *format
}

//go:embed presets.yaml
var presetsText []byte

var presets = sync.OnceValue(func() []Mapping {
	all, err := ParseMappings(presetsText)
	if err != nil {
		panic(err.Error())
	}
	return all
})

// Presets returns the mappings that come with the gateway.
func Presets() []Mapping { return slices.Clone(presets()) }

// ParseMappings reads mappings written in YAML:
//
//	mappings:
//	  - name: acme                           # small letters, digits and hyphens
//	    topics: ["acme/{vehicle}/gps"]       # optional
//	    each: data.points                    # optional: the array that holds the records
//	    only: {path: type, is: [gps, fix]}   # optional: other records hold no position
//	    marks: [type, data.lat]              # optional: paths by which the format is recognised
//	    vehicle: device                      # optional: the id, where the topic names none
//	    time: {path: [when, at], form: unix} # form: auto, unix, iso, bcd or arrival; zone: "+08:00" for bcd
//	    lat: data.lat                        # a path, several of which the first that is there counts,
//	    lon: data.lon                        # or an object with path and unit
//	    speed: {path: data.v, unit: km/h}
//
// latlon takes the place of lat and lon where one text holds both. Beside these there are accuracy, heading,
// altitude, hdop, battery, ignition, valid and satellites. Anything else is refused; errors name line and field.
func ParseMappings(text []byte) ([]Mapping, error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, fmt.Errorf("codec: mappings: %w", err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("codec: mappings: more than one document")
	}
	var all []Mapping
	err := eachMember(root.Content[0], func(name string, n *yaml.Node) (err error) {
		if name != "mappings" {
			return errors.New(`not known, expected "mappings"`)
		}
		all, err = readMappings(n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("codec: mappings: %w", err)
	}
	return all, nil
}

func readMappings(list *yaml.Node) ([]Mapping, error) {
	var all []Mapping
	names := map[Codec]bool{}
	if list.Kind != yaml.SequenceNode {
		return nil, errors.New("expected a list")
	}
	for _, n := range list.Content {
		m, err := readMapping(n)
		if err != nil {
			return nil, err
		}
		if names[m.Name] {
			return nil, fmt.Errorf("line %d: the name %s is there twice", n.Line, quote(string(m.Name)))
		}
		names[m.Name] = true
		all = append(all, m)
	}
	return all, nil
}

// mappingFields are the members of a mapping that are fields, by name.
var mappingFields = map[string]role{
	"vehicle": vehicleRole, "time": timeRole, "lat": latRole, "lon": lonRole, "latlon": placeRole, "accuracy": accuracyRole,
	"speed": speedRole, "heading": headingRole, "altitude": altitudeRole, "hdop": hdopRole, "battery": batteryRole, "ignition": ignitionRole,
	"valid": validRole, "satellites": satellitesRole,
}

func readMapping(n *yaml.Node) (Mapping, error) {
	m := Mapping{format: &format{form: &form{}}}
	err := eachMember(n, m.member)
	if err != nil {
		return m, err
	}
	if err := m.complete(); err != nil {
		return m, fmt.Errorf("line %d: mapping %s: %w", n.Line, quote(string(m.Name)), err)
	}
	m.format.name, m.format.topics = m.Name, m.Topics
	return m, nil
}

// member reads one member of a mapping.
func (m *Mapping) member(name string, n *yaml.Node) (err error) {
	f := m.format.form
	switch name {
	case "name":
		var text string
		text, err = scalar(n)
		m.Name = Codec(text)
	case "topics":
		m.Topics, err = texts(n)
	case "each":
		var text string
		if text, err = scalar(n); err == nil {
			err = f.list(text)
		}
	case "only":
		err = m.only(n)
	case "marks":
		var marks []string
		marks, err = texts(n)
		m.format.marks = [][]string{marks}
	default:
		of, ok := mappingFields[name]
		if !ok {
			return errors.New("no field of a mapping")
		}
		err = m.field(of, n)
	}
	return err
}

// only reads {path: …, is: […]}.
func (m *Mapping) only(n *yaml.Node) error {
	var p string
	var is []string
	err := eachMember(n, func(name string, n *yaml.Node) (err error) {
		switch name {
		case "path":
			p, err = scalar(n)
		case "is":
			is, err = texts(n)
		default:
			err = errors.New("not known, expected path or is")
		}
		return err
	})
	if err != nil {
		return err
	}
	f := m.format.form
	slot, err := f.slot(p)
	if err != nil {
		return err
	}
	f.skip = func(r *recordReader) bool { return !slices.Contains(is, string(r.values[slot].text())) }
	return nil
}

// field reads a path, a list of paths, or {path: …, unit: …, form: …, zone: …}.
func (m *Mapping) field(of role, n *yaml.Node) error {
	x := field{role: of}
	var paths []string
	var err error
	if n.Kind != yaml.MappingNode {
		paths, err = texts(n)
	} else {
		err = eachMember(n, func(name string, n *yaml.Node) (err error) {
			var text string
			switch {
			case name == "path":
				paths, err = texts(n)
				return err
			case name == "unit" && of != timeRole:
				x.unit, err = scalar(n)
			case name == "form" && of == timeRole:
				if text, err = scalar(n); err == nil {
					x.clock, err = clockNamed(text)
				}
			case name == "zone" && of == timeRole:
				if text, err = scalar(n); err == nil {
					x.zone, err = zoneNamed(text)
				}
			default:
				err = errors.New("not known here")
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	return m.sources(x, paths)
}

func (m *Mapping) sources(x field, paths []string) error {
	arrival := x.role == timeRole && x.clock == arrivalClock
	if arrival {
		x.clock = anyClock
	} else if len(paths) == 0 {
		return errors.New("no path")
	}
	if x.zone == nil && x.clock == bcdClock {
		x.zone = time.UTC
	}
	for _, x.path = range paths {
		if err := m.format.form.add(x); err != nil {
			return err
		}
	}
	if arrival {
		return m.format.form.add(field{role: timeRole, clock: arrivalClock})
	}
	return nil
}

// complete says what a mapping lacks.
func (m *Mapping) complete() error {
	s := &m.format.form.sources
	switch {
	case m.Name == "" || strings.Trim(string(m.Name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return errors.New("the name has to be of small letters, digits and hyphens")
	case slices.Contains([]Codec{Auto, Native, OwnTracks, "fix"}, m.Name):
		return errors.New("the name has a meaning of its own")
	case len(s[timeRole]) == 0:
		return errors.New("no time")
	case len(s[placeRole]) == 0 && (len(s[latRole]) == 0 || len(s[lonRole]) == 0):
		return errors.New("no lat and lon, and no latlon")
	}
	for _, topic := range m.Topics {
		if _, err := compileRule(Rule{Filter: topic}); err != nil {
			return err
		}
	}
	if m.format.marks == nil && s[timeRole][0].slot >= 0 {
		m.format.marks = [][]string{m.required()}
	}
	for _, set := range m.format.marks {
		for _, mark := range set {
			if _, err := parsePath(mark); err != nil {
				return err
			}
		}
	}
	return nil
}

// required are the paths without which there is no fix.
func (m *Mapping) required() (paths []string) {
	for _, of := range [...]role{timeRole, latRole, lonRole, placeRole} {
		if s := m.format.form.sources[of]; len(s) > 0 {
			paths = append(paths, s[0].path)
		}
	}
	return paths
}

func clockNamed(text string) (clock, error) {
	switch text {
	case "auto":
		return anyClock, nil
	case "unix":
		return numberClock, nil
	case "iso":
		return textClock, nil
	case "bcd":
		return bcdClock, nil
	case "arrival":
		return arrivalClock, nil
	}
	return 0, fmt.Errorf("%s is none of auto, unix, iso, bcd and arrival", quote(text))
}

// zoneNamed reads an offset such as +08:00. Names of zones are not read: trackers know no summer time.
func zoneNamed(text string) (*time.Location, error) {
	t, err := time.Parse("-07:00", text)
	if err != nil {
		return nil, fmt.Errorf("%s is no offset such as +08:00", quote(text))
	}
	_, offset := t.Zone()
	return time.FixedZone("UTC"+text, offset), nil
}

// eachMember reads the members of an object. Errors get line and name.
func eachMember(n *yaml.Node, read func(name string, n *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: expected an object", n.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, content := n.Content[i].Value, n.Content[i+1]
		err := read(name, content)
		if seen[name] {
			err = errors.New("is there twice")
		}
		if seen[name] = true; err == nil {
			continue
		}
		if _, told := errors.AsType[*lineError](err); told || strings.HasPrefix(err.Error(), "line ") {
			return err
		}
		return &lineError{n.Content[i].Line, name, err}
	}
	return nil
}

// lineError is an error of a member in a mapping file.
type lineError struct {
	line int
	name string
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s: %v", e.line, e.name, e.err) }
func (e *lineError) Unwrap() error { return e.err }

func scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", errors.New("expected a text")
	}
	return n.Value, nil
}

// texts reads a text or a list of them.
func texts(n *yaml.Node) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, errors.New("expected a text or a list of texts")
	}
	var all []string
	for _, item := range n.Content {
		text, err := scalar(item)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}
