package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// The columns of the decision table, each with its values. A claim lives in exactly one of their combinations.
var planColumns = []struct {
	name   string
	values []string
}{
	{"stale", []string{"no", "yes"}},
	{"contact", []string{"yes", "no"}},
	{"page", []string{"ok", "unknown", "no-token", "blocked"}},
	{"person", []string{"ok", "quiet"}},
	{"window", []string{"never", "open", "over", "graph-closed"}},
	{"template", []string{"missing", "pending", "rejected", "approved", "refused"}},
	{"tag", []string{"none", "alive", "dead", "HUMAN_AGENT"}},
	{"operator", []string{"no", "yes"}},
	{"fallback", []string{"no", "yes"}},
	{"message", []string{"event", "say"}},
}

// planTable is the policy: the first row that fits a combination decides. "-" fits any value, "a|b" either,
// "!a" any other.
//
//	stale contact page person window template tag operator fallback message => state route reason
const planTable = `
yes - - - - - - - - -                                         => expired hold stale
no no - - - - - - yes event                                   => sending fallback no_contact
no no - - - - - - - -                                         => held hold no_contact
no yes unknown - - - - - yes event                            => sending fallback unknown_page
no yes unknown - - - - - - -                                  => held hold unknown_page
no yes no-token - - - - - yes event                           => sending fallback no_token
no yes no-token - - - - - - -                                 => held hold no_token
no yes blocked - - - - - yes event                            => sending fallback policy
no yes blocked - - - - - - -                                  => held hold policy
no yes ok quiet - - - no yes event                            => sending fallback unreachable
no yes ok quiet - - - no - -                                  => held hold unreachable
no yes ok - open - - - - -                                    => sending window -
no yes ok - !open approved - - - event                        => sending utility -
no yes ok - !open !approved alive - - event                   => sending tag -
no yes ok - over|graph-closed !approved !alive yes - event    => sending human -
no yes ok - over|graph-closed - - yes - say                   => sending human -
no yes ok - !open - - - - say                                 => held hold window_closed
no yes ok - !open !approved !alive - yes event                => sending fallback -
no yes ok - !open missing !alive - no event                   => held hold template_missing
no yes ok - !open pending !alive - no event                   => held hold template_pending
no yes ok - !open rejected !alive - no event                  => held hold template_rejected
no yes ok - !open refused !alive - no event                   => held hold template_shape
`

func TestPlanEveryCombination(t *testing.T) {
	t.Parallel()
	rows := strings.Split(strings.TrimSpace(planTable), "\n")
	used := make([]int, len(rows))
	count := 0
	eachCombination(func(values []string) {
		count++
		want := ""
		for i, row := range rows {
			pattern, result, _ := strings.Cut(row, "=>")
			if fits(strings.Fields(pattern), values) {
				want, used[i] = strings.TrimSpace(result), used[i]+1
				break
			}
		}
		claim, situation := combination(values)
		p := notify.PlanFor(claim, situation, noon)
		reason := string(p.Reason)
		if reason == "" {
			reason = "-"
		}
		if got := fmt.Sprintf("%s %s %s", p.State, p.Route, reason); got != want {
			t.Errorf("%v: got %q, want %q", values, got, want)
		}
		checkPlan(t, values, claim, p)
	})
	if count != 2*2*4*2*4*5*4*2*2*2 {
		t.Errorf("%d combinations", count)
	}
	for i, n := range used {
		if n == 0 {
			t.Errorf("no combination fits row %q", rows[i])
		}
	}
}

// checkPlan holds what is true of every plan.
func checkPlan(t *testing.T, values []string, c notify.Claim, p notify.Plan) {
	t.Helper()
	if p.State == notify.Held && (p.Reason == notify.ReasonNone || p.Detail == "") {
		t.Errorf("%v: held without a visible reason: %+v", values, p)
	}
	if p.State == notify.Held && (p.Until.IsZero() || p.Until.After(c.Alert.Expiry())) {
		t.Errorf("%v: held until %v, past its expiry %v", values, p.Until, c.Alert.Expiry())
	}
	if p.State == notify.Held && !p.Until.After(noon) {
		t.Errorf("%v: held until %v, which has passed", values, p.Until)
	}
}

func eachCombination(do func([]string)) {
	var descend func(prefix []string)
	descend = func(prefix []string) {
		if len(prefix) == len(planColumns) {
			do(prefix)
			return
		}
		for _, v := range planColumns[len(prefix)].values {
			descend(append(prefix[:len(prefix):len(prefix)], v))
		}
	}
	descend(nil)
}

func fits(pattern, values []string) bool {
	for i, p := range pattern {
		not := strings.HasPrefix(p, "!")
		any := p == "-"
		for choice := range strings.SplitSeq(strings.TrimPrefix(p, "!"), "|") {
			any = any || (choice == values[i]) != not
		}
		if !any {
			return false
		}
	}
	return true
}

// combination builds the claim and the situation that the values describe.
func combination(values []string) (notify.Claim, notify.Situation) {
	v := map[string]string{}
	for i, c := range planColumns {
		v[c.name] = values[i]
	}
	c := notify.Claim{Delivery: notify.Delivery{
		Alert: notify.Alert{ID: "a", Kind: notify.Enter, At: noon.Add(-time.Minute), MaxAge: 6 * time.Hour},
		Page:  "111", PSID: "7001",
	}}
	s := notify.Situation{Known: true, HasToken: true, Operator: v["operator"] == "yes", Fallback: v["fallback"] == "yes"}
	if v["message"] == "say" {
		c.Alert.Kind, c.Alert.Say = notify.Reply, &notify.Say{Text: "Here it is."}
	}
	if v["stale"] == "yes" {
		c.Alert.At = noon.Add(-6 * time.Hour)
	}
	if v["contact"] == "no" {
		c.Page, c.PSID = "", "owner:acme/ann"
	}
	switch v["page"] {
	case "unknown":
		s.Known, s.HasToken = false, false
	case "no-token":
		s.HasToken = false
	case "blocked":
		s.Blocked, s.BlockedUntil = notify.ReasonPolicy, noon.Add(time.Hour)
	}
	if v["person"] == "quiet" {
		s.Quiet, s.QuietUntil = notify.ReasonUnreachable, noon.Add(time.Hour)
	}
	switch v["window"] {
	case "open":
		c.LastAction = noon.Add(-23*time.Hour - 54*time.Minute)
	case "over":
		c.LastAction = noon.Add(-23*time.Hour - 55*time.Minute)
	case "graph-closed":
		c.LastAction, s.WindowClosed = noon.Add(-2*time.Minute), noon.Add(-time.Minute)
	}
	switch v["template"] {
	case "pending":
		s.Template.Status = "IN_APPEAL" // any other word counts as pending
	case "rejected":
		s.Template.Status = notify.TemplateRejected
	case "approved":
		s.Template.Status = notify.TemplateApproved
	case "refused":
		s.Template.Status, s.TemplateRefused = notify.TemplateApproved, true
	}
	switch v["tag"] {
	case "alive":
		s.Tag = "CONFIRMED_EVENT_UPDATE"
	case "dead":
		s.Tag, s.TagDead = "CONFIRMED_EVENT_UPDATE", true
	case "HUMAN_AGENT":
		s.Tag = "HUMAN_AGENT"
	}
	return c, s
}

func TestPlanFollowsThePagesOrder(t *testing.T) {
	t.Parallel()
	c, s := combination([]string{"no", "yes", "ok", "ok", "over", "approved", "alive", "no", "no", "event"})
	for _, x := range []struct {
		order []notify.Route
		want  notify.Route
		why   notify.Reason
	}{
		{nil, notify.RouteUtility, ""},
		{[]notify.Route{notify.RouteTag, notify.RouteUtility}, notify.RouteTag, ""},
		{[]notify.Route{notify.RouteWindow}, notify.RouteHold, notify.ReasonWindowClosed},
		{[]notify.Route{notify.RouteFallback, notify.RouteUtility}, notify.RouteUtility, ""},
	} {
		s.Order = x.order
		if p := notify.PlanFor(c, s, noon); p.Route != x.want || p.Reason != x.why {
			t.Errorf("order %v: %+v, want %s %s", x.order, p, x.want, x.why)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what         string
		last, closed time.Time
		open         bool
	}{
		{"never wrote", time.Time{}, time.Time{}, false},
		{"wrote just now", noon, time.Time{}, true},
		{"five minutes before Meta closes it", noon.Add(-23*time.Hour - 55*time.Minute), time.Time{}, false},
		{"a moment earlier", noon.Add(-23*time.Hour - 55*time.Minute + time.Millisecond), time.Time{}, true},
		{"Graph said closed", noon.Add(-time.Hour), noon.Add(-time.Minute), false},
		{"Graph said closed, then they wrote", noon.Add(-time.Second), noon.Add(-time.Minute), true},
		{"their clock is ahead", noon.Add(time.Minute), time.Time{}, true},
	} {
		if got := notify.WindowOpen(c.last, c.closed, noon); got != c.open {
			t.Errorf("%s: open = %v", c.what, got)
		}
	}
}

func TestTemplateFor(t *testing.T) {
	t.Parallel()
	tmpl := func(name, language string, s notify.TemplateStatus) notify.Template {
		return notify.Template{Page: "111", Name: name, Language: language, Status: s}
	}
	own := identity.Page{ID: "111"}
	custom := identity.Page{ID: "111", Templates: map[string]string{"enter": "fleet_arrival"}}
	const a, p, r = notify.TemplateApproved, notify.TemplatePending, notify.TemplateRejected
	for _, c := range []struct {
		what   string
		page   identity.Page
		list   []notify.Template
		locale string
		want   string
	}{
		{"none", own, nil, "", "outrider_enter_v2 en "},
		{"none, in German", own, nil, "de_DE", "outrider_enter_v2 de_DE "},
		{"the newest version", own, []notify.Template{tmpl("outrider_enter_v1", "en", a), tmpl("outrider_enter_v2", "en", a), tmpl("outrider_enter_v9", "en", a)}, "", "outrider_enter_v2 en APPROVED"},
		{"the version before, while the new one waits", own, []notify.Template{tmpl("outrider_enter_v2", "en", p), tmpl("outrider_enter_v1", "en", a)}, "", "outrider_enter_v1 en APPROVED"},
		{"the language before the version", own, []notify.Template{tmpl("outrider_enter_v2", "en", a), tmpl("outrider_enter_v1", "de", a)}, "de", "outrider_enter_v1 de APPROVED"},
		{"Portuguese as it is spoken in Brazil", own, []notify.Template{tmpl("outrider_enter_v2", "en", a), tmpl("outrider_enter_v2", "pt_BR", a)}, "pt-PT", "outrider_enter_v2 pt_BR APPROVED"},
		{"the gateway's", own, []notify.Template{tmpl("outrider_exit_v1", "en", a), tmpl("outrider_enter_v1", "en", a)}, "", "outrider_enter_v1 en APPROVED"},
		{"the person's language", own, []notify.Template{tmpl("outrider_enter_v1", "en", a), tmpl("outrider_enter_v1", "de", a)}, "de-AT", "outrider_enter_v1 de APPROVED"},
		{"the region's", own, []notify.Template{tmpl("outrider_enter_v1", "de", a), tmpl("outrider_enter_v1", "de_AT", a)}, "de-AT", "outrider_enter_v1 de_AT APPROVED"},
		{"approved English before pending German", own, []notify.Template{tmpl("outrider_enter_v1", "de", p), tmpl("outrider_enter_v1", "en", a)}, "de_DE", "outrider_enter_v1 en APPROVED"},
		{"pending is more hopeful than rejected", own, []notify.Template{tmpl("outrider_enter_v1", "de", r), tmpl("outrider_enter_v1", "en", p)}, "de_DE", "outrider_enter_v1 en PENDING"},
		{"the page's own name", custom, []notify.Template{tmpl("outrider_enter_v1", "en", a), tmpl("fleet_arrival", "en", p)}, "en_GB", "fleet_arrival en PENDING"},
	} {
		got := notify.TemplateFor(c.page, nil, c.list, notify.Enter, c.locale)
		if text := fmt.Sprintf("%s %s %s", got.Name, got.Language, got.Status); text != c.want {
			t.Errorf("%s: %q, want %q", c.what, text, c.want)
		}
	}
}

func ExamplePlanFor() {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	claim := notify.Claim{
		Delivery:   notify.Delivery{Page: "111", PSID: "7001", Alert: notify.Alert{Kind: notify.Exit, At: now}},
		LastAction: now.Add(-2 * time.Hour), // she tapped a button at ten
	}
	page := notify.Situation{Known: true, HasToken: true}
	fmt.Println(notify.PlanFor(claim, page, now).Route)

	p := notify.PlanFor(claim, page, now.Add(24*time.Hour))
	fmt.Println(p.Route, p.Reason)

	page.Template.Status = notify.TemplateApproved
	fmt.Println(notify.PlanFor(claim, page, now.Add(24*time.Hour)).Route)
	// Output:
	// window
	// hold template_missing
	// utility
}

// Whatever else is the case, what the owner has muted is not sent; answers are.
func TestNothingMutedIsSent(t *testing.T) {
	t.Parallel()
	eachCombination(func(values []string) {
		c, s := combination(values)
		c.Alert.Say = nil
		s.Muted = true
		p := notify.PlanFor(c, s, noon)
		if p.State != notify.Expired || p.Reason != notify.ReasonMuted && p.Reason != notify.ReasonStale {
			t.Errorf("%v: %+v", values, p)
		}
		c.Alert.Say = &notify.Say{Text: "It is at home."}
		muted := notify.PlanFor(c, s, noon)
		s.Muted = false
		if free := notify.PlanFor(c, s, noon); free != muted {
			t.Errorf("%v: an answer gets %+v when alerts are muted, else %+v", values, muted, free)
		}
	})
}
