package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// attempt is one claim on its way through plan and send to its outcome.
type attempt struct {
	d         *Dispatcher
	lane      *lane
	claim     Claim
	templates func() ([]Template, error) // the page's, read once for all claims made together
	ends      time.Time                  // of the lease: nothing may be sent after it

	plain    bool  // Graph could not use the picture: text only
	detached bool  // it waits for another channel and holds no place of its page
	tries    []Try // what was tried, for the trace
}

// errSendTimeout is the cause of a request that took too long.
var errSendTimeout = errors.New("notify: no answer in time")

// leastTime is what must be left of the lease for a request to be worth starting.
const leastTime = 2 * time.Second

// turns bounds how often one claim is planned: each refusal but the last closes a route for good.
const turns = 6

// run plans and sends until something final is known, of the claim and of what goes out with it.
func (a *attempt) run() []Outcome {
	began, also := a.d.o.Now(), a.also()
	gone := a.expire()
	o := a.one()
	o.Tries = a.tries
	outcomes := append(gone, a.share(o)...)
	a.tell(began, also, outcomes)
	return outcomes
}

// also is what was claimed together with the claim, for tell; expire takes some of it away.
func (a *attempt) also() []Delivery {
	if a.d.o.OnTried == nil {
		return nil
	}
	return slices.Clone(a.claim.Also)
}

// tell passes on what came of each delivery of the claim.
func (a *attempt) tell(began time.Time, also []Delivery, outcomes []Outcome) {
	if a.d.o.OnTried == nil {
		return
	}
	for i := range outcomes {
		d := &a.claim.Delivery
		if j := slices.IndexFunc(also, func(d Delivery) bool { return d.Alert.ID == outcomes[i].ID }); j >= 0 {
			d = &also[j]
		}
		a.d.o.OnTried(began, d, &outcomes[i])
	}
}

// one is the way of the claim itself.
func (a *attempt) one() Outcome {
	for range turns {
		now := a.d.o.Now()
		s, err := a.situation(now)
		if err != nil {
			return a.later(ReasonNone, "the page's templates could not be read", now.Add(time.Second))
		}
		plan := PlanFor(a.claim, s, now)
		if plan.State != Sending {
			return a.planned(plan, s, now)
		}
		if o, wait := a.waits(plan, now); wait {
			return o
		}
		m := a.compose(s, plan, now)
		receipt, started, err := a.send(m)
		if err == nil {
			return a.sent(plan, receipt, started)
		}
		if o, final := a.refused(plan, s, m, started, err); final {
			return o
		}
	}
	return a.later(ReasonTemporary, "no route settled", a.d.o.Now().Add(time.Minute))
}

// situation gathers what the plan depends on. Templates are read only if the window does not decide.
func (a *attempt) situation(now time.Time) (Situation, error) {
	c := a.claim
	page, known := a.d.o.Directory.Page(c.Page)
	s := Situation{Known: known, HasToken: !page.AccessToken.Empty(), Tag: page.Tag, Order: orderOf(page)}
	s.Operator = c.Alert.Say != nil && c.Alert.Say.Operator != ""
	if owner, ok := a.d.o.Directory.Owner(c.Alert.Tenant, c.Alert.Owner); ok {
		s.Fallback = !owner.Fallback.Empty()
		_, s.Muted = owner.Muted(c.Alert.Vehicle, c.Alert.Fence, c.Alert.At)
		s.Asleep, _ = owner.QuietUntil(now)
	}
	a.lane.mind.fill(&s, c, now)
	if !page.Blocked.IsZero() {
		s.Blocked, s.BlockedUntil = ReasonPageBlocked, now.Add(recheck)
	}
	windowFirst := len(s.Order) == 0 || s.Order[0] == RouteWindow
	if !known || s.Blocked != ReasonNone || c.Alert.Say != nil || windowFirst && WindowOpen(c.LastAction, s.WindowClosed, now) {
		return s, nil
	}
	templates, err := a.templates()
	if !a.d.noted(opTemplates, err) {
		return s, err
	}
	own := a.d.o.Directory.Texts(c.Alert.Tenant)
	s.Template = TemplateFor(page, own, templates, c.Alert.Kind, c.Alert.Locale)
	s.TemplateRefused = a.lane.mind.shapeRefused(s.Template)
	if s.Template.Status == TemplateApproved && !s.Template.preferred(own, c.Alert.Kind, c.Alert.Locale) {
		a.askForTemplate(now)
	}
	return s, nil
}

// askForTemplate says that the page lacks the best template for the claim.
func (a *attempt) askForTemplate(now time.Time) {
	if alert := a.claim.Alert; a.lane.mind.ask(string(alert.Kind), alert.Locale, now) {
		a.d.o.NeedTemplates(a.claim.Page, alert.Kind, alert.Locale)
	}
}

// waits is the outcome of a claim whose turn it is not: too many went to the person, or to other channels.
func (a *attempt) waits(p Plan, now time.Time) (Outcome, bool) {
	if p.Route == RouteFallback {
		if !a.detach() {
			return a.later(ReasonChannel, "many messages wait for other channels", now.Add(a.d.o.Tick)), true
		}
		return Outcome{}, false
	}
	if a.claim.Urgent || len(a.tries) > 0 {
		return Outcome{}, false // an answer, or a second route of the same message
	}
	if wait := a.lane.mind.paced(a.claim.PSID, now); wait > 0 {
		return a.later(ReasonPace, "many messages to one person in a row", now.Add(wait)), true
	}
	return Outcome{}, false
}

// detach gives the attempt's place back before it waits for another channel, which may take long; it reports
// whether one more may wait.
func (a *attempt) detach() bool {
	if a.detached {
		return true
	}
	select {
	case a.d.channels <- struct{}{}:
	default:
		return false
	}
	a.detached = true
	a.lane.results <- result{urgent: a.claim.Urgent}
	return true
}

// send waits for the page's rate limit, sends, notes what happened, and returns when the request started.
func (a *attempt) send(m Message) (Receipt, time.Time, error) {
	if a.detached {
		defer func() { <-a.d.channels }()
	} else if err := a.turn(); err != nil {
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
	took := a.d.o.Now().Sub(started)
	a.d.metrics.sends.WithLabelValues(string(m.Route)).Inc()
	a.d.metrics.sendSeconds.Observe(took.Seconds())
	a.note(m, started, took, receipt, err)
	return receipt, started, err
}

// turn waits for the page's rate limit, and gives up when the lease would end before.
func (a *attempt) turn() error {
	ctx, cancel := context.WithTimeout(a.d.sending, a.ends.Sub(a.d.o.Now())-leastTime)
	defer cancel()
	return a.lane.bucket.turn(ctx, a.claim.Urgent)
}

func (a *attempt) sent(p Plan, r Receipt, started time.Time) Outcome {
	now := a.d.o.Now()
	if p.Route != RouteFallback {
		if a.lane.mind.worked(started) {
			a.d.o.Logger.Info("page sends again", "page", a.claim.Page)
		}
		a.lane.mind.reached(a.claim.PSID)
	}
	o := a.outcome(Sent)
	o.Route, o.SentAt, o.MessageID = p.Route, now, r.MessageID
	told := []Delivery{a.claim.Delivery}
	if p.Route == RouteWindow {
		told = append(told, a.claim.Also...)
	}
	for _, d := range told {
		a.d.metrics.latency(&d, started, now)
		d.State, d.Route, d.Reason, d.Detail, d.SentAt, d.MessageID = Sent, p.Route, ReasonNone, "", now, r.MessageID
		a.d.o.OnSent(d, started)
	}
	return o
}

// refused decides what a failed send means. It is not final when the plan can be made again with what was
// learned.
func (a *attempt) refused(p Plan, s Situation, m Message, started time.Time, err error) (o Outcome, final bool) {
	e := asError(err)
	now, mind := a.d.o.Now(), a.lane.mind
	a.d.metrics.refusals.WithLabelValues(string(e.Reason)).Inc()
	a.d.o.Logger.Log(context.Background(), e.level(), "send refused", "delivery", m.Delivery, "page", m.Page,
		"route", m.Route, "reason", e.Reason, "cause", e)
	if p.Route == RouteFallback {
		o = a.channelFailed(e, now)
		o.Route, o.Reason, o.Detail = p.Route, e.Reason, e.detail()
		return a.bounded(o), true
	}
	if e.Code != 0 && !e.Page && e.Reason != ReasonTemporary && e.Reason != ReasonAmbiguous {
		mind.worked(started) // Graph serves the page, whatever it thinks of this message
	}
	switch {
	case e.Reason == ReasonAmbiguous:
		a.stumble(e, now)
		o = a.outcome(Settling)
		o.NextAt = now.Add(a.d.o.Grace)
	case a.learns(e, p, m, now):
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
	if known := e.Page || o.Reason == e.Reason && e.Reason != ReasonTemplateShape; o.State == Held && known && s.mayFallBack() {
		return Outcome{}, false // what stands in the way is remembered: the next plan takes the other channel
	}
	return a.bounded(o), true
}

// mayFallBack reports whether the owner has another channel and the page's order uses it.
func (s Situation) mayFallBack() bool {
	return s.Fallback && (s.Order == nil || slices.Contains(s.Order, RouteFallback))
}

// learns notes a refusal that closes one route, so that the next plan takes another.
func (a *attempt) learns(e *Error, p Plan, m Message, now time.Time) bool {
	switch {
	case e.Reason == ReasonWindowClosed && p.Route == RouteWindow:
		a.lane.mind.closeWindow(m.PSID, now)
	case e.Reason == ReasonTagDead && p.Route == RouteTag:
		a.lane.mind.killTag(m.Tag)
	case e.Reason == ReasonTemplateShape && p.Route == RouteUtility:
		a.lane.mind.refuseShape(m.Template, m.Language, now)
		a.d.o.NeedTemplates(m.Page, a.claim.Alert.Kind, a.claim.Alert.Locale)
	case e.Reason == ReasonAttachment && !a.plain:
		a.plain = true
	default:
		return false
	}
	return true
}

// stumble lets a page pause whose requests get no proper answer any more, time after time.
func (a *attempt) stumble(e *Error, now time.Time) {
	if !a.lane.mind.stumbled() {
		return
	}
	if p, fresh := a.lane.mind.stop(ReasonTemporary, 0, now); fresh {
		a.d.o.Logger.Error("page pauses: request after request failed", "page", a.claim.Page, "cause", e, "until", p.until)
	}
}

// pageStops is the outcome when the answer concerns the whole page.
func (a *attempt) pageStops(e *Error, now time.Time) Outcome {
	p, fresh := a.lane.mind.stop(e.Reason, e.After, now)
	if fresh {
		a.d.o.Logger.Error("page stops sending", "page", a.claim.Page, "reason", e.Reason, "cause", e, "until", p.until)
		a.d.o.PageStopped(a.claim.Page, e.Reason)
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
	case e.Reason == ReasonThrottled && !e.Retry:
		a.lane.mind.bothered(a.claim.PSID)
		fallthrough
	case e.Reason == ReasonUnreachable, e.Reason == ReasonWindowClosed, e.Reason == ReasonNoSuchPerson:
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
		a.stumble(e, now)
		return a.retry(e.Reason, after, now)
	}
	o := a.outcome(Pending)
	o.NextAt = now.Add(after)
	return o
}

// retry is the outcome of a send that may go well later: soon at first, then after long rests, at last never.
func (a *attempt) retry(reason Reason, after time.Duration, now time.Time) Outcome {
	times, most := a.lane.mind.strike(a.claim.Alert.ID), a.d.o.MaxAttempts
	switch {
	case times >= 2*most:
		o := a.outcome(Failed)
		o.Reason = ReasonAttempts
		return o
	case times >= most:
		o := Outcome{ID: a.claim.Alert.ID, Lease: a.claim.Lease, State: Held, Reason: ReasonAttempts}
		o.NextAt = now.Add(max(after, parkFor(times-most+1, a.d.o.Jitter())))
		return o
	}
	o := a.outcome(Pending)
	o.Reason, o.NextAt = reason, now.Add(max(after, retryAfter(times, a.d.o.Jitter())))
	return o
}

// channelFailed is the outcome of another channel's failure. It has no echo that could settle what is not known.
func (a *attempt) channelFailed(e *Error, now time.Time) Outcome {
	switch {
	case e.Reason == ReasonAmbiguous:
		return a.outcome(Unknown)
	case !e.Retry:
		return a.outcome(Failed)
	}
	return a.retry(e.Reason, e.After, now)
}

// planned is the outcome of a plan that sends nothing.
func (a *attempt) planned(p Plan, s Situation, now time.Time) Outcome {
	if p.Reason == ReasonTemplateMissing {
		a.askForTemplate(now)
	}
	a.tries = append(a.tries, Try{At: now, Route: p.Route, State: p.State, Reason: p.Reason, Detail: p.Detail})
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

// asError is the error of a sender in notify's words.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Reason: ReasonAmbiguous, Text: err.Error()} // who knows what such a sender did
}

// detailLimit bounds what an answer may put into a delivery's row.
const detailLimit = 400

// detail is the answer in words for an operator.
func (e *Error) detail() string {
	text := e.Text
	if e.Code != 0 {
		text = fmt.Sprintf("graph code %d/%d: %s", e.Code, e.Subcode, e.Text)
	}
	return Shorten(text, detailLimit)
}
