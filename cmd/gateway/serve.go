package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"outrider/internal/app"
	"outrider/internal/config"
)

// stopWithin is how long an orderly end may take.
const stopWithin = 5 * time.Second

func (env environment) serve(ctx context.Context, args []string) error {
	c, err := env.configured("serve", args)
	if err != nil {
		return err
	}
	logger := env.logger(c.Log)
	a, err := app.New(app.Options{Config: c, Logger: logger, Version: version})
	if err != nil {
		return err
	}
	err = a.Start(ctx)
	// A start that could not go on may have made the key nevertheless, and the next one will not show it.
	if key, generated := a.AdminKey(); generated {
		fmt.Fprintf(env.stdout, "admin key (shown once, kept in %s): %s\n", filepath.Join(c.Data.Dir, "admin.key"), key.Reveal())
	}
	if err != nil {
		return env.begun(ctx, err)
	}
	logger.Info("started", "version", version, "http", a.HTTPAddr().String(), "mqtt", mqttAddress(a, c.MQTT))
	select {
	case <-ctx.Done():
		logger.Info("stopping")
	case err = <-a.Failed():
		logger.Error("a part cannot go on, stopping", "cause", err)
	}
	return joined(err, stop(a.Stop))
}

// begun is the error of a start. One that was called off by a signal is an orderly end.
func (env environment) begun(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	fmt.Fprintln(env.stderr, "stopped before it had started")
	return nil
}

// mqttAddress is where fixes come from, for the log.
func mqttAddress(a *app.App, c config.MQTT) string {
	if at := a.MQTTAddr(); at != nil {
		return at.String()
	}
	return c.URL
}

// stop ends something within its deadline.
func stop(end func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return end(ctx)
}

func joined(first, second error) error {
	if first == nil {
		return second
	}
	if second == nil {
		return first
	}
	return fmt.Errorf("%w\n%w", first, second)
}

// logger writes to standard error: standard output is for what was asked for.
func (env environment) logger(c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // checked when it was loaded
	if c.Format == "json" || c.Format == "auto" && !isTerminal(env.stderr) {
		return slog.New(slog.NewJSONHandler(env.stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: durationsWithUnit}))
	}
	return slog.New(tint.NewTextHandler(env.stderr, &tint.Options{
		Level: level, TimeFormat: time.TimeOnly, NoColor: !isTerminal(env.stderr) || os.Getenv("NO_COLOR") != "",
	}))
}

// durationsWithUnit writes 1.5s, where slog's JSON would write 1500000000.
func durationsWithUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
