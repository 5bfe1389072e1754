package codec

import (
	"bytes"
	"slices"
	"strings"

	"outrider/telemetry"
)

// recogniser tells formats by what their payloads look like. It is immutable.
type recogniser struct {
	layout layout
	slots  int
	marks  []mark
}

// mark is a set of members by which a format shows.
type mark struct {
	codec Codec
	slots []int
}

func newRecogniser(all []*format) *recogniser {
	g := &recogniser{}
	for _, f := range all {
		for _, set := range f.marks {
			m := mark{codec: f.name}
			for _, text := range set {
				p, _ := parsePath(text) // checked where the format was made
				slot := g.layout.add(p, g.slots)
				g.slots = max(g.slots, slot+1)
				m.slots = append(m.slots, slot)
			}
			g.marks = append(g.marks, m)
		}
	}
	return g
}

// recognise names the format of a payload, or says why it cannot. It never guesses: a payload that looks like two
// formats is refused.
func (g *recogniser) recognise(payload []byte) (Codec, *telemetry.Refusal) {
	if c := looksLikeProtobuf(payload); c != "" {
		return c, nil
	}
	trimmed := bytes.TrimSpace(payload)
	switch {
	case len(trimmed) == 0:
		return "", telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty")
	case trimmed[0] == '{' || trimmed[0] == '[':
		return g.object(trimmed)
	case trimmed[0] == '$' && bytes.IndexByte(trimmed, ',') > 0:
		return NMEA, nil
	case isQueclink(trimmed):
		return Queclink, nil
	case bytes.Contains(trimmed, []byte("lat=")) && bytes.Contains(trimmed, []byte("lon=")) || bytes.Contains(trimmed, []byte("location=")):
		return OsmAnd, nil
	}
	return "", telemetry.Refuse(telemetry.ReasonMalformed, "", "%s is neither JSON, nor a query with lat and lon, nor NMEA, nor another format that shows by its payload", quote(string(clip(trimmed))))
}

// object recognises JSON by its object, or by the first object of its array.
func (g *recogniser) object(payload []byte) (Codec, *telemetry.Refusal) {
	s := scanner{b: payload}
	if s.peek() == '[' {
		if s.enter(); s.peek() != '{' {
			return "", telemetry.Refuse(telemetry.ReasonMalformed, "", "an array that does not begin with an object")
		}
	}
	slots := make([]value, g.slots)
	if !s.pick(&g.layout, slots) {
		return "", telemetry.Refuse(telemetry.ReasonMalformed, "", "not JSON: %s", s.fault)
	}
	found := g.matching(slots)
	switch {
	case slices.Contains(found, OwnTracks): // whatever else it has: a _type says so itself
		return OwnTracks, nil
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", telemetry.Refuse(telemetry.ReasonUnsupported, "", "the payload looks like %s: name its codec in a topic rule", names(found, " and like "))
	}
	return "", telemetry.Refuse(telemetry.ReasonUnsupported, "", "the payload looks like no format that is known: name its codec in a topic rule, or describe it in a mapping")
}

func (g *recogniser) matching(slots []value) (found []Codec) {
	for _, m := range g.marks {
		has := func(slot int) bool { return slots[slot].kind != absent }
		if !slices.Contains(found, m.codec) && !slices.ContainsFunc(m.slots, func(slot int) bool { return !has(slot) }) {
			found = append(found, m.codec)
		}
	}
	return found
}

func names(codecs []Codec, between string) string {
	var texts []string
	for _, c := range codecs {
		texts = append(texts, string(c))
	}
	return strings.Join(texts, between)
}
