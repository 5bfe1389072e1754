package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/geofence"
	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

const (
	readBatch   = 4096                   // entries a lane takes at once
	tick        = 250 * time.Millisecond // how often an idle lane looks at its timers and at the fences
	quietCommit = time.Second            // how long a position and last fixes may wait when nothing else happened
	blindTicks  = 8                      // without word of the journal until the lane says so
	tickLag     = time.Second            // how far timers stay behind the clock, see advance
	retryLeast  = 50 * time.Millisecond
	retryMost   = 5 * time.Second
)

// lane evaluates one partition. One goroutine runs it and owns everything in it but the atomics.
type lane struct {
	partition int
	label     string
	o         *Options
	fences    *Fences
	inspect   *Inspector
	metrics   *metrics
	behind    prometheus.Gauge
	logger    *slog.Logger

	gate    *telemetry.Gate
	tenants map[readingKey]*tenantState
	fenced  *FenceSet        // the fences this lane evaluates with
	next    journal.Position // the first position not evaluated yet
	clock   time.Time        // newest arrival among the fixes evaluated
	ticked  time.Time        // arrival clock up to which every tracker's timers have fired without a fix
	epoch   uint64

	step        store.Commit // what has been decided since the last commit
	lastFixes   lastFixes
	pages       map[identity.PageID]bool // to be woken after the commit
	stays       stays
	committed   journal.Position
	committedAt time.Time
	snapshotAt  time.Time
	snapshotPos journal.Position
	silent      bool // while replaying what was committed before
	blind       int  // ticks for which the journal could not be asked

	entries   []journal.Entry
	rulings   []Ruling // of entries, while they are not silent
	crossings []geofence.Crossing
	members   []geofence.Member
	alerts    []notify.Alert

	failing atomic.Pointer[error] // why the lane makes no progress, nil when it does
}

type vehicleKey struct {
	tenant  telemetry.TenantID
	vehicle telemetry.VehicleID
}

// readingKey names a reading of a tenant's fences; the zero reading is that of the fences themselves.
type readingKey struct {
	tenant  telemetry.TenantID
	reading notify.Reading
}

// tenantState is the tracker of one tenant's vehicles in this partition, in one reading of its fences.
type tenantState struct {
	id      telemetry.TenantID
	reading notify.Reading
	key     string // of the reading
	tracker *geofence.Tracker
	index   *geofence.Index

	others []*tenantState // of the zero reading: the other readings
	base   *tenantState   // of the zero reading: itself
}

func newLane(partition int, o *Options, fences *Fences, inspect *Inspector, m *metrics) *lane {
	label := strconv.Itoa(partition)
	return &lane{
		partition: partition, label: label, o: o, fences: fences, inspect: inspect, metrics: m,
		behind:    m.behind.WithLabelValues(label),
		logger:    o.Logger.With("partition", partition),
		gate:      telemetry.NewGate(telemetry.GateOptions{}),
		tenants:   map[readingKey]*tenantState{},
		lastFixes: newLastFixes(),
		pages:     map[identity.PageID]bool{},
		stays:     stays{},
		entries:   make([]journal.Entry, 0, readBatch),
	}
}

// run evaluates the partition until ctx ends, then commits and saves a snapshot.
func (l *lane) run(ctx context.Context) error {
	l.committedAt, l.snapshotAt = l.o.Now(), l.o.Now()
	for ctx.Err() == nil {
		if err := l.turn(ctx); err != nil {
			if ctx.Err() != nil {
				break
			}
			return err
		}
	}
	return l.leave()
}

// turn is one round of the loop.
func (l *lane) turn(ctx context.Context) error {
	if err := l.read(ctx); err != nil {
		return err
	}
	if err := l.adopt(ctx); err != nil {
		return err
	}
	for i := range l.entries {
		l.evaluate(&l.entries[i])
	}
	l.tell()
	now := l.o.Now()
	if n := len(l.entries); n > 0 { // more may wait: for vehicles not heard of it is as late as the newest fix says
		behind := max(0, now.Sub(l.entries[n-1].Fix.Received))
		l.behind.Set(behind.Seconds())
		now = now.Add(-behind)
	}
	if l.blind == 0 { // else a vehicle may be heard of that only seems silent
		l.advance(now)
	}
	if l.mustCommit() {
		if err := l.commit(ctx); err != nil {
			return err
		}
	}
	if l.next > l.snapshotPos && l.o.Now().Sub(l.snapshotAt) >= l.o.SnapshotEvery {
		return l.snapshot(ctx)
	}
	return nil
}

// read fills l.entries with what is in the journal, waiting up to a tick.
func (l *lane) read(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, tick)
	defer cancel()
	var err error
	l.entries, err = l.o.Journal.Read(wait, l.partition, l.next, l.entries[:0])
	switch {
	case err == nil:
		l.step.Read = l.o.Now()
		l.failing.Store(nil)
		l.blind = 0
		return nil
	case errors.Is(err, journal.ErrUnreachable) && ctx.Err() == nil:
		if l.blind++; l.blind >= blindTicks {
			err = fmt.Errorf("pipeline: read partition %d at %d: %w", l.partition, l.next, err)
			l.failing.Store(&err)
		}
		return nil
	case wait.Err() != nil && ctx.Err() == nil:
		if l.blind > 0 {
			l.failing.Store(nil)
			l.blind = 0
		}
		return nil // nothing came within the tick
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("pipeline: read partition %d at %d: %w", l.partition, l.next, err)
}

// evaluate is the way of one fix.
func (l *lane) evaluate(e *journal.Entry) {
	f := &e.Fix
	l.next = e.Position + 1
	if f.Received.After(l.clock) {
		l.clock = f.Received
	}
	verdict, reason := l.gate.Admit(f)
	if l.silent {
		l.metrics.replayed.Inc()
	} else {
		l.rulings = append(l.rulings, Ruling{Judged: true, Verdict: verdict, Reason: reason})
	}
	switch verdict {
	case telemetry.Duplicate:
		return
	case telemetry.Implausible:
		l.bury(f, reason)
		return
	}
	ts := l.tenant(f.Tenant)
	doubt := l.observe(ts, f)
	if !l.silent && verdict == telemetry.Admitted {
		l.rulings[len(l.rulings)-1].Reason = doubts[doubt]
	}
	for _, other := range ts.others {
		l.observe(other, f)
	}
	if verdict == telemetry.Admitted { // a silent one, too: it may have been committed before it was put into the store
		l.lastFixes.put(f)
	}
}

// observe shows a fix to one tracker.
func (l *lane) observe(ts *tenantState, f *telemetry.Fix) geofence.Doubt {
	fix := EngineFix(ts.tracker, f)
	l.crossings = ts.tracker.Observe(l.crossings[:0], fix)
	l.decide(ts, f.Received)
	return ts.tracker.Doubt(&fix)
}

// EngineFix says a fix in the words of a tracker.
func EngineFix(t *geofence.Tracker, f *telemetry.Fix) geofence.Fix {
	return geofence.Fix{
		Vehicle:  t.Vehicle(string(f.Vehicle)),
		Time:     f.Time.UnixMilli(),
		Received: f.Received.UnixMilli(),
		Point:    f.Point,
		Accuracy: float32(f.Accuracy),
		Speed:    float32(f.Speed),
		Heading:  float32(f.Heading),
		HDOP:     float32(f.HDOP),
	}
}

// advance fires the timers that are due without a fix.
//
// ORDER: it stays a second behind the clock, so that a fix which arrived before a timer was due is in the journal,
// and evaluated, before the timer fires; a replay, which has the arrivals only, then finds the same order.
func (l *lane) advance(now time.Time) {
	now = now.Add(-tickLag)
	if !now.After(l.ticked) || !l.due(now) {
		return
	}
	l.fire(now)
}

// fire fires every tracker's timers up to now.
func (l *lane) fire(now time.Time) {
	l.ticked = now
	for _, ts := range l.tenants {
		l.crossings = ts.tracker.Advance(l.crossings[:0], now.UnixMilli())
		l.decide(ts, now)
	}
}

// due reports whether any timer is due.
func (l *lane) due(now time.Time) bool {
	for _, ts := range l.tenants {
		if at, ok := ts.tracker.Next(); ok && at <= now.UnixMilli() {
			return true
		}
	}
	return false
}

// decide takes over the crossings and membership changes that a tracker just found.
func (l *lane) decide(ts *tenantState, received time.Time) {
	l.members = ts.tracker.Changed(l.members[:0])
	defer l.stays.note(ts, l.members)
	if l.silent {
		return
	}
	for i := range l.crossings {
		l.record(ts, &l.crossings[i], received)
	}
	if ts != ts.base {
		return // the store knows who is inside by the fences themselves
	}
	for _, m := range l.members {
		l.step.Memberships = append(l.step.Memberships, store.Membership{
			Tenant: identity.TenantID(ts.id), Vehicle: identity.VehicleID(ts.tracker.ID(m.Vehicle)), Fence: m.Fence,
			Inside: m.Membership == geofence.Inside, Since: time.UnixMilli(m.Since),
		})
	}
}

// record puts a crossing into the record, and what its alerts need into the outbox.
func (l *lane) record(ts *tenantState, c *geofence.Crossing, received time.Time) {
	rec := crossingRecord(ts, c, received)
	e := l.event(ts, c, &rec)
	if ts != ts.base && !l.o.Rules.Concerns(e) {
		return
	}
	l.step.Crossings = append(l.step.Crossings, rec)
	l.metrics.crossings.WithLabelValues(rec.Kind, strconv.FormatBool(rec.Late)).Inc()
	l.alerts = l.o.Rules.Alerts(l.alerts[:0], e)
	for _, a := range l.alerts {
		d := l.o.Rules.Deliver(a, l.o.Now())
		l.step.Deliveries = append(l.step.Deliveries, d)
		if d.State == notify.Pending {
			l.pages[d.Page] = true
			l.metrics.alerts.WithLabelValues(alertQueued).Inc()
			continue
		}
		l.metrics.alerts.WithLabelValues(string(d.Reason)).Inc()
	}
	if len(l.alerts) == 0 && !c.Late && ts == ts.base {
		why := alertNoRule
		if l.o.Rules.Wanted(e) {
			why = alertNoOwner
		}
		l.metrics.alerts.WithLabelValues(why).Inc()
	}
}

// event says a crossing in the words of rules.
func (l *lane) event(ts *tenantState, c *geofence.Crossing, rec *store.Crossing) notify.Event {
	e := event(*rec)
	e.Private = fenceOwner(ts.index, rec.Fence)
	e.FenceTags = fenceTags(ts.index, c.Fence)
	e.Inside = l.stays.length(ts, c)
	e.Reading = ts.reading
	for _, other := range ts.base.others {
		e.Readings = append(e.Readings, other.reading)
	}
	if ts != ts.base {
		e.Readings = append(e.Readings, notify.Reading{})
	}
	if len(e.Readings) > 0 {
		e.Usual = fenceUsual(ts.base.index, c.Fence)
	}
	return e
}

// bury keeps a fix that the gate refused.
func (l *lane) bury(f *telemetry.Fix, reason telemetry.Reason) {
	if l.silent {
		return
	}
	l.metrics.refused.WithLabelValues(string(reason)).Inc()
	l.step.DeadLetters = append(l.step.DeadLetters, store.DeadLetter{
		Tenant: identity.TenantID(f.Tenant), Vehicle: identity.VehicleID(f.Vehicle), Reason: reason, Field: "t",
		Detail: gateDetail(f, reason), Received: f.Received,
	})
}

// gateDetail says for people what is wrong with a fix.
func gateDetail(f *telemetry.Fix, reason telemetry.Reason) string {
	what := string(reason)
	switch reason {
	case telemetry.ReasonInaccurate:
		what += fmt.Sprintf(": it says it may be off by %.0f m, far more than its others, and is left out", f.Accuracy)
	case telemetry.ReasonUnlikely:
		what += ": not what the speeds and courses say; the next position decides"
	case telemetry.ReasonJump:
		what += ": no vehicle gets there in the time; kept aside until later positions prove it"
	}
	return fmt.Sprintf("%s: device time %s, received %s, position %.6f, %.6f", what,
		f.Time.UTC().Format(time.RFC3339), f.Received.UTC().Format(time.RFC3339), f.Point.Lat(), f.Point.Lon())
}

// tell has the rulings of a turn counted and seen.
func (l *lane) tell() {
	if len(l.rulings) == 0 {
		return
	}
	var counts [telemetry.Implausible + 1]int
	for _, r := range l.rulings {
		counts[r.Verdict]++
		if r.Verdict == telemetry.Admitted && r.Reason != "" {
			l.metrics.doubted.WithLabelValues(string(r.Reason)).Inc()
		}
	}
	for v, n := range counts {
		if n > 0 {
			l.metrics.fixes.WithLabelValues(telemetry.Verdict(v).String()).Add(float64(n))
		}
	}
	l.inspect.judged(l.entries, l.rulings)
	l.rulings = l.rulings[:0]
}

// tenant returns the tracker of a tenant, making it, and those of its readings, at first sight.
func (l *lane) tenant(id telemetry.TenantID) *tenantState {
	if ts, ok := l.tenants[readingKey{tenant: id}]; ok {
		return ts
	}
	ts := l.add(readingKey{tenant: id})
	for _, r := range l.fenced.readings[id] {
		l.add(readingKey{id, r.Reading})
	}
	return ts
}

// add makes the tracker of a reading that is in force. That of the zero reading comes first.
func (l *lane) add(key readingKey) *tenantState {
	ix, options, _ := l.fenced.index(key.tenant, key.reading, l.o.Preset)
	ts := &tenantState{id: key.tenant, reading: key.reading, key: key.reading.Key(), index: ix, tracker: geofence.NewTracker(ix, options)}
	l.tenants[key] = ts
	if key.reading == (notify.Reading{}) {
		ts.base = ts
		return ts
	}
	ts.base = l.tenants[readingKey{tenant: key.tenant}]
	ts.base.others = append(ts.base.others, ts)
	return ts
}

// adopt takes over changed fences, between two commits of its own, so that the store knows from which
// position on they were in force.
func (l *lane) adopt(ctx context.Context) error {
	set := l.fences.Current()
	if set.Revision <= l.fenced.Revision { // another process may have been ahead
		return nil
	}
	if err := l.commit(ctx); err != nil {
		return err
	}
	l.use(set)
	return l.commit(ctx)
}

// use puts a set of fences in force.
func (l *lane) use(set *FenceSet) {
	l.fenced = set
	for key, ts := range l.tenants {
		ix, _, ok := set.index(key.tenant, key.reading, l.o.Preset)
		switch {
		case !ok:
			l.drop(key, ts)
		case ix != ts.index:
			ts.index = ix
			l.crossings = ts.tracker.SetIndex(l.crossings[:0], ix, l.clock.UnixMilli())
			l.decide(ts, l.clock)
		}
	}
	for tenant, readings := range set.readings {
		for _, r := range readings {
			l.begin(readingKey{tenant, r.Reading})
		}
	}
}

// drop forgets a reading that no rule has any more.
func (l *lane) drop(key readingKey, ts *tenantState) {
	ts.base.others = slices.DeleteFunc(ts.base.others, func(other *tenantState) bool { return other == ts })
	delete(l.tenants, key)
	maps.DeleteFunc(l.stays, func(s stay, _ int64) bool { return s.ts == ts })
}

// begin begins a new reading where the tenant's vehicles are known already: with what is known of them, as if the fences
// had been edited, so that nothing that happens from now on is missed and nothing that happened is told again.
func (l *lane) begin(key readingKey) {
	base, known := l.tenants[readingKey{tenant: key.tenant}]
	if _, has := l.tenants[key]; has || !known {
		return
	}
	ts := l.add(key)
	var state bytes.Buffer
	err := base.tracker.Snapshot(&state)
	if err == nil {
		err = ts.tracker.Restore(&state)
	}
	if err != nil { // memory does not fail; its vehicles begin with their next positions
		l.logger.Error("a reading of geofences begins without what is known", "cause", err)
	}
	l.stays.fill(ts)
	ts.tracker.Changed(nil)
}

func (l *lane) mustCommit() bool {
	s := &l.step
	if len(s.Crossings)+len(s.Memberships)+len(s.DeadLetters) > 0 {
		return true
	}
	now := l.o.Now()
	return l.next > l.committed && now.Sub(l.committedAt) >= quietCommit || l.lastFixes.due(now)
}

// commit makes everything decided since the last one durable, together with the position. It tries until it
// succeeds, ctx ends, or another process owns the partition: going on without would lose what was decided.
func (l *lane) commit(ctx context.Context) error {
	c := l.step
	c.Partition, c.Epoch, c.Next, c.Clock, c.Revision = l.partition, l.epoch, l.next, l.ticked, l.fenced.Revision
	c.LastFixes = l.lastFixes.take(c.LastFixes, c.Crossings, l.o.Now())
	if err := l.keepTrying(ctx, c); err != nil {
		return err
	}
	l.o.OnCommit(c)
	l.committed, l.committedAt = l.next, l.o.Now()
	l.step = store.Commit{
		Crossings: c.Crossings[:0], Memberships: c.Memberships[:0], Deliveries: c.Deliveries[:0],
		LastFixes: c.LastFixes[:0],
	}
	for page := range l.pages {
		l.o.Wake(page)
	}
	clear(l.pages)
	return nil
}

func (l *lane) keepTrying(ctx context.Context, c store.Commit) error {
	for wait := retryLeast; ; wait = min(2*wait, retryMost) {
		began := time.Now() // a duration, not a moment: the machine's clock is right
		err := l.o.Store.Commit(context.WithoutCancel(ctx), c)
		if err == nil {
			l.metrics.commit.Observe(time.Since(began).Seconds())
			l.failing.Store(nil)
			return nil
		}
		err = fmt.Errorf("pipeline: commit partition %d at %d: %w", l.partition, c.Next, err)
		l.failing.Store(&err)
		l.metrics.failed.Inc()
		if errors.Is(err, store.ErrFenced) {
			return err
		}
		l.logger.Error("commit failed, trying again", "cause", err, "wait", wait)
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}

// leave is the orderly end: nothing is evaluated again after the next start.
func (l *lane) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), retryMost)
	defer cancel()
	if err := l.commit(ctx); err != nil {
		return err
	}
	return l.snapshot(ctx)
}

// problem says why the lane makes no progress, nil when it does.
func (l *lane) problem() error {
	if err := l.failing.Load(); err != nil {
		return *err
	}
	return nil
}
