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

	// Shared: other processes have partitions too. Start takes none then, [Pipeline.Take] does. False: this process has all.
	Shared bool
	// OnTake brings up to date what the lanes ask and does not come with fences, before a partition is taken that another
	// process had. Nil: nothing is to be done.
	OnTake func(ctx context.Context, partition int) error
	// OnLost is told that the lane of a shared partition ended because another process has it. It must not block. Required
	// with Shared.
	OnLost func(partition int)

	// Lasting is for a journal on several machines, which does not lose what it confirmed: a lane refuses one that still ends
	// before what was evaluated after so long; right after an election it may not know its end. Zero: a journal in files of one
	// disk, whose lost end is gone on with.
	Lasting time.Duration

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

	mu     sync.Mutex // guards run, cancel and lanes
	run    context.Context
	cancel context.CancelCauseFunc
	lanes  map[int]*running // by partition
	done   sync.WaitGroup
	failed chan error // sent by the first lane that cannot go on, capacity 1
}

// running is a lane that was set going.
type running struct {
	*lane
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when the lane has ended
}

// New loads the fences.
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
	p := &Pipeline{o: o, metrics: newMetrics(o.Registerer), fences: fences, inspect: NewInspector(), lanes: map[int]*running{}, failed: make(chan error, 1)}
	p.intake = &Intake{
		decoder: o.Decoder, journal: o.Journal, letters: o.Store, devices: o.Devices, owner: o.TopicOwner,
		inspect: p.inspect, metrics: p.metrics, scratch: sync.Pool{New: func() any { return new(decoded) }},
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

// Start recovers every lane and sets it going, unless partitions are shared. It returns when all are at their committed position.
func (p *Pipeline) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		return nil
	}
	var all []*lane
	for i := range p.o.Journal.Partitions() {
		if p.o.Shared {
			break
		}
		l := p.newLane(i)
		if err := l.recover(ctx, ""); err != nil {
			return err
		}
		all = append(all, l)
	}
	p.run, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, l := range all {
		p.begin(l)
	}
	p.done.Go(func() { p.follow(p.run) })
	return nil
}

func (p *Pipeline) newLane(partition int) *lane {
	return newLane(partition, &p.o, p.fences, p.inspect, p.metrics)
}

// begin sets a recovered lane going; p.mu is held.
func (p *Pipeline) begin(l *lane) {
	ctx, cancel := context.WithCancelCause(p.run)
	r := &running{lane: l, cancel: cancel, ended: make(chan struct{})}
	p.lanes[l.partition] = r
	p.done.Go(func() {
		defer close(r.ended)
		p.end(l.partition, l.run(ctx))
	})
}

// end reports a lane's end. A stop on request is no failure, nor is a shared partition that another process has.
func (p *Pipeline) end(partition int, err error) {
	switch {
	case err == nil:
	case p.o.Shared && errors.Is(err, store.ErrFenced):
		p.metrics.fenced.Inc()
		p.o.Logger.Warn("another process has the partition: nothing more is committed here", "partition", partition, "cause", err)
		p.o.OnLost(partition)
	default:
		select {
		case p.failed <- err:
		default: // one is enough to end the process
		}
	}
}

// Take recovers the lane of a partition that the process owns now, and sets it going. It returns when the lane is at its
// committed position.
//
// ORDER: the newest fences are here before the lane owns the partition, so it never goes back to older ones than the lane
// before it, whatever process that was in, had adopted.
func (p *Pipeline) Take(ctx context.Context, partition int, owner store.ProcessID) error {
	if err := p.fences.Refresh(ctx); err != nil {
		return err
	}
	if p.o.OnTake != nil {
		if err := p.o.OnTake(ctx, partition); err != nil {
			return err
		}
	}
	l := p.newLane(partition)
	if err := l.recover(ctx, owner); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel == nil || p.run.Err() != nil {
		return errStopped
	}
	p.begin(l)
	return nil
}

// Give lets the lane of a partition finish what it has read, commit and save its state, and returns when it has ended. What
// it cannot commit is evaluated by whoever owns the partition next.
func (p *Pipeline) Give(_ context.Context, partition int) {
	p.mu.Lock()
	r := p.lanes[partition]
	delete(p.lanes, partition)
	p.mu.Unlock()
	if r == nil {
		return
	}
	r.cancel(errStopped)
	<-r.ended
	p.metrics.behind.DeleteLabelValues(r.label)
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
	p.mu.Lock()
	defer p.mu.Unlock()
	var problems []error
	for _, l := range p.lanes {
		problems = append(problems, l.problem())
	}
	return errors.Join(problems...)
}
