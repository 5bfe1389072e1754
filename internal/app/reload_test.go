package app_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
)

// A reload takes over what the table of settings marks, and names what waits; one that is not accepted changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	const fixes = `outrider_fixes_total{verdict="admitted"}`
	level := &slog.LevelVar{}
	mappings := filepath.Join(t.TempDir(), "mappings.yaml")
	mapping := "mappings:\n  - {name: %s, topics: [\"acme/{vehicle}/gps\"], time: {path: at, form: unix}, lat: y, lon: x}\n"
	must(t, os.WriteFile(mappings, fmt.Appendf(nil, mapping, "acme"), 0o600))
	r := newRig(t, nil, func(o *app.Options) { o.Level = level })
	reload := func() ([]string, error) {
		c, err := config.Load(config.Source{Flags: r.flags})
		must(t, err)
		return r.app.Reload(c)
	}
	r.own(t, "van", "ann", "70001")
	r.own(t, "bus", "ann", "70001")
	c := r.connect(t, "box")
	understood := func() bool {
		publish(t, c, "acme/van/gps", fmt.Sprintf(`{"at":%d,"y":48.1,"x":11.5}`, time.Now().Unix()))
		return r.metric(t, fixes) > 0
	}

	r.flags["mqtt.mappings"], r.flags["log.level"], r.flags["metrics.key"] = mappings, "debug", "a-key-of-sixteen-letters"
	waiting, err := reload()
	must(t, err)
	if !slices.Equal(waiting, []string{"metrics.key"}) || level.Level() != slog.LevelDebug {
		t.Errorf("%v wait, the level is %v", waiting, level.Level())
	}
	eventually(t, "the new format is understood", understood)

	must(t, os.WriteFile(mappings, []byte("mappings:\n  - {name: acme, topics: [\"acme/{vehicle}/gps\"]}\n"), 0o600))
	r.flags["log.level"] = "error"
	if _, err := reload(); err == nil || !strings.Contains(err.Error(), "mqtt.mappings") || level.Level() != slog.LevelDebug {
		t.Errorf("a mapping without a place: %v, the level is %v", err, level.Level())
	}
	before := r.metric(t, fixes)
	eventually(t, "the format of before is understood", func() bool { return understood() && r.metric(t, fixes) > before })

	must(t, os.WriteFile(mappings, fmt.Appendf(nil, mapping, "acme"), 0o600))
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "other"), "fleet/default/bus/fix", 11.5, 48.1)
	eventually(t, "two crossings", func() bool { return len(r.items(t, "crossings")) == 2 })
	r.flags["store.retention"] = "1ms"
	_, err = reload()
	must(t, err)
	eventually(t, "the record is kept for a millisecond", func() bool { return len(r.items(t, "crossings")) == 0 })
}
