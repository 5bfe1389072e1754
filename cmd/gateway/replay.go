package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"outrider/internal/app"
)

func (env environment) replay(ctx context.Context, args []string) error {
	fs := env.flags("replay")
	path := fs.String("geofences", "", "GeoJSON `file` with the fences")
	preset := fs.String("preset", "balanced", "how much evidence a crossing needs: strict, balanced or calm")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *path == "" {
		return fmt.Errorf("--geofences is missing: name a GeoJSON file with the fences: %w", errUsage)
	}
	fences, err := os.Open(*path)
	if err != nil {
		return err
	}
	defer fences.Close()
	return app.Replay(ctx, app.ReplayOptions{
		Geofences: fences, Preset: *preset, In: env.stdin, Out: env.stdout, Progress: env.progress(),
	})
}

// progress shows how far a long run has come, on a terminal only.
func (env environment) progress() func(lines int) {
	if !isTerminal(env.stderr) || !isRedirected(env.stdin) {
		return nil
	}
	return func(lines int) { fmt.Fprintf(env.stderr, "\r%d lines", lines) }
}

func isRedirected(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && !term.IsTerminal(int(f.Fd()))
}
