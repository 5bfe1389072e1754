package console

import (
	"context"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// explanation follows what happened to a vehicle from its positions to the answers of Meta.
type explanation struct {
	Vehicle   identity.VehicleID `json:"vehicle"`
	From      time.Time          `json:"from"`
	To        time.Time          `json:"to"`
	Claimed   bool               `json:"claimed" doc:"Whether the vehicle is registered."`
	Owners    []identity.OwnerID `json:"owners" nullable:"false"`
	LastFix   *fix               `json:"last_fix,omitempty" doc:"The newest position of all."`
	Refused   []deadLetter       `json:"refused" nullable:"false" doc:"What of it arrived then and was refused."`
	Crossings []explained        `json:"crossings" nullable:"false" doc:"What was crossed then, oldest first."`
	Notes     []string           `json:"notes" nullable:"false" doc:"In words: where the way from position to message ended, and what to look at."`
}

// explained is a crossing with what rules say of it and what became of its alerts.
type explained struct {
	crossing
	Rules      []notify.Judgement `json:"rules" nullable:"false" doc:"What each rule says of it, as the rules are now."`
	Deliveries []delivery         `json:"deliveries" nullable:"false"`
}

func (c *rules) explain(ctx context.Context, in *struct {
	Vehicle identity.VehicleID `query:"vehicle" required:"true" minLength:"1" maxLength:"128"`
	At      time.Time          `query:"at" required:"true" doc:"When it happened, or should have."`
	Within  int                `query:"within_s" default:"600" minimum:"1" maximum:"86400" doc:"How many seconds before and after are looked at."`
}) (*recordAnswer[explanation], error) {
	span := time.Duration(in.Within) * time.Second
	e := explanation{
		Vehicle: in.Vehicle, From: in.At.Add(-span).UTC(), To: in.At.Add(span).UTC(),
		Owners: []identity.OwnerID{}, Refused: []deadLetter{}, Crossings: []explained{}, Notes: []string{},
	}
	for _, step := range []func(context.Context, *explanation) error{c.explainVehicle, c.explainRefused, c.explainCrossings} {
		if err := step(ctx, &e); err != nil {
			return nil, err
		}
	}
	e.conclude()
	return &recordAnswer[explanation]{200, e}, nil
}

func (c *rules) explainVehicle(ctx context.Context, e *explanation) error {
	tenant := tenantOf(ctx)
	_, e.Claimed = c.o.Directory.Vehicle(tenant, e.Vehicle)
	for _, o := range c.o.Directory.Owners(tenant, e.Vehicle) {
		e.Owners = append(e.Owners, o.ID)
	}
	g := &registry{store: c.o.Store}
	last, err := g.lastFix(ctx, e.Vehicle)
	if err == nil && last != nil {
		e.LastFix = showFix(last)
	}
	return err
}

func (c *rules) explainRefused(ctx context.Context, e *explanation) error {
	letters, err := c.o.Store.DeadLetters(ctx, store.Query{Tenant: tenantOf(ctx), Vehicle: e.Vehicle, Limit: explainBatch})
	for _, l := range letters {
		if !l.Received.Before(e.From) && !l.Received.After(e.To) {
			e.Refused = append(e.Refused, showDeadLetter(l))
		}
	}
	return err
}

func (c *rules) explainCrossings(ctx context.Context, e *explanation) error {
	q := store.Query{Tenant: tenantOf(ctx), Vehicle: e.Vehicle}
	crossings, _, err := c.since(ctx, q, e.From)
	if err != nil {
		return err
	}
	for _, x := range crossings {
		if x.At.After(e.To) {
			break
		}
		e.Crossings = append(e.Crossings, explained{showCrossing(x), c.o.Rules.Judge(c.event(x)), []delivery{}})
	}
	if len(e.Crossings) == 0 {
		return nil
	}
	q.Limit = explainBatch
	sent, err := c.o.Store.Deliveries(ctx, q)
	for _, d := range sent {
		for i := range e.Crossings {
			if e.Crossings[i].ID == d.Alert.Event {
				whole, err := c.o.Store.Delivery(ctx, q.Tenant, d.Alert.ID)
				if err != nil {
					return err
				}
				e.Crossings[i].Deliveries = append(e.Crossings[i].Deliveries, showDelivery(whole))
			}
		}
	}
	return err
}

// conclude says in words where the way ended.
func (e *explanation) conclude() {
	note := func(text string) { e.Notes = append(e.Notes, text) }
	switch {
	case e.LastFix == nil:
		note("nothing was ever heard of this vehicle: look at its tracker's topic, and at the refused input")
	case e.LastFix.Received.Before(e.From):
		note("nothing was heard of this vehicle since " + e.LastFix.Received.Format(time.RFC3339))
	}
	if len(e.Refused) > 0 {
		note("some of what arrived then was refused: " + e.Refused[0].Detail)
	}
	if len(e.Owners) == 0 {
		note("the vehicle has no owner: only rules that name people tell anybody")
	}
	if len(e.Crossings) == 0 {
		note("no geofence was crossed then, as far as its positions prove: a movement, not a position alone, makes a crossing")
	}
	for i := range e.Crossings {
		e.Crossings[i].conclude(note)
	}
}

func (x *explained) conclude(note func(string)) {
	what := x.Kind + " " + x.FenceName + " at " + x.At.Format(time.RFC3339) + ": "
	if x.Late {
		note(what + "found in data that came too late to alert anyone")
		return
	}
	for _, d := range x.Deliveries {
		text := what + "alert to " + string(d.Owner) + " is " + string(d.State)
		if d.Detail != "" {
			text += ": " + d.Detail
		}
		note(text)
	}
	if len(x.Deliveries) > 0 {
		return
	}
	for _, j := range x.Rules {
		if j.Miss == notify.Hit && len(j.To) > 0 {
			note(what + "the rule \"" + j.Rule + "\" would tell of it now, but did not hold then, or its person was not known")
			return
		}
	}
	note(what + "no rule tells anybody of it")
}
