package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/geofence"
	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// Store is what the pipeline keeps.
type Store interface {
	store.Lanes
	store.Geofences
	store.Rules
	LetterBox
}

// Options is what a pipeline is made of. Every field is required unless it says otherwise.
type Options struct {
	Journal journal.Journal
	Store   Store
	Decoder telemetry.Decoder
	Devices Resolver
	Rules   *notify.Rules
	// TopicOwner says whom a topic names, for dead letters; empty ids when it names nobody.
	TopicOwner func(topic string) (telemetry.TenantID, telemetry.VehicleID)
	// Wake is told which pages have new deliveries. It must not block.
	Wake func(identity.PageID)
	// OnCommit is told of every commit after it is durable. It must not block, nor keep what it is given. Nil: nobody is.
	OnCommit func(store.Commit)

	Preset        geofence.Preset  // zero: balanced
	SnapshotEvery time.Duration    // zero: 30 s
	RefreshEvery  time.Duration    // how often fences are looked for that another process changed; zero: 2 s
	Now           func() time.Time // arrival clock of timers
	Logger        *slog.Logger
	Registerer    prometheus.Registerer // nil: metrics are not registered
}

// Pipeline is the intake and the lanes.
type Pipeline struct {
	o       Options
	metrics *metrics
	intake  *Intake
	fences  *Fences
	inspect *Inspector
	lanes   []*lane

	mu     sync.Mutex // guards cancel
	cancel context.CancelCauseFunc
	done   sync.WaitGroup
	failed chan error // sent by the first lane that cannot go on, capacity 1
}

// New loads the fences and prepares a lane for each partition.
func New(ctx context.Context, o Options) (*Pipeline, error) {
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = 30 * time.Second
	}
	if o.RefreshEvery == 0 {
		o.RefreshEvery = 2 * time.Second
	}
	if o.OnCommit == nil {
		o.OnCommit = func(store.Commit) {}
	}
	fences, err := NewFences(ctx, o.Store, o.Logger)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{o: o, metrics: newMetrics(o.Registerer), fences: fences, inspect: NewInspector(), failed: make(chan error, 1)}
	p.intake = &Intake{
		decoder: o.Decoder, journal: o.Journal, letters: o.Store, devices: o.Devices, owner: o.TopicOwner,
		inspect: p.inspect, metrics: p.metrics, scratch: sync.Pool{New: func() any { return new(decoded) }},
	}
	for i := range o.Journal.Partitions() {
		p.lanes = append(p.lanes, newLane(i, &p.o, fences, p.inspect, p.metrics))
	}
	return p, nil
}

// Inspector remembers what devices sent last.
func (p *Pipeline) Inspector() *Inspector { return p.inspect }

// Intake is where messages go in.
func (p *Pipeline) Intake() *Intake { return p.intake }

// FencesChanged takes over changed fences, and rules that have them read in their own way: fixes appended after it returns are judged with them.
func (p *Pipeline) FencesChanged(ctx context.Context) error { return p.fences.Refresh(ctx) }

// Failed gives the error of a lane that cannot go on; the process should end then, and start again.
func (p *Pipeline) Failed() <-chan error { return p.failed }

// Start recovers every lane and sets it going. It returns when all are at their committed position.
func (p *Pipeline) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		return nil
	}
	for _, l := range p.lanes {
		if err := l.recover(ctx); err != nil {
			return err
		}
	}
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	p.cancel = cancel
	for _, l := range p.lanes {
		p.done.Go(func() { p.fail(l.run(run)) })
	}
	p.done.Go(func() { p.follow(run) })
	return nil
}

// fail reports a lane's end. A stop on request is no failure.
func (p *Pipeline) fail(err error) {
	if err == nil {
		return
	}
	select {
	case p.failed <- err:
	default: // one is enough to end the process
	}
}

// follow looks for fences that another process changed, and forgets versions that no lane can need any more.
func (p *Pipeline) follow(ctx context.Context) {
	t := time.NewTicker(p.o.RefreshEvery)
	defer t.Stop()
	forgotten := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := p.fences.Refresh(ctx); err != nil && ctx.Err() == nil {
				p.o.Logger.Warn("fences not refreshed", "cause", err)
			}
			oldest, err := p.forget(ctx, forgotten)
			if err != nil && ctx.Err() == nil {
				p.o.Logger.Warn("old versions of fences not forgotten", "cause", err)
			}
			forgotten = oldest
		}
	}
}

// forget drops versions of fences and rules from before the oldest revision that a lane may evaluate again, unless
// that was done up to there. It returns what is forgotten now.
func (p *Pipeline) forget(ctx context.Context, done uint64) (uint64, error) {
	oldest, err := p.o.Store.OldestRevision(ctx)
	if err != nil || oldest <= done {
		return done, err
	}
	if err := p.o.Store.ForgetGeofences(ctx, oldest); err != nil {
		return done, err
	}
	return oldest, nil
}

var errStopped = errors.New("pipeline: stopped")

// Stop lets every lane finish what it has read, commit and save its state. Messages must not come in any more.
func (p *Pipeline) Stop(ctx context.Context) error {
	p.mu.Lock()
	cancel := p.cancel
	p.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel(errStopped)
	finished := make(chan struct{})
	go func() {
		p.done.Wait()
		close(finished)
	}()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("pipeline: lanes did not stop: %w", context.Cause(ctx))
	}
}

// Ready says why the pipeline makes no progress, nil when it does.
func (p *Pipeline) Ready() error {
	var problems []error
	for _, l := range p.lanes {
		problems = append(problems, l.problem())
	}
	return errors.Join(problems...)
}
