package codec

import (
	"encoding/json"
	"fmt"
)

// maxDepth is how deep objects and arrays may be nested.
const maxDepth = 64

// kind is the kind of a JSON value.
type kind byte

// The kinds; the zero value is a value that is absent.
const (
	absent kind = iota
	objectKind
	arrayKind
	stringKind
	numberKind
	trueKind
	falseKind
	nullKind
)

// String says the kind in words.
func (k kind) String() string {
	return [...]string{"nothing", "an object", "an array", "a string", "a number", "true", "false", "null"}[k]
}

// value is one JSON value where it stands in the payload.
type value struct {
	kind    kind
	escaped bool   // raw, of a string, holds escapes
	raw     []byte // a string without its quotes; a number, object or array as it is written
}

// text returns the text of a string.
func (v *value) text() []byte {
	if !v.escaped {
		return v.raw
	}
	var s string
	quoted := append(append([]byte{'"'}, v.raw...), '"')
	if json.Unmarshal(quoted, &s) != nil { // never: the scanner has checked every escape
		return nil
	}
	return []byte(s)
}

// scanner reads JSON (RFC 8259) without copying it. It accepts exactly what encoding/json accepts, but for
// nesting deeper than maxDepth. At the first fault it stops: every method then returns false.
type scanner struct {
	b     []byte
	at    int
	depth int
	fault string // what is wrong at b[at], "" while nothing is
}

func (s *scanner) fail(format string, args ...any) bool {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
	return false
}

// want fails because something else was expected here.
func (s *scanner) want(what string) bool {
	if s.at >= len(s.b) {
		return s.fail("it ends where %s is expected", what)
	}
	return s.fail("%q at byte %d where %s is expected", s.b[s.at], s.at, what)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.b) {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// end reports whether nothing is left.
func (s *scanner) end() bool {
	if s.peek(); s.fault == "" && s.at < len(s.b) {
		return s.want("the end")
	}
	return s.fault == ""
}

// enter reads the opening brace or bracket.
func (s *scanner) enter() bool {
	if s.depth == maxDepth {
		return s.fail("nested deeper than %d", maxDepth)
	}
	s.depth++
	s.at++
	return s.fault == ""
}

// member reads up to the next member of an object: its name and colon. It returns false behind the last member,
// having read the closing brace, and at a fault.
func (s *scanner) member(name *value, first bool) bool {
	if !s.more('}', first) {
		return false
	}
	if s.peek() != '"' {
		return s.want("a member name in quotes")
	}
	if !s.string(name) {
		return false
	}
	if s.peek() != ':' {
		return s.want("a colon")
	}
	s.at++
	return true
}

// more reads up to the next member or element: the comma, or the closing byte, at which it returns false.
func (s *scanner) more(closing byte, first bool) bool {
	c := s.peek()
	switch {
	case s.fault != "":
		return false
	case c == closing && s.at < len(s.b):
		s.at++
		s.depth--
		return false
	case first:
		return true
	case c == ',':
		s.at++
		return true
	}
	return s.want("a comma or " + string(closing))
}

// value reads any value into v; an object or array as a whole, having checked that it is well-formed.
func (s *scanner) value(v *value) bool {
	*v = value{}
	switch c := s.peek(); {
	case s.fault != "":
		return false
	case c == '"':
		return s.string(v)
	case c == '-' || '0' <= c && c <= '9':
		return s.number(v)
	case c == '{':
		start := s.at
		if !s.skipObject() {
			return false
		}
		*v = value{kind: objectKind, raw: s.b[start:s.at]}
		return true
	case c == '[':
		start := s.at
		if !s.skipArray() {
			return false
		}
		*v = value{kind: arrayKind, raw: s.b[start:s.at]}
		return true
	case c == 't':
		return s.literal(v, trueKind, "true")
	case c == 'f':
		return s.literal(v, falseKind, "false")
	case c == 'n':
		return s.literal(v, nullKind, "null")
	}
	return s.want("a value")
}

func (s *scanner) skipObject() bool {
	var name, v value
	for first := s.enter(); s.member(&name, first); first = false {
		if !s.value(&v) {
			return false
		}
	}
	return s.fault == ""
}

func (s *scanner) skipArray() bool {
	var v value
	for first := s.enter(); s.more(']', first); first = false {
		if !s.value(&v) {
			return false
		}
	}
	return s.fault == ""
}

func (s *scanner) literal(v *value, k kind, word string) bool {
	if len(s.b)-s.at < len(word) || string(s.b[s.at:s.at+len(word)]) != word {
		return s.want("a value")
	}
	v.kind = k
	s.at += len(word)
	return true
}

// string reads a string; the next byte is its opening quote.
func (s *scanner) string(v *value) bool {
	s.at++
	start := s.at
	*v = value{kind: stringKind}
	for s.at < len(s.b) {
		switch c := s.b[s.at]; {
		case c == '"':
			v.raw = s.b[start:s.at]
			s.at++
			return true
		case c == '\\':
			v.escaped = true
			if !s.escape() {
				return false
			}
		case c < ' ':
			return s.fail("control character %#02x at byte %d inside a string", c, s.at)
		default:
			s.at++
		}
	}
	return s.fail("it ends inside a string")
}

// escape reads a backslash and what belongs to it.
func (s *scanner) escape() bool {
	s.at++
	if s.at >= len(s.b) {
		return s.fail("it ends inside a string")
	}
	switch s.b[s.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
		s.at++
		for range 4 {
			if s.at >= len(s.b) || !isHex(s.b[s.at]) {
				return s.want("a hexadecimal digit")
			}
			s.at++
		}
		return true
	}
	return s.want("an escape")
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// number reads a number; the next byte is a minus or a digit.
func (s *scanner) number(v *value) bool {
	start := s.at
	if s.b[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.b) && s.b[s.at] == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.at < len(s.b) && s.b[s.at] == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if s.at < len(s.b) && (s.b[s.at] == 'e' || s.b[s.at] == 'E') {
		s.at++
		if s.at < len(s.b) && (s.b[s.at] == '+' || s.b[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			return false
		}
	}
	*v = value{kind: numberKind, raw: s.b[start:s.at]}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.b) && '0' <= s.b[s.at] && s.b[s.at] <= '9' {
		s.at++
	}
	return s.at > start || s.want("a digit")
}
