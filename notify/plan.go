package notify

import (
	"fmt"
	"time"

	"outrider/identity"
)

// Window is how long after a person's last action a page may write freely.
const Window = 24 * time.Hour

// windowMargin closes the window early, since Meta's clock decides and a message is some time on its way.
const windowMargin = 5 * time.Minute

// humanWindow is how long after a person's last action an operator may answer by hand.
const humanWindow = 7 * 24 * time.Hour

// tagHumanAgent may never be put on what a program wrote.
const tagHumanAgent = "HUMAN_AGENT"

// Situation is everything apart from the claim that the plan depends on.
type Situation struct {
	Known    bool // the page is registered
	HasToken bool // and has an access token

	// Blocked says why nothing may be sent through the page now; ReasonNone: it may.
	Blocked      Reason
	BlockedUntil time.Time // when to try again

	// Quiet says why this person is left alone for a while; ReasonNone: they are not.
	Quiet      Reason
	QuietUntil time.Time

	Tag     string // the page's message tag, empty: none
	TagDead bool   // Graph refused it

	Template        Template // for the alert's kind and language; Status empty: not on the page
	TemplateRefused bool     // Graph refused its shape since it was last checked

	WindowClosed time.Time // when Graph last said that the window is closed, whatever we believe; zero: never
	Fallback     bool      // the owner has another channel that can be used
	Operator     bool      // a logged-in operator typed the message

	// Order is the page's order of routes; nil: DefaultOrder.
	Order []Route
}

// DefaultOrder is the order in which routes are tried when a page does not say otherwise.
func DefaultOrder() []Route {
	return []Route{RouteWindow, RouteUtility, RouteTag, RouteHuman, RouteFallback}
}

// Plan is what to do with a claimed delivery.
type Plan struct {
	State  State // Sending: send by Route; Held or Expired: Reason says why
	Route  Route
	Reason Reason
	Detail string
	Until  time.Time // Held: when to plan again at the latest; zero: when something happens
}

// recheck is how long a held delivery waits at most for the event that should free it. The event itself (a
// template approved, a window opened, a page connected again) frees it at once.
const recheck = time.Hour

// PlanFor decides by which route a delivery goes out now: the first of the order that is allowed, else it is
// held with the reason that stands in the way. It is a pure function.
func PlanFor(c Claim, s Situation, now time.Time) Plan {
	if c.Alert.Stale(now) {
		return Plan{State: Expired, Route: RouteHold, Reason: ReasonStale,
			Detail: fmt.Sprintf("older than %s", c.Alert.MaxAge)}
	}
	if reason, until, detail := s.stop(c, now); reason != ReasonNone {
		if reason != ReasonNoContact && s.allows(RouteFallback, c, now) {
			return Plan{State: Sending, Route: RouteFallback, Reason: reason, Detail: detail}
		}
		return hold(c, reason, detail, until)
	}
	order := s.Order
	if order == nil {
		order = DefaultOrder()
	}
	for _, route := range order {
		if s.allows(route, c, now) {
			return Plan{State: Sending, Route: route}
		}
	}
	reason, detail := s.templateReason()
	return hold(c, reason, detail, now.Add(recheck))
}

// stop returns why the page can send nothing at all to this person now.
func (s Situation) stop(c Claim, now time.Time) (reason Reason, until time.Time, detail string) {
	switch {
	case c.PSID == "":
		return ReasonNoContact, time.Time{}, "the owner is linked to no page"
	case !s.Known:
		return ReasonUnknownPage, now.Add(recheck), "the page is not registered"
	case !s.HasToken:
		return ReasonNoToken, now.Add(recheck), "the page has no access token"
	case s.Blocked != ReasonNone:
		return s.Blocked, s.BlockedUntil, "the page sends nothing for now"
	case s.Quiet != ReasonNone && !s.Operator:
		return s.Quiet, s.QuietUntil, "this person is left alone for now"
	}
	return ReasonNone, time.Time{}, ""
}

// allows reports whether the route may be used now.
func (s Situation) allows(route Route, c Claim, now time.Time) bool {
	switch route {
	case RouteWindow:
		return WindowOpen(c.LastAction, s.WindowClosed, now)
	case RouteUtility:
		return s.Template.Status == TemplateApproved && !s.TemplateRefused
	case RouteTag:
		return s.Tag != "" && s.Tag != tagHumanAgent && !s.TagDead
	case RouteHuman:
		return s.Operator && !c.LastAction.IsZero() && now.Before(c.LastAction.Add(humanWindow))
	case RouteFallback:
		return s.Fallback
	}
	return false
}

// WindowOpen reports whether a page may write freely to a person who last acted at lastAction, given that Graph
// last refused it at closed; zero times mean never.
func WindowOpen(lastAction, closed, now time.Time) bool {
	return !lastAction.IsZero() && lastAction.After(closed) && now.Before(lastAction.Add(Window-windowMargin))
}

// templateReason says what stands in the way when the window is closed.
func (s Situation) templateReason() (Reason, string) {
	switch {
	case s.Template.Status == TemplateApproved && s.TemplateRefused:
		return ReasonTemplateShape, "outside the 24 hour window, and Graph refused the template; it is checked again"
	case s.Template.Status == TemplateApproved:
		return ReasonWindowClosed, "outside the 24 hour window, and the page uses no other route"
	case s.Template.Status == "":
		return ReasonTemplateMissing, "outside the 24 hour window, and the page has no template for it yet"
	case s.Template.Status == TemplateRejected:
		return ReasonTemplateRejected, "outside the 24 hour window, and Meta rejected the template"
	}
	return ReasonTemplatePending, "outside the 24 hour window, and the template waits for approval"
}

// hold keeps the delivery until the given time or its expiry, whichever comes first.
func hold(c Claim, reason Reason, detail string, until time.Time) Plan {
	if expiry := c.Alert.Expiry(); !expiry.IsZero() && (until.IsZero() || expiry.Before(until)) {
		until = expiry
	}
	return Plan{State: Held, Route: RouteHold, Reason: reason, Detail: detail, Until: until}
}

// TemplateFor picks from the templates of a page the one to use for a kind of event and a locale: the page's
// own name for the kind or the gateway's, in the first of the person's languages that is approved. If none is,
// it returns the most hopeful; its Status is empty if the page has none at all.
func TemplateFor(page identity.Page, templates []Template, kind Kind, locale string) Template {
	name := TemplateName(page, kind)
	best := Template{Page: page.ID, Name: name, Language: languages(locale)[0]}
	for _, language := range languages(locale) {
		for _, t := range templates {
			if t.Name == name && t.Language == language && hope(t.Status) > hope(best.Status) {
				best = t
			}
		}
	}
	return best
}

func hope(s TemplateStatus) int {
	switch s {
	case "":
		return 0
	case TemplateRejected:
		return 1
	case TemplateApproved:
		return 3
	}
	return 2
}

// TemplateName is the name of the page's own template for a kind of event, else of the gateway's.
func TemplateName(page identity.Page, kind Kind) string {
	if name := page.Templates[string(kind)]; name != "" {
		return name
	}
	return "outrider_" + string(kind) + "_v1"
}
