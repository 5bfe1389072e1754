package app_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/internal/browsertest"
	"outrider/store"
	"outrider/telemetry"
)

// Ten thousand vehicles with a position a second each: the map is brought up to date a few times a second at most, by what
// moved, and shows where everybody is; vehicles that are close together are one. What it costs the page is told;
// docs/performance.md has figures.
func TestConsoleWithTenThousandMovingVehicles(t *testing.T) {
	t.Parallel()
	const vehicles, batches, seconds = 10_000, 10, 20
	r, p := consoleRig(t, 1280, 800)
	begin := time.Now()
	drive := func(second, batch int) {
		var c store.Commit
		for i := batch; i < vehicles; i += batches {
			// Round Munich; the last position of all is told at 20 m/s.
			at := orb.Point{11.4 + float64(i%100)*0.003 + float64(second)*0.0002, 48.0 + float64(i/100)*0.002}
			f := telemetry.NewFix("default", telemetry.VehicleID(fmt.Sprintf("v%05d", i)), begin.Add(time.Duration(second)*time.Second), at)
			f.Received, f.Speed, f.Heading = f.Time, float64(second), 90
			c.LastFixes = append(c.LastFixes, f)
		}
		r.app.Feed().Committed(c)
	}
	for batch := range batches {
		drive(0, batch)
	}
	p.Wait(fmt.Sprintf(`document.querySelector('.map').dataset.vehicles === '%d'`, vehicles))
	browsertest.Eval[bool](p, `(() => {
		window.longTasks = []
		new PerformanceObserver(l => longTasks.push(...l.getEntries().map(e => e.duration))).observe({type: 'longtask'})
		return true
	})()`)
	before := moment(p)
	for second := 1; second <= seconds; second++ {
		for batch := range batches {
			drive(second, batch)
			time.Sleep(time.Second / batches) // positions come in real time; what is asserted does not depend on it
		}
	}
	p.Wait(fmt.Sprintf(`document.querySelector('.map').dataset.moves >= %d`, int(before["moves"])+vehicles))
	after := moment(p)
	p.Shot("ten-thousand-moving")
	took := after["Timestamp"] - before["Timestamp"]
	per := func(name string) float64 { return (after[name] - before[name]) / took }
	t.Logf("in %.0f s: %.1f updates of the map a second with %.0f vehicles each; %.0f ms of script a second, %.0f ms of all tasks; %.0f long tasks, the longest %.0f ms; %.0f KB a second",
		took, per("updates"), (after["moves"]-before["moves"])/(after["updates"]-before["updates"]), 1000*per("ScriptDuration"), 1000*per("TaskDuration"),
		after["longTasks"], after["longest"], per("Received")/1000)
	if per("updates") > 5.5 {
		t.Errorf("the map was brought up to date %.1f times a second, want 5 at most", per("updates"))
	}
	if moves := after["moves"] - before["moves"]; moves > vehicles*seconds {
		t.Errorf("%.0f vehicles were drawn anew for %d positions", moves, vehicles*seconds)
	}

	box := browsertest.Eval[map[string]float64](p, `(() => { const b = document.querySelector('.map').getBoundingClientRect(); return {x: b.x + b.width/2, y: b.y + b.height/2} })()`)
	zoom := func() int { return browsertest.Eval[int](p, `+document.querySelector('.map').dataset.zoom`) }
	for zoom() > 4 {
		before := zoom()
		p.Click(".maplibregl-ctrl-zoom-out")
		p.Wait(fmt.Sprintf(`+document.querySelector('.map').dataset.zoom < %d && document.querySelector('.map').dataset.moving === 'false'`, before))
	}
	p.Shot("ten-thousand-together")
	far := zoom()
	p.ClickAt(box["x"], box["y"]) // all are one, which opens
	p.Wait(fmt.Sprintf(`document.querySelector('.map').dataset.zoom === '%d'`, far+2))

	p.Type("#finder", "v09999")
	p.Click(".hits button")
	p.WaitText(".card", "72 km/h") // nothing was lost on the way
}

// moment is what was counted until now, by the page and by the browser.
func moment(p *browsertest.Page) map[string]float64 {
	now := browsertest.Eval[map[string]float64](p, `(() => {
		const d = document.querySelector('.map').dataset
		return { updates: +(d.updates ?? 0), moves: +(d.moves ?? 0), longTasks: longTasks.length, longest: Math.max(0, ...longTasks) }
	})()`)
	maps.Copy(now, p.Metrics())
	return now
}
