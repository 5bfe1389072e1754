package fenceio

import (
	"bufio"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
)

// readTile38 reads SETHOOK and SETCHAN commands, a line each: the area of the fence, under the hook's or channel's name.
func readTile38(r *bufio.Reader, o Options) iter.Seq[raw] {
	return func(yield func(raw) bool) {
		for n, text := range lines(r) {
			if n == 0 {
				yield(fault(0, "a line is longer than 64 MB"))
				return
			}
			if !yield(hookLine(n, text, o)) {
				return
			}
		}
	}
}

func hookLine(n int, text string, o Options) raw {
	words := strings.Fields(text)
	if len(words) < 4 || !strings.EqualFold(words[0], "SETHOOK") && !strings.EqualFold(words[0], "SETCHAN") {
		return fault(n, "expected SETHOOK or SETCHAN")
	}
	name := strings.Trim(words[1], `"`)
	properties := map[string]any{"name": name}
	for i := 2; i < len(words); i++ {
		numbers := func(count int) []float64 {
			var all []float64
			for _, w := range words[min(i+1, len(words)):min(i+1+count, len(words))] {
				if v, err := strconv.ParseFloat(w, 64); err == nil {
					all = append(all, v)
				}
			}
			return all
		}
		switch strings.ToUpper(words[i]) {
		case "POINT", "CIRCLE":
			v := numbers(3)
			if len(v) != 3 {
				return fault(n, "%s needs latitude, longitude and metres", words[i])
			}
			properties["radius_m"] = v[2]
			return made(n, name, geometry{"Point", []float64{v[1], v[0]}}, properties, o)
		case "BOUNDS":
			v := numbers(4)
			if len(v) != 4 {
				return fault(n, "BOUNDS needs south, west, north and east")
			}
			s, w, north, e := v[0], v[1], v[2], v[3]
			ring := [][]float64{{w, s}, {e, s}, {e, north}, {w, north}, {w, s}}
			return made(n, name, geometry{"Polygon", [][][]float64{ring}}, properties, o)
		case "OBJECT":
			return hookObject(n, name, text, properties, o)
		}
	}
	return fault(n, "the fence's area is none of POINT, CIRCLE, BOUNDS and OBJECT")
}

// hookObject reads the GeoJSON behind OBJECT: a geometry or a feature.
func hookObject(n int, name, text string, properties map[string]any, o Options) raw {
	_, object, _ := strings.Cut(text, "{")
	object = "{" + strings.TrimRight(object, "'\" ")
	var g struct {
		Type        string    `json:"type"`
		Coordinates any       `json:"coordinates"`
		Geometry    *geometry `json:"geometry"`
	}
	if err := json.NewDecoder(strings.NewReader(object)).Decode(&g); err != nil {
		return fault(n, "OBJECT is not GeoJSON: %v", err)
	}
	if g.Geometry != nil {
		return made(n, name, *g.Geometry, properties, o)
	}
	return made(n, name, geometry{g.Type, g.Coordinates}, properties, o)
}
