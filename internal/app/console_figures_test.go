package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/internal/browsertest"
)

// Ten thousand fences and a thousand vehicles: all are listed and drawn, what a first visit loads is bounded, and how long
// it takes is told; docs/performance.md has figures of a machine that did nothing else.
func TestConsoleWithTenThousandFences(t *testing.T) {
	t.Parallel()
	const fences, vehicles = 10_000, 1000
	r, p := consoleRig(t, 1280, 800)
	var features []string
	for i := range fences {
		x, y := 8+float64(i%100)*0.03, 47+float64(i/100)*0.02
		ring := fmt.Sprintf("[[%.4f,%.4f],[%.4f,%.4f],[%.4f,%.4f],[%.4f,%.4f],[%.4f,%.4f]]", x, y, x+0.01, y, x+0.012, y+0.008, x, y+0.01, x, y)
		features = append(features, fmt.Sprintf(`{"type":"Feature","id":"f%d","properties":{"name":"Fence %d"},"geometry":{"type":"Polygon","coordinates":[%s]}}`, i, i, ring))
	}
	r.importFences(t, `{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+"]}")
	c := r.connect(t, "fleet")
	for i := range vehicles {
		publish(t, c, fmt.Sprintf("fleet/default/v%d/fix", i), fmt.Sprintf(`{"t":%d,"lat":%.4f,"lon":%.4f}`, time.Now().Unix(), 47+float64(i%50)*0.04, 8+float64(i/50)*0.14))
	}
	eventually(t, "all vehicles were heard", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) == vehicles })

	p.Go("about:blank")
	p.Go(r.url("/"))
	p.Wait(fmt.Sprintf(`document.querySelector('.map')?.dataset.fences === '%d'`, fences))
	p.Wait(`document.querySelector('.map').dataset.ready === 'true'`)
	ready := browsertest.Eval[float64](p, `performance.now()`)
	sizes := browsertest.Eval[map[string]float64](p, `(() => {
		const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
		const sum = f => all.filter(f).reduce((n, e) => n + e.transferSize, 0)
		const data = e => e.name.includes('/api/')
		return { program: sum(e => !data(e)), data: sum(data), requests: all.length }
	})()`)
	drawn := browsertest.Eval[float64](p, `+document.querySelector('.map').dataset.vehicles`)
	p.Shot("ten-thousand-fences")
	t.Logf("the map is drawn %.1f s after the visit began, beside other tests; %.0f KB of program unless they were cached, %.0f KB of fences and vehicles, %.0f requests",
		ready/1000, sizes["program"]/1000, sizes["data"]/1000, sizes["requests"])
	if sizes["data"] > 500_000 || sizes["data"] == 0 {
		t.Errorf("%.0f bytes of data over the wire for %d fences, at most 500 KB", sizes["data"], fences)
	}
	if drawn == 0 {
		t.Error("no vehicle is drawn")
	}

	p.Type("#finder", "Fence 9999")
	p.Click(".hits button")
	p.WaitText(".card", "Fence 9999")
}

// importFences puts a file in force.
func (r *rig) importFences(t *testing.T, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url("/api/v1/geofences/import"), bytes.NewReader([]byte(text)))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/geo+json")
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("import: %s", res.Status)
	}
}
