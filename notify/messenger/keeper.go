package messenger

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
)

// TemplateKeeperOptions is what a TemplateKeeper needs. Graph, Directory, Templates, Outbox and Now are required.
type TemplateKeeperOptions struct {
	Graph     *graph.Client
	Directory *identity.Directory
	Templates notify.Templates
	Outbox    Releaser
	Now       func() time.Time

	// Mine reports whether this process looks after a page now. It must not block. nil: it looks after all.
	Mine func(identity.PageID) bool
	// Wake is told of pages whose deliveries were released. It must not block. nil: nobody is told.
	Wake       func(identity.PageID)
	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: unregistered

	FirstPoll time.Duration // from a template's creation to the first look at its status; 0: 1 s, then doubled
	LastPoll  time.Duration // longest time between two looks while something is open; 0: 5 min
	Recheck   time.Duration // between two looks when everything is decided; 0: 24 h
	Timeout   time.Duration // of one call; 0: 20 s
}

// Releaser is the part of a notify.Outbox that a keeper uses.
type Releaser interface {
	Release(ctx context.Context, page identity.PageID, reasons ...notify.Reason) (int, error)
}

// TemplateKeeper sees to it that pages have the utility templates that alerts need: it creates the gateway's own
// where they are missing, asks until Meta has decided on them, records what it learns, and releases the deliveries
// that waited. A page's own templates, named in its record, are only looked at.
//
// Each page that was asked for has one goroutine. All methods are safe for many goroutines.
type TemplateKeeper struct {
	o       TemplateKeeperOptions
	metrics *keeperMetrics

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards the rest
	started bool
	stopped bool
	wards   map[identity.PageID]*ward
}

// NewTemplateKeeper returns a keeper that does nothing before Start.
func NewTemplateKeeper(o TemplateKeeperOptions) (*TemplateKeeper, error) {
	if o.Graph == nil || o.Directory == nil || o.Templates == nil || o.Outbox == nil || o.Now == nil {
		return nil, errors.New("messenger: a template keeper needs Graph, Directory, Templates, Outbox and Now")
	}
	if o.Mine == nil {
		o.Mine = func(identity.PageID) bool { return true }
	}
	if o.Wake == nil {
		o.Wake = func(identity.PageID) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.FirstPoll = cmp.Or(o.FirstPoll, time.Second)
	o.LastPoll = cmp.Or(o.LastPoll, 5*time.Minute)
	o.Recheck = cmp.Or(o.Recheck, 24*time.Hour)
	o.Timeout = cmp.Or(o.Timeout, 20*time.Second)
	k := &TemplateKeeper{o: o, metrics: newKeeperMetrics(o.Registerer), wards: map[identity.PageID]*ward{}}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

// Start looks after every page of the directory and returns at once. A second call does nothing.
func (k *TemplateKeeper) Start(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return notify.ErrStopped
	}
	k.started = true
	for _, p := range k.o.Directory.AllPages() {
		k.ensure(p.ID)
	}
	for page := range k.wards {
		k.ensure(page) // asked for before Start
	}
	return nil
}

// Stop ends all work, cutting calls under way: each of them is safe to make again. It may be called any number
// of times.
func (k *TemplateKeeper) Stop(ctx context.Context) error {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.cancel()
	done := make(chan struct{})
	go func() { // ends with the goroutines that cancel has just cut
		k.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Ensure looks at the page's templates now, and creates what is missing. It never blocks.
func (k *TemplateKeeper) Ensure(page identity.PageID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ensure(page)
}

// Need says that a page lacks the best template for a kind of event and a locale: it is made, and looked after from
// then on. It never blocks.
func (k *TemplateKeeper) Need(page identity.PageID, kind notify.Kind, locale string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.ward(page)
	w.kinds[kind], w.locales[locale] = true, true
	k.ensure(page)
}

// ward returns the page's ward; k.mu is held.
func (k *TemplateKeeper) ward(page identity.PageID) *ward {
	w := k.wards[page]
	if w == nil {
		w = &ward{k: k, page: page, asked: make(chan struct{}, 1), kinds: map[notify.Kind]bool{}, locales: map[string]bool{}}
		k.wards[page] = w
	}
	return w
}

// ensure is Ensure; k.mu is held.
func (k *TemplateKeeper) ensure(page identity.PageID) {
	w := k.ward(page)
	select {
	case w.asked <- struct{}{}:
	default: // asked already
	}
	if k.started && !k.stopped && !w.running {
		w.running = true
		k.wg.Go(w.run)
	}
}
