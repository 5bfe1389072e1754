package app_test

import (
	"net/http"
	"strings"
	"testing"

	"outrider/simulator/graph"
)

// A rule that somebody makes while the gateway runs decides from the next crossing on, and after a restart, too.
func TestARuleDecidesWhoHears(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.own(t, "other", "boss", "70002")
	r.circle(t, "yard", 11.5, 48.1)
	for _, psid := range []string{"70001", "70002"} {
		_, err := r.sandbox.Say(page, psid, "hello")
		must(t, err)
	}
	eventually(t, "the webhooks were taken", func() bool { return r.sandbox.Webhooks().Waiting == 0 })
	r.call(t, http.MethodPut, "rules/default", map[string]any{"events": []string{"exit"}}, http.StatusCreated)
	r.call(t, http.MethodPut, "rules/boss", map[string]any{
		"events": []string{"enter"}, "to": map[string]any{"not_vehicle_owners": true, "owners": []string{"boss"}},
		"text": "{vehicle} has arrived at {fence}", "cooldown_s": 3600,
	}, http.StatusCreated)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	told := func(psid string) []string {
		var texts []string
		for _, m := range r.sandbox.Messages() {
			if m.PSID == psid {
				texts = append(texts, said(m))
			}
		}
		return texts
	}
	eventually(t, "both were told", func() bool { return len(told("70001")) == 1 && len(told("70002")) == 1 })
	if text := told("70002")[0]; !strings.Contains(text, "Van of ann has arrived at The yard") {
		t.Errorf("the boss was told %q", text)
	}
	if text := told("70001")[0]; strings.Contains(text, "arrived") {
		t.Errorf("the owner was told %q", text)
	}

	r.stop(t)
	r.start(t)
	if rules := r.items(t, "rules"); len(rules) != 2 {
		t.Fatalf("after a restart there are %v", rules)
	}
	for _, d := range r.items(t, "deliveries") {
		if d["owner"] == "boss" && d["rule"] != "boss" {
			t.Errorf("the delivery does not name its rule: %v", d)
		}
	}
}

// said is everything that a message says.
func said(m graph.Message) string { return m.Text }
