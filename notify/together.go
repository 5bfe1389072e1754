package notify

import "time"

// expire takes out of a digest what is too old to be told, or was muted meanwhile; it returns the outcomes of those.
func (a *attempt) expire() []Outcome {
	now := a.d.o.Now()
	var gone []Outcome
	fresh := a.claim.Also[:0]
	for _, d := range a.claim.Also {
		var s Situation
		if owner, ok := a.d.o.Directory.Owner(d.Alert.Tenant, d.Alert.Owner); ok {
			_, s.Muted = owner.Muted(d.Alert.Vehicle, d.Alert.Fence, d.Alert.At)
		}
		p := PlanFor(Claim{Delivery: d}, s, now)
		if p.State != Expired {
			fresh = append(fresh, d)
			continue
		}
		gone = append(gone, Outcome{ID: d.Alert.ID, Lease: d.Lease, State: p.State, Route: p.Route, Reason: p.Reason, Detail: p.Detail})
	}
	a.claim.Also = fresh
	return gone
}

// share gives what goes out together with the claim an outcome, too. What did not go out together goes back, to
// be planned by itself when its message was refused for good.
func (a *attempt) share(o Outcome) []Outcome {
	all := []Outcome{o}
	for _, d := range a.claim.Also {
		x := o
		x.ID, x.Lease, x.Tries = d.Alert.ID, d.Lease, nil
		if o.State == Failed || o.State == Expired || o.Route != RouteWindow && o.State != Pending {
			// One that expired leaves the others to the digest of the next.
			x = Outcome{State: Pending, ID: d.Alert.ID, Lease: d.Lease, NextAt: a.d.o.Now(), Apart: o.State != Expired}
		}
		if len(a.tries) > 0 {
			x.Tries = []Try{{At: a.tries[len(a.tries)-1].At, Route: o.Route, State: x.State, Detail: "in the digest of " + a.claim.Alert.ID}}
		}
		all = append(all, x)
	}
	return all
}

// compose puts the alert into the words of the planned route.
func (a *attempt) compose(s Situation, p Plan, now time.Time) Message {
	c, own := a.claim, a.d.o.Directory.Texts(a.claim.Alert.Tenant)
	m := Message{Delivery: c.Alert.ID, Alert: c.Alert, Page: c.Page, PSID: c.PSID, Route: p.Route}
	if say := c.Alert.Say; say != nil {
		m.Text, m.Buttons, m.Replies, m.Answer = say.Text, say.Buttons, say.QuickReplies, true
		if !a.plain {
			m.Card = say.Card
		}
		return m
	}
	if p.Route == RouteUtility {
		t := s.Template
		params := WordsFor(t.Language, own).Params(c.Alert, now)
		m.Template, m.Language, m.Params = t.Name, t.Language, params[:min(t.Params, len(params))]
		for _, action := range Actions()[:min(t.Buttons, len(Actions()))] {
			m.Buttons = append(m.Buttons, Button{Payload: a.d.o.Argument(action, c.Delivery)}) // fills {{1}} of the template's own payload
		}
		return m
	}
	words := WordsFor(c.Alert.Locale, own)
	if len(c.Also) > 0 && p.Route == RouteWindow {
		m.Text = words.Digest(alertsOf(c), now)
		return m
	}
	m.Text, m.Buttons = words.Text(c.Alert, now), words.Buttons(c.Delivery, a.d.o.Argument)
	m.Replies = []Button{words.Button(ActionAck, c.Delivery, a.d.o.Argument)}
	if image := a.picture(p.Route); image != "" && words.fitsCard(c.Alert, now) {
		m.Card = &Card{Title: words.Title(c.Alert), Subtitle: words.Subtitle(c.Alert, now), Image: image}
	}
	if p.Route == RouteTag {
		m.Tag = s.Tag
	}
	return m
}

// picture is the address of the alert's map, where the route can show one.
func (a *attempt) picture(route Route) string {
	if a.plain || route != RouteWindow && route != RouteTag {
		return ""
	}
	return a.d.o.Picture(a.claim.Delivery)
}

func alertsOf(c Claim) []Alert {
	alerts := []Alert{c.Alert}
	for _, d := range c.Also {
		alerts = append(alerts, d.Alert)
	}
	return alerts
}

// note adds a request to the trace.
func (a *attempt) note(m Message, started time.Time, took time.Duration, r Receipt, err error) {
	t := Try{At: started, Route: m.Route, State: Sent, Took: float64(took.Microseconds()) / 1000}
	x := r.Exchange
	if err != nil {
		e := asError(err)
		x = e.Exchange
		t.State, t.Reason, t.Detail, t.Code, t.Subcode = "", e.Reason, e.detail(), e.Code, e.Subcode
	}
	t.Status, t.Request, t.Response = x.Status, x.Request, x.Response
	a.tries = append(a.tries, t)
}
