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
	load := env.settings(fs)
	path := fs.String("geofences", "", "GeoJSON `file` with the fences")
	preset := fs.String("preset", "balanced", "how much evidence a crossing needs: `strict|balanced|calm`")
	if err := env.parse(fs, args); err != nil {
		return err
	}
	if *path == "" {
		return fmt.Errorf("--geofences is missing: name a GeoJSON file with the fences: %w", errUsage)
	}
	c, err := load()
	if err != nil {
		return err
	}
	fences, err := os.Open(*path)
	if err != nil {
		return err
	}
	defer fences.Close()
	var refused refusals
	err = app.Replay(ctx, app.ReplayOptions{
		MQTT:      c.MQTT,
		Geofences: fences, Preset: *preset, In: env.stdin, Out: env.stdout, Progress: env.progress(), Refused: refused.add,
	})
	refused.print(env.stderr)
	return err
}

// refusals are what the gateway would have put among the dead letters.
type refusals struct {
	first []string // the first few, to show
	count int
}

func (r *refusals) add(line int, err error) {
	if r.count++; len(r.first) < 5 {
		r.first = append(r.first, fmt.Sprintf("line %d: %v", line, err))
	}
}

func (r *refusals) print(w io.Writer) {
	for _, text := range r.first {
		fmt.Fprintln(w, "refused:", text)
	}
	if more := r.count - len(r.first); more > 0 {
		fmt.Fprintln(w, "refused:", more, "more")
	}
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
