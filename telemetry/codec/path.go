package codec

import (
	"fmt"
	"strings"
)

// maxNames is how many names a path may have.
const maxNames = 8

// path is where a value stands in an object: the names of the members that lead to it.
type path []string

// parsePath reads names with dots between them, location.coords.latitude. A name that itself holds dots stands in
// brackets and quotes: ['position.latitude'].
func parsePath(text string) (path, error) {
	var p path
	rest := text
	for rest != "" || len(p) == 0 {
		name, tail, err := firstName(rest)
		if err != nil {
			return nil, fmt.Errorf("path %s %w", quote(text), err)
		}
		p, rest = append(p, name), tail
	}
	if len(p) > maxNames {
		return nil, fmt.Errorf("path %s has more than %d names", quote(text), maxNames)
	}
	return p, nil
}

// firstName cuts the first name and the dot behind it.
func firstName(text string) (name, rest string, err error) {
	if inner, bracketed := strings.CutPrefix(text, "['"); bracketed {
		var closed bool
		if name, rest, closed = strings.Cut(inner, "']"); !closed {
			return "", "", fmt.Errorf("has a bracket that is not closed by ']")
		}
	} else {
		end := strings.IndexAny(text, ".[")
		if end < 0 {
			end = len(text)
		}
		name, rest = text[:end], text[end:]
	}
	if name == "" {
		return "", "", fmt.Errorf("has an empty name")
	}
	if after, dotted := strings.CutPrefix(rest, "."); dotted {
		if after == "" {
			return "", "", fmt.Errorf("ends with a dot")
		}
		rest = after
	}
	return name, rest, nil
}

// layout is a tree of member names, in which those that are wanted have a slot. One pass over an object fills all
// slots, whatever the order of its members.
type layout struct {
	name    string
	slot    int // 0: not wanted for itself, otherwise the slot's number plus 1
	members []*layout
}

// add wants the value at p in a slot. It returns the slot that wanted it before, if there is one.
func (l *layout) add(p path, slot int) int {
	for _, name := range p {
		next := l.find([]byte(name))
		if next == nil {
			next = &layout{name: name}
			l.members = append(l.members, next)
		}
		l = next
	}
	if l.slot == 0 {
		l.slot = slot + 1
	}
	return l.slot - 1
}

func (l *layout) find(name []byte) *layout {
	for _, m := range l.members {
		if m.name == string(name) {
			return m
		}
	}
	return nil
}

// pick reads an object whose opening brace is next and puts what l wants into slots. Of members that come twice
// the last one counts.
func (s *scanner) pick(l *layout, slots []value) bool {
	var name value
	for first := s.enter(); s.member(&name, first); first = false {
		if !s.pickMember(l.find(name.text()), slots) {
			return false
		}
	}
	return s.fault == ""
}

func (s *scanner) pickMember(l *layout, slots []value) bool {
	var v value
	if l == nil {
		return s.value(&v)
	}
	if s.peek() == '{' && len(l.members) > 0 {
		start := s.at
		if !s.pick(l, slots) {
			return false
		}
		v = value{kind: objectKind, raw: s.b[start:s.at]}
	} else if !s.value(&v) {
		return false
	}
	if l.slot > 0 {
		slots[l.slot-1] = v
	}
	return true
}
