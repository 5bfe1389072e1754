package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"outrider/notify"
)

// A rule that nobody made yet, on a geofence that was drawn afterwards, finds in the journal what it would have found.
func TestARuleIsRehearsedOverTheJournal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.drive(t, topic, south(place, 300), begin, 30)
	r.stand(t, place, begin.Add(30*time.Second), 120)
	r.drive(t, topic, place, begin.Add(150*time.Second), 30)
	r.drive(t, "fleet/other/van/fix", south(place, 300), begin, 30) // another tenant's
	r.fence(t, "yard", place)
	rehearse := func(rule notify.Rule, from time.Time) (notify.Rehearsal, string) {
		t.Helper()
		rule.Tenant = "default"
		found, err := r.pipeline.Rehearse(t.Context(), rule, from)
		must(t, err)
		text := ""
		for _, e := range found.Events {
			text += fmt.Sprintf("%s %d, ", e.Kind, int(e.At.Sub(begin).Round(time.Second).Seconds()))
		}
		return found, text
	}
	both := notify.Rule{Events: only(notify.Enter, notify.Exit, notify.Dwell), Reading: notify.Reading{Dwell: 60}}
	found, text := rehearse(both, begin.Add(-time.Hour))
	if text != "enter 20, dwell 80, exit 160, " || found.Fixes != 72 || found.Partial || !found.From.Equal(begin) || !found.To.Equal(begin.Add(179*time.Second)) {
		t.Errorf("found %q in %d positions from %v to %v", text, found.Fixes, found.From, found.To)
	}
	if _, text := rehearse(notify.Rule{Events: only(notify.Exit)}, begin.Add(time.Minute)); text != "exit 160, " {
		t.Errorf("of the end alone: %q", text)
	}
	if _, text := rehearse(notify.Rule{Events: only(notify.Dwell)}, begin); text != "" {
		t.Errorf("of a geofence that names no dwell: %q", text)
	}
	if found, _ := rehearse(both, begin.Add(time.Hour)); found.Fixes != 0 || !found.From.IsZero() {
		t.Errorf("of the time after: %+v", found)
	}
	if all := r.crossings(t, 0); len(all) > 0 {
		t.Errorf("a rehearsal left %q in the record", all)
	}
}
