package app

import (
	"context"
	"time"
)

// How often the record is looked at for what is too old, and how much goes at once: writers wait for each part.
const (
	pruneEvery = time.Hour
	pruneMost  = 1000
	pruneRest  = 50 * time.Millisecond
)

// prune keeps the record as long as the settings say, until ctx ends.
func (a *App) prune(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := 0, error(nil)
		if keep := time.Duration(a.retention.Load()); keep > 0 {
			n, err = a.store.Prune(ctx, a.o.Now().Add(-keep), pruneMost)
		}
		if err != nil && ctx.Err() == nil {
			a.logger.Error("the record cannot be pruned", "part", "store", "cause", err)
		}
		wait := pruneRest
		if n == 0 {
			wait = pruneEvery
		}
		select {
		case <-time.After(wait):
		case <-a.pruneNow:
		case <-ctx.Done():
		}
	}
}
