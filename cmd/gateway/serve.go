package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"outrider/internal/app"
	"outrider/internal/config"
)

// stopWithin is how long an orderly end may take.
const stopWithin = 5 * time.Second

func (env environment) serve(ctx context.Context, args []string) error {
	c, again, err := env.configurable("serve", args)
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	level := &slog.LevelVar{}
	logger := env.levelled(c.Log, level)
	app.SpareProcessors()
	a, err := app.New(app.Options{Config: c, Logger: logger, Level: level, Version: version})
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
	for {
		select {
		case <-hangups:
			reload(a, again, logger)
			continue
		case <-ctx.Done():
			logger.Info("stopping")
		case err = <-a.Failed():
			logger.Error("a part cannot go on, stopping", "cause", err)
		}
		return joined(err, stop(a.Stop))
	}
}

// reload reads the settings again and takes over what may change now.
func reload(a *app.App, again func() (config.Config, error), logger *slog.Logger) {
	c, err := again()
	var waiting []string
	if err == nil {
		waiting, err = a.Reload(c)
	}
	switch {
	case err != nil:
		logger.Error("settings not taken over, all stays as it was", "cause", err)
	case len(waiting) > 0:
		logger.Warn("settings taken over; others that changed wait for the next start", "waiting", waiting)
	default:
		logger.Info("settings taken over")
	}
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
func (env environment) logger(c config.Log) *slog.Logger { return env.levelled(c, &slog.LevelVar{}) }

// levelled is the same with a level that can be changed later.
func (env environment) levelled(c config.Log, level *slog.LevelVar) *slog.Logger {
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
