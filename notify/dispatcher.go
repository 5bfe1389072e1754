package notify

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
)

// DispatcherOptions is what a Dispatcher needs. Outbox, Templates, Sender, Directory and Now are required.
type DispatcherOptions struct {
	Outbox    Outbox
	Templates Templates
	Sender    Sender
	Directory *identity.Directory
	Now       func() time.Time

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: unregistered

	InFlight    int           // alerts at a time for one page; 0: 96
	Answers     int           // answers at a time besides; 0: 8
	Channels    int           // messages at a time to other channels, of all pages; 0: 64
	Rate        int           // messages in any second for one page; 0: 300, Meta's limit
	Lease       time.Duration // how long a claim is ours; 0: 60 s
	SendTimeout time.Duration // for one request; 0: 20 s; at most half of Lease
	Grace       time.Duration // how long to wait for the echo of a message whose answer was lost; 0: 60 s
	MaxAttempts int           // sends of one delivery that failed before it rests for half an hour and longer; 0: 6; after twice as many it is given up
	Pace        Pace          // of messages to one person
	Tick        time.Duration // between two looks for due pages, ended leases and echoes that never came; 0: 1 s

	// OnSent is told of each delivery that went out and when its request started. It must not block.
	OnSent func(d Delivery, started time.Time)
	// OnTried is told what came of an attempt on each delivery, and when the attempt began. It must not block. nil: nobody is.
	OnTried func(began time.Time, d *Delivery, o *Outcome)
	// NeedTemplates is told that a page lacks the best template for a kind of event and a locale. It must not block.
	NeedTemplates func(page identity.PageID, kind Kind, locale string)
	// PageStopped is told that a page stops sending, and why, such as a token that died. It must not block.
	PageStopped func(identity.PageID, Reason)
	// Mine reports whether this process sends for a page now; when others do, nothing is claimed for it. It must not block.
	// nil: it sends for all.
	Mine func(identity.PageID) bool
	// Picture returns the https URL of an alert's map, empty: none. It must not block. nil: no pictures.
	Picture func(Delivery) string
	// Argument makes the arguments of buttons; nil: PlainArgument.
	Argument ArgumentFunc
	// Jitter returns a number in [0, 1) that spreads retries; nil: random.
	Jitter func() float64
}

func (o DispatcherOptions) check() error {
	if o.Outbox == nil || o.Templates == nil || o.Sender == nil || o.Directory == nil || o.Now == nil {
		return errors.New("notify: a dispatcher needs Outbox, Templates, Sender, Directory and Now")
	}
	return nil
}

func (o DispatcherOptions) withDefaults() DispatcherOptions {
	orInt := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	orDuration := func(d *time.Duration, standard time.Duration) {
		if *d <= 0 {
			*d = standard
		}
	}
	orInt(&o.InFlight, 96)
	orInt(&o.Answers, 8)
	orInt(&o.Channels, 64)
	orInt(&o.Rate, 300)
	orInt(&o.MaxAttempts, 6)
	orDuration(&o.Lease, time.Minute)
	orDuration(&o.SendTimeout, 20*time.Second)
	orDuration(&o.Grace, time.Minute)
	orDuration(&o.Tick, time.Second)
	o.SendTimeout = min(o.SendTimeout, o.Lease/2)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.OnSent == nil {
		o.OnSent = func(Delivery, time.Time) {}
	}
	if o.NeedTemplates == nil {
		o.NeedTemplates = func(identity.PageID, Kind, string) {}
	}
	if o.PageStopped == nil {
		o.PageStopped = func(identity.PageID, Reason) {}
	}
	if o.Mine == nil {
		o.Mine = func(identity.PageID) bool { return true }
	}
	if o.Picture == nil {
		o.Picture = func(Delivery) string { return "" }
	}
	if o.Argument == nil {
		o.Argument = PlainArgument
	}
	return o
}

// Dispatcher moves deliveries from the outbox to the sender. Each page with work has a lane, a goroutine that
// claims as many deliveries as it has free places, has each planned and sent, and records the outcomes in
// groups; lanes share nothing, so one page never waits for another.
//
// ORDER: claimed durably, sent, settled durably. A crash before the send leaves a claim whose lease ends; a
// crash after it the same; either way the row goes to settling and the echo of its id decides, so that nothing is
// sent twice. Only what certainly never left is sent again without asking.
//
// All methods are safe for many goroutines.
type Dispatcher struct {
	o       DispatcherOptions
	metrics *Metrics

	channels chan struct{} // one element for each attempt that waits for another channel

	stopping   chan struct{}           // closed by Stop: claim nothing new
	sending    context.Context         // of requests; ends when Stop's patience does
	stopSends  context.CancelCauseFunc //
	recording  context.Context         // of the outbox; ends last
	stopRecord context.CancelFunc
	wg         sync.WaitGroup // housekeeping, lanes and their requests

	mu    sync.Mutex // guards phase, lanes and, of each lane, running and again; no I/O under it
	phase phase
	lanes map[identity.PageID]*lane
}

type phase int

const (
	phaseNew phase = iota
	phaseStarted
	phaseStopped
)

// ErrStopped says that a dispatcher was stopped and cannot be started again.
var ErrStopped = errors.New("notify: the dispatcher is stopped")

// errPatience is the cause of requests that were cut because Stop could wait no longer.
var errPatience = errors.New("notify: stopped while sending")

// afterPatience is what remains for recording what became of requests that were cut.
const afterPatience = 2 * time.Second

// NewDispatcher makes a dispatcher that does nothing before Start.
func NewDispatcher(o DispatcherOptions) (*Dispatcher, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	d := &Dispatcher{
		o:        o.withDefaults(),
		metrics:  NewMetrics(o.Registerer),
		channels: make(chan struct{}, o.withDefaults().Channels),
		stopping: make(chan struct{}),
		lanes:    map[identity.PageID]*lane{},
	}
	d.sending, d.stopSends = context.WithCancelCause(context.Background())
	d.recording, d.stopRecord = context.WithCancel(context.Background())
	return d, nil
}

// Start begins to deliver and returns at once. A second call does nothing; after Stop it returns ErrStopped.
func (d *Dispatcher) Start(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.phase {
	case phaseStopped:
		return ErrStopped
	case phaseNew:
		d.phase = phaseStarted
		d.wg.Go(d.keepHouse)
	}
	return nil
}

// Stop claims nothing new, waits for requests under way and records their outcomes. When ctx ends first it cuts
// the requests: their outcome is unknown and will be settled by their echoes; it then returns ctx's error.
// It may be called any number of times.
func (d *Dispatcher) Stop(ctx context.Context) error {
	d.mu.Lock()
	if d.phase != phaseStopped {
		d.phase = phaseStopped
		close(d.stopping)
	}
	d.mu.Unlock()

	done := make(chan struct{})
	go func() { // ends with the last lane, which stopRecord bounds
		d.wg.Wait()
		close(done)
	}()
	defer d.stopRecord()
	defer d.stopSends(errPatience)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	d.stopSends(errPatience)
	last := time.NewTimer(afterPatience)
	defer last.Stop()
	select {
	case <-done:
	case <-last.C:
	}
	return context.Cause(ctx)
}

// Wake says that the page may have due deliveries. It never blocks.
func (d *Dispatcher) Wake(page identity.PageID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake(d.lane(page))
}

// PageChanged says that the page was registered or changed (a new token, another tag): what was held because of
// the page is tried again. It never blocks.
func (d *Dispatcher) PageChanged(page identity.PageID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lane(page)
	l.mind.forget(d.o.Now())
	l.renewed.Store(true)
	d.wake(l)
}

// lane returns the page's lane; d.mu is held.
func (d *Dispatcher) lane(page identity.PageID) *lane {
	l := d.lanes[page]
	if l == nil {
		l = newLane(d, page)
		d.lanes[page] = l
	}
	return l
}

// wake makes the lane look at the outbox (again); d.mu is held.
func (d *Dispatcher) wake(l *lane) {
	if d.phase != phaseStarted || !d.o.Mine(l.page) {
		return
	}
	l.again = true
	if !l.running {
		l.running = true
		d.wg.Go(l.run)
		return
	}
	select {
	case l.signal <- struct{}{}:
	default: // a signal is waiting already
	}
}

// keepHouse looks after what no event reports: leases that ended, echoes that never came, retries that are due.
func (d *Dispatcher) keepHouse() {
	ticker := time.NewTicker(d.o.Tick)
	defer ticker.Stop()
	for {
		d.tidy()
		select {
		case <-ticker.C:
		case <-d.stopping:
			return
		}
	}
}

func (d *Dispatcher) tidy() {
	now := d.o.Now()
	if n, err := d.o.Outbox.Abandon(d.recording, now, d.o.Grace); d.noted(opAbandon, err) && n > 0 {
		d.metrics.abandoned.Add(float64(n))
		d.o.Logger.Warn("claims ended without an outcome; waiting for echoes", "deliveries", n)
	}
	again, unknown, err := d.o.Outbox.Judge(d.recording, now)
	if d.noted(opJudge, err) && again+unknown > 0 {
		d.metrics.judged(again, unknown)
		d.o.Logger.Warn("deliveries without an echo judged", "again", again, "unknown", unknown)
	}
	pages, err := d.o.Outbox.Pages(d.recording)
	if !d.noted(opPages, err) {
		return
	}
	for _, p := range pages {
		if !p.Due.After(now) {
			d.Wake(p.Page)
		}
	}
}

// noted counts and logs an error of the outbox; it reports whether there was none. The work is not lost: the
// rows stay as they are and the next tick finds them.
func (d *Dispatcher) noted(op string, err error) bool {
	if err == nil {
		return true
	}
	if d.recording.Err() == nil {
		d.metrics.outboxErrors.WithLabelValues(op).Inc()
		d.o.Logger.Error("outbox failed", "operation", op, "cause", err)
	}
	return false
}
