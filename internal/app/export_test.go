package app

import "log/slog"

// NewDecoder is newDecoder, for tests.
var NewDecoder = newDecoder

// Logger is what a gateway logs through.
func (a *App) Logger() *slog.Logger { return a.logger }

// FenceRevision is the revision of the fences in force.
func (a *App) FenceRevision() uint64 { return a.pipeline.Fences().Revision }
