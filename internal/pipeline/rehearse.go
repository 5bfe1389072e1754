package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"outrider/geofence"
	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/telemetry"
)

// Bounds of a rehearsal.
const (
	rehearseFixes  = 4_000_000 // read of the journal, of all tenants: the newest ones
	rehearseEvents = 100_000
	rehearseTime   = 30 * time.Second
)

// rehearsal is one run of positions of the past through gate and engine.
type rehearsal struct {
	p      *Pipeline
	rule   *notify.Rule
	from   time.Time
	tenant telemetry.TenantID
	index  *geofence.Index
	how    geofence.Options
	gate   *telemetry.Gate
	ts     *tenantState
	stays  stays
	batch  []journal.Entry
	found  []geofence.Crossing
	out    notify.Rehearsal
}

// Rehearse looks at what is in the journal since a time, through a gate and an engine of its own, with the geofences that
// are in force now as the rule has them read. What came before is not known to them: the first position of a vehicle is
// a state and no event. It stops at bounds of size and time, and says so.
func (p *Pipeline) Rehearse(ctx context.Context, rule notify.Rule, from time.Time) (notify.Rehearsal, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, rehearseTime, errLong)
	defer cancel()
	tenant := telemetry.TenantID(rule.Tenant)
	r := &rehearsal{
		p: p, rule: &rule, from: from, tenant: tenant, index: p.fences.Current().Index(tenant), how: geofence.Options{Preset: p.o.Preset},
		stays: stays{}, batch: make([]journal.Entry, 0, readBatch),
	}
	if own := readingsOf(r.index, []notify.Rule{rule}, nil); len(own) > 0 {
		r.index, r.how = own[0].index, own[0].options(p.o.Preset)
	}
	for partition := range p.o.Journal.Partitions() {
		err := r.partition(ctx, partition)
		if errors.Is(err, errLong) {
			r.out.Partial = true
			break
		}
		if err != nil {
			return notify.Rehearsal{}, fmt.Errorf("pipeline: rehearse partition %d: %w", partition, err)
		}
	}
	slices.SortStableFunc(r.out.Events, func(a, b notify.Event) int { return a.At.Compare(b.At) })
	return r.out, nil
}

var errLong = errors.New("pipeline: the rehearsal took too long")

// partition runs what a partition holds now.
func (r *rehearsal) partition(ctx context.Context, partition int) error {
	at, end, err := r.begin(ctx, partition)
	if err != nil {
		return err
	}
	r.gate = telemetry.NewGate(telemetry.GateOptions{})
	r.ts = &tenantState{id: r.tenant, reading: r.rule.Reading, key: r.rule.Reading.Key(), index: r.index, tracker: geofence.NewTracker(r.index, r.how)}
	r.ts.base = r.ts
	for at < end {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.batch, err = r.p.o.Journal.Read(ctx, partition, at, r.batch[:0])
		if err != nil {
			return err
		}
		for i := range r.batch {
			if e := &r.batch[i]; e.Position < end && e.Fix.Tenant == r.tenant {
				r.see(&e.Fix)
			}
		}
		at = r.batch[len(r.batch)-1].Position + 1
	}
	now := r.p.o.Now().Add(-tickLag)
	r.found = r.ts.tracker.Advance(r.found[:0], now.UnixMilli())
	r.take(now)
	return nil
}

// begin finds the first position that arrived since the time asked for, as far as the share of this partition goes.
func (r *rehearsal) begin(ctx context.Context, partition int) (at, end journal.Position, err error) {
	first, end, err := r.p.o.Journal.Bounds(ctx, partition)
	if err != nil {
		return 0, 0, err
	}
	one := make([]journal.Entry, 0, 1)
	n := sort.Search(int(end-first), func(i int) bool {
		if err != nil {
			return true
		}
		var found []journal.Entry
		found, err = r.p.o.Journal.Read(ctx, partition, first+journal.Position(i), one[:0])
		return err != nil || !found[0].Fix.Received.Before(r.from)
	})
	at = first + journal.Position(n)
	if err != nil {
		return 0, 0, err
	}
	least, _, err := journal.Rewind(ctx, r.p.o.Journal, partition, rehearseFixes/r.p.o.Journal.Partitions())
	if least > at {
		at, r.out.Partial = least, true
	}
	return at, end, err
}

// see shows a position to gate and engine.
func (r *rehearsal) see(f *telemetry.Fix) {
	r.out.Fixes++
	if r.out.From.IsZero() || f.Received.Before(r.out.From) {
		r.out.From = f.Received
	}
	if f.Received.After(r.out.To) {
		r.out.To = f.Received
	}
	if verdict, _ := r.gate.Admit(f); verdict == telemetry.Duplicate || verdict == telemetry.Implausible {
		return
	}
	r.found = r.ts.tracker.Observe(r.found[:0], EngineFix(r.ts.tracker, f))
	r.take(f.Received)
}

// take keeps what the engine found of what the rule may tell.
func (r *rehearsal) take(received time.Time) {
	members := r.ts.tracker.Changed(nil)
	for i := range r.found {
		rec := crossingRecord(r.ts, &r.found[i], received)
		e := event(rec)
		if !slices.Contains(r.rule.Events, e.Kind) {
			continue
		}
		if len(r.out.Events) >= rehearseEvents {
			r.out.Partial = true
			break
		}
		e.Private, e.FenceTags = fenceOwner(r.ts.index, rec.Fence), fenceTags(r.ts.index, rec.Fence)
		e.Inside, e.Reading = r.stays.length(r.ts, &r.found[i]), r.rule.Reading
		e.Tenant = identity.TenantID(r.tenant)
		r.out.Events = append(r.out.Events, e)
	}
	r.stays.note(r.ts, members)
}
