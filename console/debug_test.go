package console_test

import (
	"io"
	"strings"
	"testing"

	"outrider/console"
)

// What is of the whole process opens to the bootstrap key alone.
func TestDebugTakesTheBootstrapKey(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) {
		o.Debug = map[string]console.DebugFunc{"log": func(w io.Writer) error { _, err := io.WriteString(w, "the log"); return err }}
	})
	tenants := strings.TrimPrefix(g.key("default", "admin"), "Authorization: Bearer ")
	for key, want := range map[string]int{adminKey: 200, tenants: 401, "": 401, "wrong": 401} {
		a := g.bringing("192.0.2.1:1", "/debug/log", key)
		if a.StatusCode != want || strings.Contains(a.body, "the log") != (want == 200) {
			t.Errorf("key %q: %d %s", key, a.StatusCode, a.body)
		}
	}
}
