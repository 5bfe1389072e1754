package console

import (
	"context"
	"slices"
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
	Rules      []judged   `json:"rules" nullable:"false" doc:"What each rule said of it, as the rules were when it was recorded. Vehicles, owners and tags are those of now."`
	Deliveries []delivery `json:"deliveries" nullable:"false"`
}

// judged is what a rule said of a crossing.
type judged struct {
	notify.Judgement
	Revision uint64     `json:"revision" doc:"Of the version that was in force then. 0: the rule that every tenant has."`
	Made     *time.Time `json:"made,omitempty" doc:"When that version was made. Absent: before the gateway kept that."`
	Changed  *time.Time `json:"changed,omitempty" doc:"When another version took its place, or the rule was deleted. Absent: it is in force."`
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
	crossings = slices.DeleteFunc(crossings, func(x store.Crossing) bool { return x.At.After(e.To) })
	if len(crossings) == 0 {
		return nil
	}
	h, err := c.history(ctx, crossings)
	if err != nil {
		return err
	}
	for _, x := range crossings {
		e.Crossings = append(e.Crossings, explained{showCrossing(x), h.judge(c.event(x), x.Recorded), []delivery{}})
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
			note(what + "the rule \"" + j.Rule + "\" held, but told nobody: the vehicle's owners or tags, or the geofence's, were others then")
			return
		}
	}
	note(what + "no rule tells anybody of it")
}
