package app_test

import (
	"net/http"
	"testing"
	"time"
)

// A fleet admin sees that the usual rule would have told of a crossing, puts it out, makes another for a tag, and asks
// why nobody was told of the next crossing.
func TestConsoleRules(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 900)
	r.call(t, http.MethodPut, "geofences/yard", `{"type":"Feature","properties":{"name":"Yard","shape":"circle","radius_m":60,"tags":["yards"]},"geometry":{"type":"Point","coordinates":[11.57,48.1318]}}`, http.StatusCreated)
	drive(t, r, "van", 48.1300, 11.5700, 40, time.Minute)
	eventually(t, "it was crossed twice", func() bool { return len(r.items(t, "crossings")) == 2 })

	p.Go(r.url("/#/rules"))
	p.WaitText("main", "Owners hear of enter and exit")
	p.Click(`tr[data-id="default"] button`)
	p.WaitText("h1", "Owners hear of enter and exit")
	p.Click(`.columns > div.box button`)
	p.WaitText(".columns > div.box", "2 messages to 1 person, of 2 events in")
	p.Shot("rule-dry-run")
	p.Click(`form.box label.check input`) // In force
	p.Click(`form.box button.primary`)
	p.WaitText(".toast", "Saved")
	eventually(t, "the usual rule is out", func() bool { return r.call(t, http.MethodGet, "rules/default", nil, http.StatusOK)["disabled"] == true })

	p.Go(r.url("/?again#/rules"))
	p.Type(`.filters input`, "yards")
	p.Click(`.filters button`)
	p.WaitText("h1", "yards")
	p.Type(`form.box input`, "Yards at night")
	p.Click(`form.box button.primary`)
	p.WaitText(".toast", "Saved")
	made := r.call(t, http.MethodGet, "rules/yards", nil, http.StatusOK)
	if made["name"] != "Yards at night" {
		t.Errorf("made %v", made)
	}
	r.call(t, http.MethodPut, "rules/yards", map[string]any{"name": "Yards at night", "events": []string{"dwell"}}, http.StatusOK)

	drive(t, r, "van", 48.1300, 11.5700, 41, 0)
	eventually(t, "it was crossed again", func() bool { return len(r.items(t, "crossings")) >= 4 })
	at := r.items(t, "crossings")[0]["at"].(string)
	p.Go(r.url("/?why#/why?vehicle=van&at=" + at))
	p.WaitText("h1", "Why?")
	p.Click(`.filters button.primary`)
	p.WaitText(".notes", "no rule tells anybody of it")
	p.WaitText("article", "it does not ask for this event")
	p.Shot("why")
}
