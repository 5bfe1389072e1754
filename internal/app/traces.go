package app

import (
	"context"
	"time"

	"outrider/internal/tracing"
	"outrider/notify"
	"outrider/store"
)

// startTracing begins to trace alerts where there is a collector. It is ended after what it traces.
func (a *App) startTracing(ctx context.Context) (err error) {
	c := a.o.Config.OTel
	if c.Endpoint == "" {
		return nil
	}
	a.tracer, err = tracing.New(ctx, tracing.Options{
		Endpoint: c.Endpoint, Share: c.Share, Version: a.o.Version, Logger: a.logger.With("part", "tracing"), Registerer: a.registry,
	})
	if err == nil {
		a.onStop("tracing", a.tracer.Stop)
	}
	return err
}

// tried is who is told of attempts; nil: nobody.
func (a *App) tried() func(began time.Time, d *notify.Delivery, o *notify.Outcome) {
	if a.tracer == nil {
		return nil
	}
	return a.tracer.Tried
}

// traceCommit traces what a lane decided.
func (a *App) traceCommit(c store.Commit) {
	if a.tracer == nil || len(c.Deliveries) == 0 {
		return
	}
	durable := a.o.Now()
	for i := range c.Deliveries {
		a.tracer.Committed(&c.Deliveries[i], c.Read, durable)
	}
}
