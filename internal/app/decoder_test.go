package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
)

// A tracker with topics and a format of its own is connected by settings alone.
func TestRulesAndMappingsAreSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mappings.yaml")
	must(t, os.WriteFile(file, []byte(`mappings:
  - name: acme
    topics: ["acme/{vehicle}/gps"]
    time: {path: when, form: unix}
    lat: data.lat
    lon: {path: data.lon, unit: 1e-7 deg}
    speed: {path: data.v, unit: km/h}
`), 0o600))
	r := newRig(t, map[string]string{"mqtt.mappings": file, "mqtt.rules": "plant/{vehicle}/up native tenant=default; yard/{vehicle} acme"})
	c := r.connect(t, "van")
	now := time.Now().Unix()
	own := fmt.Sprintf(`{"when":%d,"data":{"lat":48.1,"lon":115000000,"v":36}}`, now)
	publish(t, c, "acme/one/gps", own)
	publish(t, c, "yard/two", own)
	publish(t, c, "plant/three/up", fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5,"spd":10}`, now))
	for _, vehicle := range []string{"one", "two", "three"} {
		seen := r.call(t, http.MethodGet, "inspect/"+vehicle, nil, http.StatusOK)["items"].([]any)[0].(map[string]any)
		fix := seen["fixes"].([]any)[0].(map[string]any)
		if fix["lon"] != 11.5 || fix["spd"] != 10.0 {
			t.Errorf("%s: %v", vehicle, seen)
		}
	}
}

func TestRulesAndMappingsThatCannotBe(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "mappings.yaml")
	must(t, os.WriteFile(bad, []byte("mappings:\n  - name: acme\n    lat: a\n    lon: {path: b, unit: miles}\n"), 0o600))
	for name, c := range map[string]struct {
		settings config.MQTT
		want     []string
	}{
		"no codec":      {config.MQTT{Rules: "a/{vehicle} native; plant/{vehicle}"}, []string{"mqtt.rules", "rule 2", "without a codec"}},
		"another codec": {config.MQTT{Rules: "a/{vehicle} nativ"}, []string{"mqtt.rules", "nativ", "not known"}},
		"a bad level":   {config.MQTT{Rules: "a/{car} native"}, []string{"mqtt.rules", "{car}"}},
		"no file":       {config.MQTT{Mappings: bad + "x"}, []string{"mqtt.mappings", "no such file"}},
		"a bad unit":    {config.MQTT{Mappings: bad}, []string{"mqtt.mappings", bad, "line 4", "miles"}},
	} {
		_, err := app.NewDecoder(c.settings)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
	}
}
