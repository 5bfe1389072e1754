package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/store"
)

// Holder does the work. Its methods are called from one goroutine, Give also side by side.
type Holder interface {
	// Take begins with a part that is the process's, and returns when it is worked on. After an error it is not.
	Take(ctx context.Context, part int, id store.ProcessID) error
	// Give ends with a part, and returns when nothing more is done to it.
	Give(ctx context.Context, part int)
}

// Options is what a Keeper is made of. Every field is required unless it says otherwise.
type Options struct {
	Shares store.Shares
	Work   store.Work
	Parts  int
	Holder Holder

	Lease      time.Duration // after how long without a heartbeat a process is given up; zero: 5 s
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// beats is how many heartbeats a lease has.
const beats = 5

// Keeper keeps a process's share of the work. It is safe for many goroutines.
type Keeper struct {
	o       Options
	metrics *metrics
	rosters chan seenRoster // sent by beat, capacity 1: the newest one only
	watcher watcher         // owned by beat

	mu      sync.Mutex      // guards what follows
	id      store.ProcessID // empty: not joined
	begun   uint64          // rosters that were asked for
	lost    []int           // told by Lost
	beating error           // why there is no heartbeat; nil: there is
	broken  map[int]error   // parts that could not be taken, and that nobody has since

	// owned by divide
	held map[int]uint64 // parts that are worked on, and begun when they were taken

	cancel context.CancelFunc
	ending context.CancelFunc // of the heartbeat, which goes on until the last part is given
	work   sync.WaitGroup
	pulse  sync.WaitGroup
}

// seenRoster is a roster, or that the process is not in it any more.
type seenRoster struct {
	store.Roster
	id     store.ProcessID
	number uint64
	buried bool
}

// NewKeeper returns a keeper that does nothing before Start.
func NewKeeper(o Options) *Keeper {
	if o.Lease == 0 {
		o.Lease = 5 * time.Second
	}
	return &Keeper{
		o: o, metrics: newMetrics(o.Registerer, o.Work), rosters: make(chan seenRoster, 1), watcher: watcher{lease: o.Lease},
		held: map[int]uint64{}, broken: map[int]error{},
	}
}

// Start joins and begins to take parts. It does not wait for them.
func (k *Keeper) Start(ctx context.Context) error {
	if k.cancel != nil {
		return nil
	}
	if err := k.join(ctx); err != nil {
		return err
	}
	var run, pulse context.Context
	run, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	pulse, k.ending = context.WithCancel(context.WithoutCancel(ctx))
	k.pulse.Go(func() { k.beat(pulse) })
	k.work.Go(func() { k.divide(run) })
	return nil
}

// Stop gives every part up and leaves. When ctx ends first, the others wait for the lease.
func (k *Keeper) Stop(ctx context.Context) error {
	if k.cancel == nil {
		return nil
	}
	k.cancel()
	k.work.Wait()
	k.give(ctx, k.all(), k.ID())
	k.ending()
	k.pulse.Wait()
	if err := k.o.Shares.Leave(ctx, k.o.Work, k.ID()); err != nil {
		return fmt.Errorf("cluster: leave: %w", err)
	}
	return nil
}

// ID is the process's id now; a process that was given up for dead comes back under another one.
func (k *Keeper) ID() store.ProcessID {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.id
}

// Lost says that the holder had to end with a part by itself, because another process has it.
func (k *Keeper) Lost(part int) {
	k.metrics.lost.Inc()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lost = append(k.lost, part)
}

// Ready says why the keeper makes no progress, nil when it does.
func (k *Keeper) Ready() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []error
	if k.beating != nil {
		all = append(all, fmt.Errorf("cluster: heartbeat: %w", k.beating))
	}
	for _, part := range slices.Sorted(maps.Keys(k.broken)) {
		all = append(all, fmt.Errorf("cluster: take %s %d: %w", k.o.Work, part, k.broken[part]))
	}
	return errors.Join(all...)
}

// join makes the process known under a new id.
func (k *Keeper) join(ctx context.Context) error {
	host, _ := os.Hostname() // for people who look on; without it the id still is one
	id := store.ProcessID(fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:10]))
	if err := k.o.Shares.Join(ctx, k.o.Work, id); err != nil {
		return fmt.Errorf("cluster: join: %w", err)
	}
	k.mu.Lock()
	k.id = id
	k.mu.Unlock()
	k.o.Logger.Info("joined", "work", k.o.Work, "process", id)
	return nil
}

// beat keeps the process alive in the eyes of the others, looks at who they are, and buries the dead, until ctx ends.
//
// ORDER: nothing here waits for a part that is taken or given: loading state must cost nobody the lease.
func (k *Keeper) beat(ctx context.Context) {
	t := time.NewTicker(k.o.Lease / beats)
	defer t.Stop()
	for {
		r, err := k.look(ctx)
		if ctx.Err() != nil {
			return
		}
		k.mu.Lock()
		k.beating = err
		k.mu.Unlock()
		if err != nil {
			k.o.Logger.Warn("no heartbeat", "work", k.o.Work, "cause", err)
		} else {
			k.show(r)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// look beats once. A process that was buried joins again.
func (k *Keeper) look(ctx context.Context) (seenRoster, error) {
	k.mu.Lock()
	k.begun++
	r := seenRoster{id: k.id, number: k.begun}
	k.mu.Unlock()
	var err error
	r.Roster, err = k.o.Shares.Beat(ctx, k.o.Work, r.id)
	if errors.Is(err, store.ErrFenced) {
		k.o.Logger.Warn("this process was given up for dead: it was away for longer than the lease", "work", k.o.Work, "process", r.id)
		r.buried = true
		return r, k.join(ctx)
	}
	if err != nil {
		return r, err
	}
	// A duration counts, not a moment: the machine's own clock is right.
	for _, p := range k.watcher.dead(r.Roster, time.Now()) {
		if p.ID == r.id {
			continue
		}
		buried, err := k.o.Shares.Bury(ctx, k.o.Work, p)
		if err != nil {
			return r, err
		}
		if buried {
			k.metrics.buried.Inc()
			k.o.Logger.Warn("a process has not been heard of for the lease: its parts are taken over", "work", k.o.Work, "process", p.ID)
		}
	}
	k.metrics.processes.Set(float64(len(r.Processes)))
	return r, nil
}

// show hands the newest roster to divide. A burial is not overtaken: divide must hear of it.
func (k *Keeper) show(r seenRoster) {
	select {
	case old := <-k.rosters:
		r.buried = r.buried || old.buried
	default:
	}
	k.rosters <- r
}

// divide works towards the process's share until ctx ends.
func (k *Keeper) divide(ctx context.Context) {
	for {
		select {
		case r := <-k.rosters:
			k.follow(ctx, r)
		case <-ctx.Done():
			return
		}
	}
}

// follow makes what the process works on what the roster says, as far as it goes in one step.
func (k *Keeper) follow(ctx context.Context, r seenRoster) {
	defer func() { k.metrics.parts.Set(float64(len(k.held))) }()
	k.dropLost(ctx)
	if r.buried {
		k.drop(ctx, k.all())
		return // the next roster is of the new id
	}
	k.mend(r)
	p := newPlan(r.Roster, r.number, k.o.Parts, r.id, k.held)
	k.drop(ctx, p.drop)
	k.give(ctx, p.give, r.id)
	for _, part := range p.take {
		if ctx.Err() != nil || len(k.held) >= p.share || len(k.rosters) > 0 { // a newer one may say otherwise
			return
		}
		k.take(ctx, part, r.id)
	}
}

// mend forgets what could not be taken, and is another process's now.
func (k *Keeper) mend(r seenRoster) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.broken, func(part int, _ error) bool {
		owner, owned := r.Owners[part]
		return owned && owner != r.id
	})
}

// dropLost forgets parts that the holder ended with, and frees those that are this process's still.
func (k *Keeper) dropLost(ctx context.Context) {
	k.mu.Lock()
	lost, id := k.lost, k.id
	k.lost = nil
	k.mu.Unlock()
	k.give(ctx, lost, id)
}

// end ends with those of the parts that are worked on, side by side.
func (k *Keeper) end(ctx context.Context, parts []int) {
	var ending sync.WaitGroup
	for _, part := range parts {
		if _, works := k.held[part]; works {
			ending.Go(func() { k.o.Holder.Give(ctx, part) })
		}
	}
	ending.Wait()
	for _, part := range parts {
		delete(k.held, part)
	}
}

// give ends with parts, then lets others have them.
func (k *Keeper) give(ctx context.Context, parts []int, id store.ProcessID) {
	k.end(ctx, parts)
	for _, part := range parts {
		if err := k.o.Shares.Give(ctx, k.o.Work, part, id); err != nil { // the next roster shows that it is ours and idle
			k.o.Logger.Warn("a part was not given", "work", k.o.Work, "part", part, "cause", err)
		}
	}
}

// drop ends with parts that are not this process's any more.
func (k *Keeper) drop(ctx context.Context, parts []int) {
	k.metrics.lost.Add(float64(len(parts)))
	k.end(ctx, parts)
}

// all are the parts that are worked on.
func (k *Keeper) all() []int { return slices.Collect(maps.Keys(k.held)) }

// take owns a part, then begins with it.
func (k *Keeper) take(ctx context.Context, part int, id store.ProcessID) {
	err := k.o.Shares.Take(ctx, k.o.Work, part, id)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrFenced) {
		return // somebody was faster, or this process was buried
	}
	if err == nil {
		err = k.o.Holder.Take(ctx, part, id)
	}
	if err != nil {
		k.mu.Lock()
		k.broken[part] = err
		k.mu.Unlock()
		if ctx.Err() == nil {
			k.o.Logger.Error("a part was not taken", "work", k.o.Work, "part", part, "cause", err)
		}
		k.give(context.WithoutCancel(ctx), []int{part}, id) // another process may fare better
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.broken, part)
	k.held[part] = k.begun
}
