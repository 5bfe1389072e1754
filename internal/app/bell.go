package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"outrider/identity"
)

// What processes ring.
const (
	rungChanges = "changes" // of fences, rules, vehicles, owners, pages or texts
	rungSaid    = "said"    // somebody wrote to a page
	rungPage    = "page/"   // and its id: there is something to send
)

// bellAgain is the pause before hearing again after it broke.
const bellAgain = time.Second

// bell tells other processes what this one did, and this one what they did. It is safe for many goroutines.
type bell struct {
	app    *App
	wanted chan struct{} // sent by ring, capacity 1, never closed

	mu   sync.Mutex // guards what
	what map[string]bool
}

// ring tells the other processes soon. It never blocks.
func (b *bell) ring(what string) {
	b.mu.Lock()
	b.what[what] = true
	b.mu.Unlock()
	select {
	case b.wanted <- struct{}{}:
	default:
	}
}

// tell rings until ctx ends. What cannot be rung is found by asking.
func (b *bell) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wanted:
		}
		b.mu.Lock()
		what := slices.Collect(maps.Keys(b.what))
		clear(b.what)
		b.mu.Unlock()
		if err := b.app.store.Ring(ctx, what...); err != nil && ctx.Err() == nil {
			b.app.logger.Warn("other processes not told: they will ask", "cause", err)
		}
	}
}

// hear acts on what is rung until ctx ends.
func (b *bell) hear(ctx context.Context) {
	for ctx.Err() == nil {
		if err := b.app.store.Hear(ctx, b.heard); ctx.Err() == nil {
			b.app.logger.Warn("other processes not heard: this one asks", "cause", err)
		}
		select {
		case <-time.After(bellAgain):
		case <-ctx.Done():
		}
	}
}

func (b *bell) heard(what string) {
	page, isPage := strings.CutPrefix(what, rungPage)
	switch {
	case isPage:
		b.app.dispatcher.Wake(identity.PageID(page))
		return
	case what == rungChanges:
		b.app.changes.look()
		return
	case what == "": // anything may have been rung before
		b.app.changes.look()
	}
	if reader := b.app.reader.Load(); reader != nil {
		reader.Wake()
	}
}

// wake has what waits for a page sent, here or in the process that has the page.
func (a *App) wake(page identity.PageID) {
	a.dispatcher.Wake(page)
	if !a.mine(page) {
		a.ring(rungPage + string(page))
	}
}

func (a *App) ring(what string) {
	if a.bell != nil {
		a.bell.ring(what)
	}
}

// identitiesHere takes over identities that this process changed, and tells the others; fencesHere and rulesHere do so with
// fences and rules.
func (a *App) identitiesHere(ctx context.Context, named ...identity.Ref) error {
	defer a.ring(rungChanges) // what was stored is news to them, whatever becomes of it here
	return a.follower.Follow(ctx, named...)
}

func (a *App) fencesHere(ctx context.Context) error {
	defer a.ring(rungChanges)
	return a.pipeline.FencesChanged(ctx)
}

func (a *App) rulesHere(ctx context.Context) error {
	defer a.ring(rungChanges)
	return a.rulesChanged(ctx)
}
