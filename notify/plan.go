package notify

import (
	"fmt"
	"slices"
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

	// Muted says that the owner does not want to hear of it any more; answers are no such thing.
	Muted bool

	// Asleep is when the owner's quiet hours end; zero: they are not in them.
	Asleep time.Time

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
	heedsOwner := c.Alert.Say == nil && c.Alert.Once == "" // answers, and what was asked for, go out all the same
	if s.Muted && heedsOwner {
		return Plan{State: Expired, Route: RouteHold, Reason: ReasonMuted, Detail: "muted by the owner"}
	}
	if !s.Asleep.IsZero() && heedsOwner && !c.Alert.High {
		return hold(c, ReasonQuietHours, "the owner's quiet hours", s.Asleep)
	}
	order := s.Order
	if order == nil {
		order = DefaultOrder()
	}
	if reason, until, detail := s.stop(c, now); reason != ReasonNone {
		if slices.Contains(order, RouteFallback) && s.allows(RouteFallback, c, now) {
			return Plan{State: Sending, Route: RouteFallback, Reason: reason, Detail: detail}
		}
		return hold(c, reason, detail, until)
	}
	for _, route := range order {
		if s.allows(route, c, now) {
			return Plan{State: Sending, Route: route}
		}
	}
	reason, detail := s.closedReason(c)
	return hold(c, reason, detail, now.Add(recheck))
}

// stop returns why the page can send nothing at all to this person now.
func (s Situation) stop(c Claim, now time.Time) (reason Reason, until time.Time, detail string) {
	switch {
	case c.Page == "":
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
	event := c.Alert.Say == nil // only what tells of an event may leave by the ways that are made for it
	switch route {
	case RouteWindow:
		return WindowOpen(c.LastAction, s.WindowClosed, now)
	case RouteUtility:
		return event && s.Template.Status == TemplateApproved && !s.TemplateRefused
	case RouteTag:
		return event && s.Tag != "" && s.Tag != tagHumanAgent && !s.TagDead
	case RouteHuman:
		return s.Operator && !c.LastAction.IsZero() && now.Before(c.LastAction.Add(humanWindow))
	case RouteFallback:
		return event && s.Fallback
	}
	return false
}

// WindowOpen reports whether a page may write freely to a person who last acted at lastAction, given that Graph
// last refused it at closed; zero times mean never.
func WindowOpen(lastAction, closed, now time.Time) bool {
	return !lastAction.IsZero() && lastAction.After(closed) && now.Before(lastAction.Add(Window-windowMargin))
}

// closedReason says what stands in the way when the window is closed.
func (s Situation) closedReason(c Claim) (Reason, string) {
	switch {
	case c.Alert.Say != nil:
		return ReasonWindowClosed, "outside the 24 hour window, and this is no event that a template could tell"
	case s.Order != nil && !slices.Contains(s.Order, RouteUtility):
		return ReasonWindowClosed, "outside the 24 hour window, and the page uses no other route"
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

// orderOf is a page's own order of routes; nil when it has none.
func orderOf(page identity.Page) []Route {
	var order []Route
	for _, name := range page.Routes {
		order = append(order, Route(name))
	}
	return order
}
