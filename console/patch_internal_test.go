package console

import "testing"

// The examples of RFC 7396, appendix A, whose patch is an object.
func TestMergePatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ document, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"x":11.57550000000000001}`, `{}`, `{"x":11.57550000000000001}`},
	} {
		got, err := applyPatch([]byte(c.document), []byte(c.patch))
		if err != nil || string(got) != c.want {
			t.Errorf("%s with %s: %s %v, want %s", c.document, c.patch, got, err, c.want)
		}
	}
	for _, bad := range []string{`[]`, `null`, `1`, `{`, ``, `{} {}`} {
		if _, err := applyPatch([]byte(`{}`), []byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
