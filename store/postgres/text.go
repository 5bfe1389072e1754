package postgres

import (
	"reflect"
	"strings"
)

// clean makes texts acceptable: PostgreSQL keeps no NUL and nothing that is not UTF-8, and one odd byte of a tracker
// must not stop a lane. It returns args itself when there is nothing to do.
func clean(args []any) []any {
	for i, a := range args {
		text, ok := textOf(a)
		if !ok || acceptable(text) {
			continue
		}
		out := append([]any{}, args...)
		for j := i; j < len(out); j++ {
			if text, ok := textOf(out[j]); ok && !acceptable(text) {
				out[j] = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
			}
		}
		return out
	}
	return args
}

func textOf(a any) (string, bool) {
	if s, ok := a.(string); ok {
		return s, true
	}
	if v := reflect.ValueOf(a); v.Kind() == reflect.String {
		return v.String(), true
	}
	return "", false
}

func acceptable(s string) bool { return strings.IndexByte(s, 0) < 0 && strings.ToValidUTF8(s, "") == s }
