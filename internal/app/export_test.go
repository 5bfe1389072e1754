package app

import (
	"log/slog"

	"outrider/console"
)

// NewDecoder is newDecoder, for tests.
var NewDecoder = newDecoder

// Feed tells those who watch the console.
func (a *App) Feed() *console.Feed { return a.feed }

// Logger is what a gateway logs through.
func (a *App) Logger() *slog.Logger { return a.logger }

// FenceRevision is the revision of the fences in force.
func (a *App) FenceRevision() uint64 { return a.pipeline.Fences().Revision }
