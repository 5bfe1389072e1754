package console_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/console"
	"outrider/geofence"
	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// ruled is the API with a rulebook that follows the store, a van of anna's, and a boss.
func ruled(t *testing.T) *gateway {
	t.Helper()
	book := notify.NewRulebook()
	var g *gateway
	g = setup(t, func(o *console.Options) {
		o.Rulebook = book
		o.RulesChanged = func(context.Context) error { book.Load(g.store.allRules()); return nil }
		o.Rehearse = func(_ context.Context, rule notify.Rule, from time.Time) (found notify.Rehearsal, err error) {
			for _, x := range g.store.crossings {
				if kind := notify.Kind(x.Kind); !x.At.Before(from) && slices.Contains(rule.Events, kind) {
					found.Events = append(found.Events, notify.Event{
						ID: x.ID, Tenant: rule.Tenant, Vehicle: x.Vehicle, Fence: string(x.Fence), FenceTags: []string{"tag of " + string(x.Fence)},
						Kind: kind, At: x.At, Confidence: x.Confidence, Reading: rule.Reading,
					})
				}
			}
			found.Fixes = 7
			return found, nil
		}
		o.FenceTags = func(_ identity.TenantID, f geofence.FenceID) ([]string, identity.OwnerID) {
			return []string{"tag of " + string(f)}, ""
		}
	})
	g.must(201, "PUT", "/api/v1/owners/anna", `{"contacts":[{"page":"1001","psid":"7001"}]}`)
	g.must(201, "PUT", "/api/v1/owners/boss", `{}`)
	g.must(201, "PUT", "/api/v1/vehicles/van", `{"owners":["anna"]}`)
	return g
}

func TestRulesAreMadeChangedAndForgotten(t *testing.T) {
	t.Parallel()
	g := ruled(t)
	if a := g.must(200, "GET", "/api/v1/rules", ""); !strings.Contains(a.body, `"id":"default"`) || !strings.Contains(a.body, `"made":false`) {
		t.Errorf("without a rule there is %s", a.body)
	}
	a := g.must(201, "POST", "/api/v1/rules", `{"id":"night","events":["dwell"],"geofences":{"tags":["yards"]},"to":{"owners":["boss"]},"cooldown_s":60}`)
	tag := a.Header.Get("ETag")
	if a.Header.Get("Location") != "/api/v1/rules/night" || !strings.Contains(a.body, `"made":true`) {
		t.Errorf("made: %v %s", a.Header, a.body)
	}
	g.must(409, "POST", "/api/v1/rules", `{"id":"night","events":["enter"]}`)
	g.must(412, "PUT", "/api/v1/rules/night", `{"events":["enter"]}`, `If-Match: "999"`)
	g.must(412, "PUT", "/api/v1/rules/night", `{"events":["enter"]}`, `If-None-Match: *`)
	g.must(200, "PUT", "/api/v1/rules/night", `{"events":["enter"],"priority":"high"}`, "If-Match: "+tag)
	g.must(412, "DELETE", "/api/v1/rules/night", "", "If-Match: "+tag)
	if a := g.must(200, "GET", "/api/v1/rules/night", ""); !strings.Contains(a.body, `"priority":"high"`) || strings.Contains(a.body, "cooldown") {
		t.Errorf("after a change: %s", a.body)
	}
	g.must(404, "GET", "/api/v1/rules/night", "", "Outrider-Tenant: other")
	g.must(404, "DELETE", "/api/v1/rules/night", "", "Outrider-Tenant: other")
	g.must(204, "DELETE", "/api/v1/rules/night", "")
	g.must(404, "GET", "/api/v1/rules/night", "")
	g.must(404, "DELETE", "/api/v1/rules/night", "")
	g.must(201, "PUT", "/api/v1/rules/default", `{"events":["enter"],"disabled":true}`)
	if a := g.must(200, "GET", "/api/v1/rules", ""); strings.Count(a.body, `"events"`) != 1 || !strings.Contains(a.body, `"disabled":true`) {
		t.Errorf("with the default put out: %s", a.body)
	}
}

// Thresholds of a rule's own come back as they were given, and there may not be too many different ones.
func TestARuleHasAPresetAndThresholds(t *testing.T) {
	t.Parallel()
	g := ruled(t)
	const own = `"preset":"calm","dwell_s":600,"speed_limit_kmh":30,"speed_for_s":5,"stopped_s":120,"silent_s":3600`
	g.must(201, "PUT", "/api/v1/rules/own", `{"events":["enter","dwell","overspeed","stopped","silent"],`+own+`}`)
	if a := g.must(200, "GET", "/api/v1/rules/own", ""); !strings.Contains(a.body, own) {
		t.Errorf("read back: %s", a.body)
	}
	for n := range 15 {
		g.must(201, "PUT", fmt.Sprint("/api/v1/rules/r", n), fmt.Sprintf(`{"events":["dwell"],"dwell_s":%d}`, n+1))
	}
	if a := g.must(422, "PUT", "/api/v1/rules/more", `{"events":["dwell"],"dwell_s":99}`); !strings.Contains(a.body, "at most 16") {
		t.Errorf("one too many: %s", a.body)
	}
	g.must(201, "PUT", "/api/v1/rules/more", `{"events":["dwell"],"dwell_s":7}`)
	g.must(201, "PUT", "/api/v1/rules/off", `{"events":["dwell"],"dwell_s":99,"disabled":true}`)
	g.must(200, "PUT", "/api/v1/rules/r3", `{"events":["dwell"],"dwell_s":98}`)
}

func TestAWrongRuleIsRefusedFieldByField(t *testing.T) {
	t.Parallel()
	g := ruled(t)
	for body, says := range map[string]string{
		`{}`:                                     "events",
		`{"events":["explode"]}`:                 "body.events[0]",
		`{"events":[]}`:                          "body.events",
		`{"events":["enter"],"text":"{x} came"}`: "unknown place {x}",
		`{"events":["enter"],"quiet_hours":{"from":"25:00","to":"07:00"}}`:                              "body.quiet_hours.from",
		`{"events":["enter"],"schedule":{"time_zone":"Mars/Base"}}`:                                     "body.schedule.time_zone",
		`{"events":["enter"],"schedule":{"windows":[{"days":["monday"],"from":"22:00","to":"06:00"}]}}`: "body.schedule.windows[0].days[0]",
		`{"events":["enter"],"schedule":{"icalendar":"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"}}`:          "body.schedule.icalendar",
		`{"events":["enter"],"to":{"not_vehicle_owners":true}}`:                                         "expected somebody",
		`{"events":["enter"],"cooldown_s":-1}`:                                                          "body.cooldown_s",
		`{"events":["enter"],"min_confidence":9}`:                                                       "body.min_confidence",
		`{"events":["enter"],"color":"red"}`:                                                            "body.color",
		`{"events":["enter"],"preset":"nervous"}`:                                                       "body.preset",
		`{"events":["enter"],"dwell_s":60}`:                                                             "body.dwell_s",
		`{"events":["dwell"],"dwell_s":-1}`:                                                             "body.dwell_s",
		`{"events":["overspeed"],"speed_for_s":5}`:                                                      "body.speed_for_s",
		`{"id":"other","events":["enter"]}`:                                                             "body.id",
	} {
		if a := g.must(422, "PUT", "/api/v1/rules/night", body); !strings.Contains(a.body, says) {
			t.Errorf("%s: %s does not say %q", body, a.body, says)
		}
	}
}

// crossed puts crossings of the van into the record, each an hour after the one before, the last one an hour ago.
func crossed(g *gateway, kinds ...string) {
	for i, kind := range kinds {
		at := g.now.Add(-time.Duration(len(kinds)-i) * time.Hour)
		g.store.crossings = append(g.store.crossings, store.Crossing{
			Seq: uint64(i + 1), ID: kind + at.String(), Tenant: "default", Vehicle: "van", Fence: "yard", Kind: kind, At: at, Confidence: 3, Recorded: at,
		})
	}
}

func TestADryRunSaysWhatWouldHaveBeenTold(t *testing.T) {
	t.Parallel()
	g := ruled(t)
	crossed(g, "enter", "exit", "enter", "dwell", "exit", "enter")
	for name, c := range map[string]struct {
		days, body string
		says       []string
	}{
		"everything":   {"7", `{"events":["enter","exit"]}`, []string{`"alerts":5`, `"people":{"anna":5}`, `"crossings":5`, `"fixes":7`, `"partial":false`}},
		"the last two": {"0.1", `{"events":["enter","exit"]}`, []string{`"alerts":2`, `"crossings":2`}},
		"in its way":   {"7", `{"events":["enter"],"preset":"calm"}`, []string{`"alerts":3`}},
		"seldom":       {"7", `{"events":["enter"],"cooldown_s":9000}`, []string{`"alerts":2`, `"silenced":{"cooldown":1}`}},
		"nobody":       {"7", `{"events":["absent"]}`, []string{`"alerts":0`, `"outcomes":[]`}},
		"by a tag":     {"7", `{"events":["dwell"],"geofences":{"tags":["tag of yard"]},"to":{"not_vehicle_owners":true,"owners":["anna"]}}`, []string{`"alerts":1`}},
		"no contact":   {"7", `{"events":["dwell"],"to":{"not_vehicle_owners":true,"owners":["boss"]}}`, []string{`"alerts":0`, `"silenced":{"no_contact":1}`}},
	} {
		a := g.must(200, "POST", "/api/v1/rules/dry-run?days="+c.days, c.body)
		for _, part := range c.says {
			if !strings.Contains(a.body, part) {
				t.Errorf("%s: %s does not say %s", name, a.body, part)
			}
		}
	}
	g.must(422, "POST", "/api/v1/rules/dry-run?days=1000", `{"events":["enter"]}`)
	if len(g.store.allRules()) > 0 {
		t.Error("a dry run left a rule behind")
	}
}

func TestWhyAnAlertWasNotSent(t *testing.T) {
	t.Parallel()
	g := ruled(t)
	crossed(g, "enter", "exit")
	last := g.store.crossings[1]
	g.store.deliveries = []store.DeliveryRecord{{Seq: 1, Delivery: notify.Delivery{
		Alert: notify.Alert{ID: "d", Event: last.ID, Tenant: "default", Vehicle: "van", Owner: "anna", Kind: notify.Exit, At: last.At},
		State: notify.Held, Reason: notify.ReasonTemplatePending, Detail: "Meta has not approved the template yet",
	}}}
	at := last.At.UTC().Format(time.RFC3339)
	a := g.must(200, "GET", "/api/v1/explain?vehicle=van&at="+at, "")
	for _, part := range []string{`"claimed":true`, `"owners":["anna"]`, `"rule":"default"`, `"state":"held"`, "Meta has not approved the template yet", "nothing was ever heard"} {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s does not say %s", a.body, part)
		}
	}
	if strings.Contains(a.body, `"kind":"enter"`) {
		t.Errorf("what happened an hour earlier is told: %s", a.body)
	}
	a = g.must(200, "GET", "/api/v1/explain?vehicle=lorry&at="+at, "")
	for _, part := range []string{"nothing was ever heard", "has no owner", "no geofence was crossed"} {
		if !strings.Contains(a.body, part) {
			t.Errorf("of a stranger: %s does not say %s", a.body, part)
		}
	}
	a = g.must(200, "GET", "/api/v1/explain?vehicle=van&within_s=100&at="+last.At.Add(-time.Hour).UTC().Format(time.RFC3339), "")
	if !strings.Contains(a.body, "held, but told nobody") {
		t.Errorf("without a delivery: %s", a.body)
	}
	g.must(422, "GET", "/api/v1/explain?vehicle=van&at=yesterday", "")
}

// What was crossed is judged by the rules that were in force when it was recorded, whatever became of them since.
func TestWhyByTheRulesOfThen(t *testing.T) {
	t.Parallel()
	g := ruled(t)
	g.must(201, "PUT", "/api/v1/rules/night", `{"name":"First","events":["exit"]}`)
	g.pass(time.Hour)
	at := g.clock()
	g.store.crossings = []store.Crossing{{
		Seq: 1, ID: "c", Tenant: "default", Vehicle: "van", Fence: "yard", Kind: "enter", At: at, Received: at, Recorded: at, Confidence: 3,
	}}
	g.pass(time.Hour)
	changed := g.clock()
	g.must(200, "PUT", "/api/v1/rules/night", `{"name":"Second","events":["enter"]}`)
	g.must(201, "PUT", "/api/v1/rules/later", `{"name":"Later","events":["enter"]}`)
	g.must(201, "PUT", "/api/v1/rules/default", `{"disabled":true,"events":["enter"]}`)

	ask := func() map[string]map[string]any {
		a := g.must(200, "GET", "/api/v1/explain?vehicle=van&at="+at.UTC().Format(time.RFC3339), "")
		byRule := map[string]map[string]any{}
		for _, j := range a.member(t, "crossings.0.rules").([]any) {
			byRule[j.(map[string]any)["rule"].(string)] = j.(map[string]any)
		}
		return byRule
	}
	got := ask()
	if n := got["night"]; n["name"] != "First" || n["miss"] != "event" || n["revision"] != 1. || n["changed"] != changed.UTC().Format(time.RFC3339) {
		t.Errorf("the rule that was changed: %v", n)
	}
	if d := got["default"]; len(got) != 2 || d["miss"] != nil || d["revision"] != 0. {
		t.Errorf("the usual rule, and none that came later: %v", got)
	}
	g.pass(time.Hour)
	g.must(204, "DELETE", "/api/v1/rules/night", "")
	if n := ask()["night"]; n["name"] != "First" {
		t.Errorf("the rule that was deleted: %v", n)
	}
	g.store.crossings[0].Recorded = changed
	if n := ask()["night"]; n["name"] != "Second" || n["miss"] != nil || n["revision"] != 2. {
		t.Errorf("of what was recorded later: %v", n)
	}

	g.store.crossings[0].Recorded = at
	second := g.store.crossings[0]
	second.Seq, second.ID, second.At, second.Recorded = 2, "d", at.Add(time.Minute), changed
	g.store.crossings = append(g.store.crossings, second)
	a := g.must(200, "GET", "/api/v1/explain?vehicle=van&at="+at.UTC().Format(time.RFC3339), "")
	if one, two := len(a.member(t, "crossings.0.rules").([]any)), len(a.member(t, "crossings.1.rules").([]any)); one != 2 || two != 3 {
		t.Errorf("%d rules judge what was recorded before the change and %d what was after it, want 2 and 3", one, two)
	}
}
