package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// Bounds of a dry run, and of an explanation.
const (
	explainMost  = 100_000 // crossings that are looked at
	explainBatch = 1000
	dryRunShown  = 500 // outcomes that are told one by one
)

// dryRunAnswer says what a rule would have told.
type dryRunAnswer struct {
	Body struct {
		From      time.Time      `json:"from" doc:"From when on: as asked, or since the journal has something, if that is later."`
		To        time.Time      `json:"to"`
		Fixes     int            `json:"fixes" doc:"How many positions were looked at."`
		Crossings int            `json:"crossings" doc:"How many events of the kinds that the rule names were found in them."`
		Partial   bool           `json:"partial" doc:"There was more than can be looked at, by size or in 30 seconds: some is left out, the oldest first."`
		Alerts    int            `json:"alerts" doc:"How many people would have been told, each event of each person counted."`
		People    map[string]int `json:"people" nullable:"false" doc:"The same by owner."`
		Silenced  map[string]int `json:"silenced" nullable:"false" doc:"What would have been held or dropped, by reason."`
		Outcomes  []outcome      `json:"outcomes" nullable:"false" doc:"The newest of them."`
	}
}

// outcome is one alert that a rule would have led to.
type outcome struct {
	At      time.Time          `json:"at"`
	Vehicle identity.VehicleID `json:"vehicle"`
	Fence   string             `json:"fence"`
	Kind    notify.Kind        `json:"kind"`
	Owner   identity.OwnerID   `json:"owner"`
	Reason  notify.Reason      `json:"reason,omitempty" doc:"Why it would not have been sent at once; absent: it would."`
}

func (c *rules) dryRun(ctx context.Context, in *struct {
	Days float64 `query:"days" default:"7" minimum:"0.01" maximum:"90" doc:"How far to look back."`
	Body rule
}) (*dryRunAnswer, error) {
	tenant := tenantOf(ctx)
	out := &dryRunAnswer{}
	out.Body.To = c.o.Now().UTC()
	out.Body.From = out.Body.To.Add(-time.Duration(in.Days * 24 * float64(time.Hour)))
	out.Body.People, out.Body.Silenced, out.Body.Outcomes = map[string]int{}, map[string]int{}, []outcome{}

	trial := in.Body.Rule
	trial.Tenant, trial.ID, trial.Disabled = tenant, "trial", false
	if !c.trying.TryLock() {
		return nil, problem(http.StatusTooManyRequests, "another dry run is under way: try again when it is done")
	}
	defer c.trying.Unlock()
	found, err := c.o.Rehearse(ctx, trial, out.Body.From)
	if err != nil {
		return nil, err
	}
	if !found.From.IsZero() {
		out.Body.From = found.From.UTC()
	}
	out.Body.Fixes, out.Body.Crossings, out.Body.Partial = found.Fixes, len(found.Events), found.Partial
	book := notify.NewRulebook()
	book.Load([]notify.Rule{trial, {Tenant: tenant, ID: notify.DefaultRule, Disabled: true}})
	judge := notify.NewRules(c.o.Directory, book)
	var alerts []notify.Alert
	for _, e := range found.Events {
		alerts = judge.Alerts(alerts[:0], e)
		for _, a := range alerts {
			out.note(judge.Deliver(a, a.At))
		}
	}
	slices.Reverse(out.Body.Outcomes)
	out.Body.Outcomes = out.Body.Outcomes[:min(len(out.Body.Outcomes), dryRunShown)]
	return out, nil
}

func (o *dryRunAnswer) note(d notify.Delivery) {
	a := d.Alert
	if d.Reason == notify.ReasonNone {
		o.Body.Alerts++
		o.Body.People[string(a.Owner)]++
	} else {
		o.Body.Silenced[string(d.Reason)]++
	}
	o.Body.Outcomes = append(o.Body.Outcomes, outcome{a.At.UTC(), a.Vehicle, a.Fence, a.Kind, a.Owner, d.Reason})
}

// since returns the crossings from a time on, oldest event first, and whether there were too many.
func (c *rules) since(ctx context.Context, q store.Query, from time.Time) (all []store.Crossing, partial bool, err error) {
	q.Limit = explainBatch
	for {
		batch, err := c.o.Store.Crossings(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, x := range batch {
			if !x.At.Before(from) {
				all = append(all, x)
			}
		}
		// ORDER: the record is in the order of arrival; what arrived before from happened before it, too.
		if len(batch) < explainBatch || batch[len(batch)-1].Recorded.Before(from) {
			break
		}
		if len(all) >= explainMost {
			partial = true
			break
		}
		q.Before = batch[len(batch)-1].Seq
	}
	slices.SortStableFunc(all, func(a, b store.Crossing) int { return a.At.Compare(b.At) })
	return all, partial, nil
}

// event says a crossing of the record in the words of rules. Tags are those of now.
func (c *rules) event(x store.Crossing) notify.Event {
	tags, owner := c.o.FenceTags(x.Tenant, x.Fence)
	return notify.Event{
		ID: x.ID, Tenant: x.Tenant, Vehicle: x.Vehicle, Fence: string(x.Fence), FenceName: x.FenceName, FenceTags: tags, Private: owner,
		Kind: notify.Kind(x.Kind), At: x.At, Point: x.Point, Late: x.Late, Confidence: x.Confidence, Received: x.Received,
		Reading: notify.ReadingOf(x.Reading),
	}
}
