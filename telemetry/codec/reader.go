package codec

import (
	"fmt"

	"outrider/telemetry"
)

// reader reads the objects of one payload.
type reader struct {
	scanner
	route    route
	model    telemetry.Fix // what every fix of the message begins as
	fixes    []telemetry.Fix
	refusals refusals
}

// members are the members of an object that any of the flat formats knows, as they came.
type members struct {
	typ                                value // OwnTracks: _type
	t, tst                             value
	lat, lon                           value
	acc, spd, vel, hdg, cog, alt, hdop value
	batt                               value
	ign                                value
}

// payload reads one object or an array of them.
func (r *reader) payload() {
	switch r.peek() {
	case '{':
		r.single()
	case '[':
		r.array()
	default:
		if !r.route.ownTracks || !r.greenwich() {
			r.refuseShape()
		}
	}
}

// refuseShape refuses a payload that is neither object nor array.
func (r *reader) refuseShape() {
	var v value
	if r.at == len(r.b) {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty, expected a JSON object or an array of them"))
		return
	}
	if r.value(&v) && r.end() {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonType, "", "%s, expected a JSON object or an array of them", v.kind))
		return
	}
	r.malformed("")
}

// single reads one object that is the whole payload. What is behind it makes it void.
func (r *reader) single() {
	var m members
	if !r.members(&m) || !r.end() {
		r.malformed("")
		return
	}
	if refusal := r.interpret(&m); refusal != nil {
		r.refusals.add(refusal)
	}
}

// array reads an array of objects. Elements before a fault count, because a buffer that was cut while it was
// sent is better read up to there than thrown away.
func (r *reader) array() {
	n := 0
	for first := r.enter(); r.more(']', first); first = false {
		if !r.element(n) {
			break
		}
		n++
	}
	if r.fault == "" && n == 0 {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, "", "the array is empty, expected positions"))
	}
	if !r.end() {
		r.malformed(fmt.Sprintf("[%d]", n))
	}
}

func (r *reader) element(n int) bool {
	if r.peek() == '{' {
		var m members
		if !r.members(&m) {
			return false
		}
		if refusal := r.interpret(&m); refusal != nil {
			r.refuseElement(n, refusal)
		}
		return true
	}
	var v value
	if !r.value(&v) {
		return false
	}
	r.refuseElement(n, telemetry.Refuse(telemetry.ReasonType, "", "%s, expected an object", v.kind))
	return true
}

func (r *reader) refuseElement(n int, refusal *telemetry.Refusal) {
	dot := "."
	if refusal.Field == "" {
		dot = ""
	}
	refusal.Field = fmt.Sprintf("[%d]%s%s", n, dot, refusal.Field)
	r.refusals.add(refusal)
}

func (r *reader) malformed(field string) {
	r.refusals.add(telemetry.Refuse(telemetry.ReasonMalformed, field, "not JSON: %s", r.fault))
}

// interpret turns an object into a fix, if it holds one.
func (r *reader) interpret(m *members) *telemetry.Refusal {
	if m.typ.kind != absent || r.route.ownTracks && m.t.kind != numberKind {
		return r.ownTracks(m)
	}
	return r.native(m)
}

// members reads an object whose opening brace is next. Of members that come twice the last one counts.
func (s *scanner) members(m *members) bool {
	var name, other value
	for first := s.enter(); s.member(&name, first); first = false {
		into := m.find(name.text())
		if into == nil {
			into = &other
		}
		if !s.value(into) {
			return false
		}
	}
	return s.fault == ""
}

func (m *members) find(name []byte) *value {
	switch string(name) {
	case "_type":
		return &m.typ
	case "t":
		return &m.t
	case "tst":
		return &m.tst
	case "lat":
		return &m.lat
	case "lon":
		return &m.lon
	case "acc":
		return &m.acc
	case "spd":
		return &m.spd
	case "vel":
		return &m.vel
	case "hdg":
		return &m.hdg
	case "cog":
		return &m.cog
	case "alt":
		return &m.alt
	case "hdop":
		return &m.hdop
	case "batt":
		return &m.batt
	case "ign":
		return &m.ign
	}
	return nil
}
