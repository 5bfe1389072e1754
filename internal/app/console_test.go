package app_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"outrider/internal/browsertest"
)

// consoleRig is a gateway with a fence, an owner and a vehicle, and a signed-in console.
func consoleRig(t *testing.T, width, height int) (*rig, *browsertest.Page) {
	t.Helper()
	p := browsertest.Open(t, width, height)
	r := newRig(t, nil)
	must(t, r.sandbox.AddPerson(page, "7001", "Ann"))
	r.call(t, http.MethodPut, "owners/ann", map[string]any{"name": "Ann", "contacts": []any{map[string]any{"page": page, "psid": "7001"}}}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/van", map[string]any{"name": "Van 12", "owner": "ann"}, http.StatusOK)
	_, err := r.sandbox.Say(page, "7001", "hello")
	must(t, err)
	p.Go(r.url("/"))
	p.Type(`input[type="password"]`, "not the key")
	p.Click(`button[type="submit"]`)
	p.WaitText(".field.bad", "not a key")
	p.Type(`input[type="password"]`, key)
	p.Click(`button[type="submit"]`)
	p.Wait(`document.querySelector('.map').dataset.ready === 'true'`)
	return r, p
}

// drive publishes positions every second due north at 10 m/s; the last one is so old.
func drive(t *testing.T, r *rig, vehicle string, lat, lon float64, steps int, ago time.Duration) {
	t.Helper()
	c := r.connect(t, fmt.Sprintf("driver-%d", steps))
	start := time.Now().Add(-time.Duration(steps)*time.Second - ago)
	for i := range steps {
		at := start.Add(time.Duration(i) * time.Second)
		publish(t, c, "fleet/default/"+vehicle+"/fix", fmt.Sprintf(`{"t":%.3f,"lat":%.7f,"lon":%.7f,"spd":10,"hdg":0,"acc":3}`,
			float64(at.UnixMilli())/1000, lat+float64(i)*10/111_200, lon))
	}
}

// A fleet admin draws a polygon with the mouse, a vehicle crosses it, the admin sees crossing and message, and the owner
// reads it on the phone.
func TestConsoleFromDrawingToMessage(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 800)
	drive(t, r, "van", 48.1300, 11.5700, 5, time.Minute)
	p.Wait(`document.querySelector('.map').dataset.vehicles === '1'`)
	p.WaitText(".empty", "No fences yet")
	p.Type("#finder", "van 12")
	p.Click(".hits button")
	p.WaitText(".card", "km/h")
	p.Wait(`document.querySelector('.map').dataset.moving === 'false' && document.querySelector('.map').dataset.zoom === '15'`)

	p.Click(`.newfence button:nth-of-type(2)`)
	p.WaitText(".guide", "corners")
	// The map's middle is the vehicle; at zoom 15 a pixel is about 1.6 m. The way north leads through the square.
	box := browsertest.Eval[map[string]float64](p, `(() => { const b = document.querySelector('.map').getBoundingClientRect(); return {x: b.x + b.width/2, y: b.y + b.height/2} })()`)
	x, y := box["x"], box["y"]
	for _, c := range [][2]float64{{-60, -40}, {60, -40}, {60, -160}, {-60, -160}, {-60, -160}} {
		p.ClickAt(x+c[0], y+c[1])
	}
	p.Wait(`document.querySelector('.points summary').textContent.includes('(4)')`)
	p.Shot("drawing")
	p.Type(`.editor input`, "Yard")
	p.Click(`.editor button.primary`)
	p.WaitText(".toast", "Saved")
	p.WaitText(".list", "Yard")

	fences := r.call(t, http.MethodGet, "geofences", nil, http.StatusOK)
	lats := latitudes(t, fences)
	if len(lats) != 5 {
		t.Fatalf("the polygon has %d corners, want 5 with the closing one: %v", len(lats), lats)
	}
	drive(t, r, "van", 48.1300, 11.5700, 50, 0)
	p.Go(r.url("/#/events"))
	p.WaitText("table", "entered")
	p.WaitText("table", "Yard")
	p.Shot("crossings")
	p.Go(r.url("/#/messages"))
	p.WaitText("table .state", "delivered")
	p.Click("table button.link")
	p.WaitText(".detail", "Attempts")
	p.Shot("messages")
	p.Go(r.meta + "/phone/" + page + "/7001")
	p.WaitText("#turns", "Van 12 entered Yard")
	p.WaitText("#turns", "Van 12 left Yard")
	p.Shot("phone-alerts")
	p.Go("about:blank") // the phone listens for ever, and its server waits for that
}

// latitudes are those of the only polygon of a list.
func latitudes(t *testing.T, list map[string]any) []float64 {
	t.Helper()
	text, err := json.Marshal(list)
	must(t, err)
	var collection struct {
		Features []struct {
			Geometry struct{ Coordinates [][][2]float64 }
		}
	}
	must(t, json.Unmarshal(text, &collection))
	if len(collection.Features) != 1 {
		t.Fatalf("want one fence: %s", text)
	}
	var all []float64
	for _, p := range collection.Features[0].Geometry.Coordinates[0] {
		all = append(all, p[1])
	}
	return all
}

// Everything can be drawn without a mouse: a circle by numbers, a polygon by the arrows and Enter.
func TestConsoleByKeyboard(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 800)
	p.Press("\t") // the link that skips the ways to everything
	if got := browsertest.Eval[string](p, `document.activeElement.textContent`); got != "Skip to content" {
		t.Fatalf("the first stop of the tabulator is %q", got)
	}
	focus := func(css string) { browsertest.Eval[bool](p, `(document.querySelector('`+css+`').focus(), true)`) }
	focus(".newfence button")
	p.Press(kb.Enter)
	p.WaitText(".editor h2", "circle")
	focus(".points .actions button")
	p.Press(kb.Enter)
	p.Wait(`document.querySelectorAll('.point input').length === 2`)
	p.Type(`.point input[title="latitude"]`, "48.1374")
	p.Press("\t")
	p.Type(`.point input[title="longitude"]`, "11.5755")
	p.Press("\t")
	p.Type(`.editor input[min="1"]`, "250")
	p.Press("\t")
	p.Type(`.editor input`, "Round")
	p.Press(kb.Enter)
	p.WaitText(".toast", "Saved")

	focus(`.newfence button:nth-of-type(2)`)
	p.Press(kb.Enter)
	p.WaitText(".editor h2", "polygon")
	focus(".map canvas")
	for i, arrow := range []string{kb.ArrowRight, kb.ArrowUp, kb.ArrowLeft} {
		before := browsertest.Eval[string](p, `document.querySelector('.map').dataset.points ?? ''`)
		p.Press(kb.Enter)
		p.Wait(fmt.Sprintf(`document.querySelector('.map').dataset.points === '%d' || '%s' === '%d'`, i+1, before, i+1))
		p.Press(arrow)
		p.Wait(`document.querySelector('.map').dataset.moving !== 'true'`)
	}
	p.Shot("keyboard")
	p.Type(`.editor input`, "By keys")
	p.Click(`.editor button.primary`)
	p.WaitText(".list", "By keys")

	var names []string
	for _, f := range r.call(t, http.MethodGet, "geofences", nil, http.StatusOK)["features"].([]any) {
		feature := f.(map[string]any)
		properties := feature["properties"].(map[string]any)
		names = append(names, properties["name"].(string))
		if properties["shape"] == "circle" && math.Abs(properties["radius_m"].(float64)-250) > 0.01 {
			t.Errorf("the circle has %v", properties)
		}
	}
	if len(names) != 2 {
		t.Fatalf("fences %v, want two", names)
	}
}

// On a phone the map, the list and the way to everything fit, and nothing is wider than the window.
func TestConsoleOnAPhone(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 390, 844)
	r.call(t, http.MethodPut, "geofences/depot", map[string]any{
		"type": "Feature", "properties": map[string]any{"name": "Depot", "shape": "circle", "radius_m": 150},
		"geometry": map[string]any{"type": "Point", "coordinates": []any{11.5755, 48.1374}},
	}, http.StatusOK)
	r.call(t, http.MethodPost, "users", map[string]any{"id": "olga", "name": "Olga", "role": "operator", "password": "correct horse battery"}, http.StatusOK)
	for _, view := range []string{"map", "events", "messages", "vehicles", "vehicles/van", "owners", "owners/ann", "pages", "pages/" + page, "health", "access", "access/olga", "changes", "you"} {
		p.Go(r.url("/#/" + view))
		p.Wait(`document.querySelector('main').textContent.length > 0 && !document.querySelector('main .loading')`)
		if wide := browsertest.Eval[float64](p, `document.documentElement.scrollWidth`); wide > 390 {
			t.Errorf("%s is %g pixels wide on a phone of 390", view, wide)
		}
		p.Shot("phone-" + strings.ReplaceAll(view, "/", "-"))
	}
	// A form whose address is opened first of all shows what there is, since saving it replaces that.
	for view, name := range map[string]string{"vehicles/van": "Van 12", "owners/ann": "Ann", "pages/" + page: "Fleet"} {
		p.Go(r.url("/?first" + strings.ReplaceAll(view, "/", "") + "#/" + view))
		p.Wait(`document.querySelector('form.box input')`)
		if got := browsertest.Eval[string](p, `document.querySelector('form.box input').value`); got != name {
			t.Errorf("the form of %s begins with %q, want %q", view, got, name)
		}
	}
}

// axe-core finds nothing to complain about, in light and in dark.
func TestConsoleIsAccessible(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "console", "ui", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("no axe-core here: npm ci in console/ui installs it")
	}
	r, p := consoleRig(t, 1280, 800)
	drive(t, r, "van", 48.1300, 11.5700, 5, time.Minute)
	r.call(t, http.MethodPost, "users", map[string]any{"id": "olga", "name": "Olga", "role": "operator", "password": "correct horse battery"}, http.StatusOK)
	r.call(t, http.MethodPost, "keys", map[string]any{"name": "desk", "role": "viewer"}, http.StatusOK)
	views := map[string][]string{
		"light": {"map", "events", "messages", "vehicles", "vehicles/van", "owners", "owners/ann", "pages", "pages/" + page, "rules", "rules/default", "import", "why", "health", "access", "access/olga", "changes", "you"},
		"dark":  {"map", "vehicles/van", "health"}, // every kind of thing that has a colour
	}
	for theme, views := range views {
		browsertest.Eval[bool](p, `(localStorage.setItem('outrider.theme', '`+theme+`'), true)`)
		for _, view := range views {
			p.Go(r.url("/?" + theme + view + "#/" + view))
			p.Wait(`document.querySelector('main') && document.querySelector('main').textContent.length > 0 && !document.querySelector('main .loading')`)
			browsertest.Eval[bool](p, string(source)+`; true`)
			browsertest.Eval[bool](p, `(window.axeResult = undefined, axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => { window.axeResult = r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120) + ' ' + (n.any[0]?.message ?? '')).join(' | ')) }), true)`)
			p.Wait(`window.axeResult !== undefined`)
			for _, v := range browsertest.Eval[[]string](p, `window.axeResult`) {
				t.Errorf("%s, %s: %s", view, theme, v)
			}
			p.Shot(theme + "-" + strings.ReplaceAll(view, "/", "-"))
		}
	}
}
