package console

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// applyPatch returns the document with a JSON merge patch (RFC 7396) applied. Numbers stay as they were written.
func applyPatch(document, patch []byte) ([]byte, error) {
	if err := syntaxFault(patch); err != nil {
		return nil, err
	}
	change, err := decode(patch)
	if err != nil {
		return nil, fmt.Errorf("console: patch: %w", err)
	}
	if _, ok := change.(map[string]any); !ok {
		var f faults
		f.add("body", nil, "expected an object with the members to change")
		return nil, f.problem()
	}
	target, err := decode(document)
	if err != nil {
		return nil, fmt.Errorf("console: stored geofence: %w", err)
	}
	return json.Marshal(merge(target, change))
}

// merge applies a patch to a value, as RFC 7396 defines it.
func merge(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	members, ok := target.(map[string]any)
	if !ok {
		members = map[string]any{}
	}
	for name, value := range change {
		if value == nil {
			delete(members, name)
			continue
		}
		members[name] = merge(members[name], value)
	}
	return members
}

// decode reads a JSON value that is known to be one.
func decode(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}
