package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"outrider/identity"
)

// refresher brings the directory up to date with what came in from Meta: owners who were linked, pages that were
// stopped or connected. Requests come together into one reload. It is safe for many goroutines.
type refresher struct {
	reload func(context.Context) error
	then   func(pages []identity.PageID) // told which pages changed, when the directory shows it
	logger *slog.Logger

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	asked  chan struct{} // sent by ask, capacity 1, never closed

	mu    sync.Mutex // guards pages
	pages []identity.PageID
}

// refreshAgain is the pause after a reload that did not work.
const refreshAgain = time.Second

func newRefresher(reload func(context.Context) error, then func([]identity.PageID), logger *slog.Logger) *refresher {
	r := &refresher{reload: reload, then: then, logger: logger, asked: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.wg.Go(r.run)
	return r
}

// ask wants the directory reloaded, and the pages told of afterwards. It never blocks.
func (r *refresher) ask(pages ...identity.PageID) {
	r.mu.Lock()
	r.pages = append(r.pages, pages...)
	r.mu.Unlock()
	select {
	case r.asked <- struct{}{}:
	default: // asked already
	}
}

// also runs something beside the reloading, until stop cuts it.
func (r *refresher) also(do func(context.Context)) {
	if r.ctx.Err() == nil {
		r.wg.Go(func() { do(r.ctx) })
	}
}

func (r *refresher) run() {
	for {
		select {
		case <-r.asked:
		case <-r.ctx.Done():
			return
		}
		for !r.once() {
			select {
			case <-time.After(refreshAgain):
			case <-r.ctx.Done():
				return
			}
		}
	}
}

// once reloads and tells; it reports false when it must be done again.
func (r *refresher) once() bool {
	r.mu.Lock()
	pages := r.pages
	r.pages = nil
	r.mu.Unlock()
	if err := r.reload(r.ctx); err != nil {
		r.logger.Error("directory not brought up to date", "cause", err)
		r.mu.Lock()
		r.pages = append(r.pages, pages...)
		r.mu.Unlock()
		return false
	}
	slices.Sort(pages)
	r.then(slices.Compact(pages))
	return true
}

// stop ends the reloading.
func (r *refresher) stop(context.Context) error {
	r.cancel()
	r.wg.Wait()
	return nil
}
