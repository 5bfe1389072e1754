package console

import (
	"slices"
	"sync"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

// Feed tells those who watch the console live what has happened. It holds nothing for those who do not: whoever
// was away reads the record. It is safe for many goroutines, and never blocks the ones that report to it.
type Feed struct {
	mu       sync.Mutex // guards what follows
	watchers map[*watcher]struct{}
	closed   chan struct{}
	once     sync.Once
}

// NewFeed returns a feed that nobody watches.
func NewFeed() *Feed {
	return &Feed{watchers: map[*watcher]struct{}{}, closed: make(chan struct{})}
}

// watcher is one stream's mailbox: the newest position of each vehicle that moved, and whether the record has grown.
type watcher struct {
	tenant identity.TenantID
	wake   chan struct{} // capacity 1: sent by the feed, received by the stream

	mu    sync.Mutex // guards what follows
	fixes map[identity.VehicleID]telemetry.Fix
	grown bool
}

// Committed tells of a lane's commit that has become durable.
func (f *Feed) Committed(c store.Commit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.watchers) == 0 {
		return
	}
	grown := map[identity.TenantID]bool{}
	for i := range c.Crossings {
		grown[c.Crossings[i].Tenant] = true
	}
	for i := range c.Deliveries {
		grown[c.Deliveries[i].Alert.Tenant] = true
	}
	for w := range f.watchers {
		w.put(c.LastFixes, grown[w.tenant])
	}
}

// Changed tells that deliveries of a tenant are in another state.
func (f *Feed) Changed(tenant identity.TenantID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		if w.tenant == tenant {
			w.put(nil, true)
		}
	}
}

// Watched lists the tenants that somebody watches.
func (f *Feed) Watched() []identity.TenantID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []identity.TenantID
	for w := range f.watchers {
		if !slices.Contains(all, w.tenant) {
			all = append(all, w.tenant)
		}
	}
	return all
}

// Close ends every stream, so that the server which carries them can stop. It may come twice.
func (f *Feed) Close() { f.once.Do(func() { close(f.closed) }) }

func (f *Feed) watch(tenant identity.TenantID) *watcher {
	w := &watcher{tenant: tenant, wake: make(chan struct{}, 1), fixes: map[identity.VehicleID]telemetry.Fix{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[w] = struct{}{}
	return w
}

func (f *Feed) leave(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
}

// put adds what is news to the mailbox and wakes its stream.
func (w *watcher) put(fixes []telemetry.Fix, grown bool) {
	w.mu.Lock()
	news := grown
	for i := range fixes {
		if identity.TenantID(fixes[i].Tenant) == w.tenant {
			w.fixes[identity.VehicleID(fixes[i].Vehicle)], news = fixes[i], true
		}
	}
	w.grown = w.grown || grown
	w.mu.Unlock()
	if news {
		select {
		case w.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// take empties the mailbox.
func (w *watcher) take() (fixes map[identity.VehicleID]telemetry.Fix, grown bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fixes, grown = w.fixes, w.grown
	w.fixes, w.grown = map[identity.VehicleID]telemetry.Fix{}, false
	return fixes, grown
}
