package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// attempt is one claim on its way through plan and send to its outcome.
type attempt struct {
	d         *Dispatcher
	lane      *lane
	claim     Claim
	templates func() ([]Template, error) // the page's, read once for all claims made together
	ends      time.Time                  // of the lease: nothing may be sent after it
}

// errSendTimeout is the cause of a request that took too long.
var errSendTimeout = errors.New("notify: no answer in time")

// leastTime is what must be left of the lease for a request to be worth starting.
const leastTime = 2 * time.Second

// turns bounds how often one claim is planned: each refusal but the last closes a route for good.
const turns = 5

// run plans and sends until something final is known.
func (a *attempt) run() Outcome {
	for range turns {
		now := a.d.o.Now()
		s, err := a.situation(now)
		if err != nil {
			return a.later(ReasonNone, "the page's templates could not be read", now.Add(time.Second))
		}
		plan := PlanFor(a.claim, s, now)
		if plan.State != Sending {
			return a.planned(plan)
		}
		m := compose(a.claim, s, plan, now)
		receipt, started, err := a.send(m)
		if err == nil {
			return a.sent(plan, receipt, started)
		}
		if o, final := a.refused(plan, m, started, err); final {
			return o
		}
	}
	return a.later(ReasonTemporary, "no route settled", a.d.o.Now().Add(time.Minute))
}

// situation gathers what the plan depends on. Templates are read only if the window is closed.
func (a *attempt) situation(now time.Time) (Situation, error) {
	page, known := a.d.o.Directory.Page(a.claim.Page)
	s := Situation{Known: known, HasToken: !page.AccessToken.Empty(), Tag: page.Tag}
	a.lane.mind.fill(&s, a.claim, now)
	if !page.Blocked.IsZero() {
		s.Blocked, s.BlockedUntil = ReasonPageBlocked, now.Add(recheck)
	}
	if !known || s.Blocked != ReasonNone || WindowOpen(a.claim.LastAction, s.WindowClosed, now) {
		return s, nil
	}
	templates, err := a.templates()
	if !a.d.noted(opTemplates, err) {
		return s, err
	}
	s.Template = TemplateFor(page, templates, a.claim.Alert.Kind, a.claim.Alert.Locale)
	s.TemplateRefused = a.lane.mind.shapeRefused(s.Template)
	return s, nil
}

// compose puts the alert into the words of the planned route.
func compose(c Claim, s Situation, p Plan, now time.Time) Message {
	m := Message{Delivery: c.Alert.ID, Page: c.Page, PSID: c.PSID, Route: p.Route}
	if p.Route == RouteUtility {
		words := WordsFor(s.Template.Language)
		m.Template, m.Language = s.Template.Name, s.Template.Language
		m.Params = words.Params(c.Alert, now)
		m.Buttons = []Button{{Payload: string(c.Alert.Vehicle)}} // fills {{1}} of the template's own payload
		return m
	}
	words := WordsFor(c.Alert.Locale)
	m.Text, m.Buttons = words.Text(c.Alert, now), words.Buttons(c.Alert)
	if p.Route == RouteTag {
		m.Tag = s.Tag
	}
	return m
}

// send waits for the page's rate limit, sends, and returns when the request started.
func (a *attempt) send(m Message) (Receipt, time.Time, error) {
	if err := a.turn(); err != nil {
		return Receipt{}, a.d.o.Now(), &Error{Reason: ReasonNetwork, Retry: true, Text: "not sent: the page's rate or a stop left no time"}
	}
	started := a.d.o.Now()
	left := a.ends.Sub(started)
	if left < leastTime {
		return Receipt{}, started, &Error{Reason: ReasonNetwork, Retry: true, Text: "not sent: the claim has ended"}
	}
	ctx, cancel := context.WithTimeoutCause(a.d.sending, min(a.d.o.SendTimeout, left), errSendTimeout)
	defer cancel()
	receipt, err := a.d.o.Sender.Send(ctx, m)
	a.d.metrics.sends.WithLabelValues(string(m.Route)).Inc()
	a.d.metrics.sendSeconds.Observe(a.d.o.Now().Sub(started).Seconds())
	return receipt, started, err
}

// turn waits for the page's rate limit, and gives up at once when the lease would end before.
func (a *attempt) turn() error {
	ctx, cancel := context.WithTimeout(a.d.sending, a.ends.Sub(a.d.o.Now())-leastTime)
	defer cancel()
	return a.lane.limiter.Wait(ctx)
}

func (a *attempt) sent(p Plan, r Receipt, started time.Time) Outcome {
	now := a.d.o.Now()
	if a.lane.mind.worked(started) {
		a.d.o.Logger.Info("page sends again", "page", a.claim.Page)
	}
	a.lane.mind.reached(a.claim.PSID)
	a.d.metrics.latency(a.claim.Alert, started)
	o := a.outcome(Sent)
	o.Route, o.SentAt, o.MessageID = p.Route, now, r.MessageID
	d := a.claim.Delivery
	d.State, d.Route, d.Reason, d.Detail, d.SentAt, d.MessageID = Sent, p.Route, ReasonNone, "", now, r.MessageID
	a.d.o.OnSent(d, started)
	return o
}

// refused decides what a failed send means. It is not final when the plan can be made again with what was
// learned.
func (a *attempt) refused(p Plan, m Message, started time.Time, err error) (o Outcome, final bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Reason: ReasonAmbiguous, Text: err.Error()} // who knows what such a sender did
	}
	now, mind := a.d.o.Now(), a.lane.mind
	a.d.metrics.refusals.WithLabelValues(string(e.Reason)).Inc()
	a.d.o.Logger.Log(context.Background(), e.Reason.level(), "send refused", "delivery", m.Delivery, "page", m.Page,
		"route", m.Route, "reason", e.Reason, "cause", e)
	if e.Code != 0 && !e.Page {
		mind.worked(started) // Graph serves the page, whatever it thinks of this message
	}
	switch {
	case e.Reason == ReasonAmbiguous:
		o = a.outcome(Settling)
		o.NextAt = now.Add(a.d.o.Grace)
	case e.Reason == ReasonWindowClosed && p.Route == RouteWindow:
		mind.closeWindow(m.PSID, now)
		return Outcome{}, false
	case e.Reason == ReasonTagDead && p.Route == RouteTag:
		mind.killTag(m.Tag)
		return Outcome{}, false
	case e.Reason == ReasonTemplateShape && p.Route == RouteUtility:
		mind.refuseShape(m.Template, m.Language, now)
		a.d.o.NeedTemplates(m.Page)
		return Outcome{}, false
	case e.Page && mind.outdated(started):
		o = a.outcome(Pending)
		o.NextAt = now
	case e.Page:
		o = a.pageStops(e, now)
	case e.Reason == ReasonNetwork:
		o = a.outcome(Pending)
		o.NextAt = now.Add(retryAfter(1, a.d.o.Jitter()))
	default:
		o = a.personal(e, now)
	}
	o.Route, o.Detail = p.Route, e.detail()
	if o.Reason == ReasonNone {
		o.Reason = e.Reason
	}
	return a.bounded(o), true
}

// pageStops is the outcome when the answer concerns the whole page.
func (a *attempt) pageStops(e *Error, now time.Time) Outcome {
	p, fresh := a.lane.mind.stop(e.Reason, e.After, now)
	if fresh {
		a.d.o.Logger.Error("page stops sending", "page", a.claim.Page, "reason", e.Reason, "cause", e, "until", p.until)
	}
	state := Held
	if p.silent() {
		state = Pending
	}
	o := a.outcome(state)
	o.NextAt = p.until
	return o
}

// personal is the outcome when the answer concerns this message or person alone.
func (a *attempt) personal(e *Error, now time.Time) Outcome {
	after := e.After
	switch {
	case e.Reason == ReasonThrottled && !e.Retry, e.Reason == ReasonUnreachable, e.Reason == ReasonWindowClosed:
		o := a.outcome(Held)
		o.NextAt = a.lane.mind.quiet(a.claim.PSID, e.Reason, after, now)
		return o
	case e.Reason == ReasonTemplateShape:
		o := a.outcome(Held)
		o.NextAt = now.Add(recheck)
		return o
	case !e.Retry:
		return a.outcome(Failed)
	case e.Reason == ReasonThrottled: // waiting is what was asked for, and no fault of the message
		after = max(after, pauseFor(ReasonThrottled, 1, 0))
	default:
		times := a.lane.mind.strike(a.claim.Alert.ID)
		if times >= a.d.o.MaxAttempts {
			o := a.outcome(Failed)
			o.Reason = ReasonAttempts
			return o
		}
		after = max(after, retryAfter(times, a.d.o.Jitter()))
	}
	o := a.outcome(Pending)
	o.NextAt = now.Add(after)
	return o
}

// planned is the outcome of a plan that sends nothing.
func (a *attempt) planned(p Plan) Outcome {
	if p.Reason == ReasonTemplateMissing {
		a.d.o.NeedTemplates(a.claim.Page)
	}
	o := a.outcome(p.State)
	o.Route, o.Reason, o.Detail, o.NextAt = p.Route, p.Reason, p.Detail, p.Until
	return o
}

// later is a delivery that goes back for no fault of its own.
func (a *attempt) later(reason Reason, detail string, at time.Time) Outcome {
	o := a.outcome(Pending)
	o.Reason, o.Detail, o.NextAt = reason, detail, at
	return a.bounded(o)
}

func (a *attempt) outcome(s State) Outcome {
	if s != Pending {
		a.lane.mind.absolve(a.claim.Alert.ID)
	}
	return Outcome{ID: a.claim.Alert.ID, Lease: a.claim.Lease, State: s}
}

// bounded lets a delivery that waits come back at its expiry at the latest, so that it expires visibly.
func (a *attempt) bounded(o Outcome) Outcome {
	expiry := a.claim.Alert.Expiry()
	if (o.State == Pending || o.State == Held) && !expiry.IsZero() && expiry.Before(o.NextAt) {
		o.NextAt = expiry
	}
	return o
}

// detailLimit bounds what an answer may put into a delivery's row.
const detailLimit = 400

// detail is the answer in words for an operator.
func (e *Error) detail() string {
	text := e.Text
	if e.Code != 0 {
		text = fmt.Sprintf("graph code %d/%d: %s", e.Code, e.Subcode, e.Text)
	}
	if runes := []rune(text); len(runes) > detailLimit {
		text = string(runes[:detailLimit]) + "…"
	}
	return text
}
