package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
)

// recentLines is how many lines of the log a process remembers.
const recentLines = 2_000

// recent remembers the end of the log, for the support bundle. It is safe for many goroutines.
type recent struct {
	mu    sync.Mutex // guards what follows
	lines [][]byte   // a ring
	next  int
}

// Write implements io.Writer: a line at a time, as slog's handlers write them.
func (r *recent) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < recentLines {
		r.lines = append(r.lines, bytes.Clone(line))
		return len(line), nil
	}
	r.lines[r.next] = append(r.lines[r.next][:0], line...)
	r.next = (r.next + 1) % recentLines
	return len(line), nil
}

// dump writes what is remembered, oldest first.
func (r *recent) dump(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.lines {
		if _, err := w.Write(r.lines[(r.next+i)%len(r.lines)]); err != nil {
			return err
		}
	}
	return nil
}

// remembering is a handler that passes on, and remembers what is at least of the level info.
type remembering struct {
	slog.Handler
	kept slog.Handler
}

func remember(h slog.Handler, r *recent) remembering {
	return remembering{h, slog.NewTextHandler(r, nil)}
}

// Enabled implements slog.Handler.
func (h remembering) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, l) || h.kept.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (h remembering) Handle(ctx context.Context, r slog.Record) error {
	if h.kept.Enabled(ctx, r.Level) {
		_ = h.kept.Handle(ctx, r.Clone()) // memory does not fail
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h remembering) WithAttrs(attrs []slog.Attr) slog.Handler {
	return remembering{h.Handler.WithAttrs(attrs), h.kept.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h remembering) WithGroup(name string) slog.Handler {
	return remembering{h.Handler.WithGroup(name), h.kept.WithGroup(name)}
}
