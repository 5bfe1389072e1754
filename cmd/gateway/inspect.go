package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"outrider/identity"
	"outrider/internal/app"
)

// inspect shows what devices send: at the broker of mqtt.url, or to the gateway that is running.
func (env environment) inspect(ctx context.Context, args []string) error {
	fs := env.flags("inspect")
	load := env.settings(fs)
	var o app.WatchOptions
	var lasts time.Duration
	fs.Func("topic", "`filter` to subscribe to at the broker; may come several times (default #, everything)", func(v string) error {
		o.Topics = append(o.Topics, v)
		return nil
	})
	fs.Func("vehicle", "`id` of the only vehicle to show", func(v string) error { o.Vehicle = identity.VehicleID(v); return nil })
	fs.Func("tenant", "`name` of the tenant that the running gateway is asked for (default default)", func(v string) error { o.Tenant = identity.TenantID(v); return nil })
	fs.DurationVar(&lasts, "for", 0, "`duration` after which it ends (default until Ctrl-C)")
	if err := env.parse(fs, args); err != nil {
		return err
	}
	c, err := load()
	if err != nil {
		return err
	}
	if lasts > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lasts)
		defer cancel()
	}
	t := &tally{w: env.stdout, plain: !isTerminal(env.stdout) || os.Getenv("NO_COLOR") != "", of: map[string]*counted{}}
	if c.Log.Level == "info" { // that it is connected is not what was asked for
		c.Log.Level = "warn"
	}
	o.Config, o.Show, o.Logger = c, t.show, env.logger(c.Log)
	watch, where := app.WatchGateway, "the gateway at "+c.HTTP.Listen
	if c.MQTT.URL != "" {
		watch, where = app.WatchBroker, c.MQTT.URL
	}
	fmt.Fprintf(env.stderr, "watching %s; Ctrl-C ends\n", where)
	if err := watch(ctx, o); err != nil {
		return err
	}
	t.sum()
	return nil
}

// counted is how much came of a vehicle.
type counted struct{ messages, positions, refused int }

// tally prints messages and counts them by vehicle. It belongs to the one goroutine that shows.
type tally struct {
	w     io.Writer
	plain bool
	of    map[string]*counted
}

func (t *tally) show(s app.Seen) {
	names := s.Vehicles
	if len(names) == 0 {
		names = []string{"(nobody named)"}
	}
	for _, name := range names {
		if t.of[name] == nil {
			t.of[name] = &counted{}
		}
		t.of[name].messages++
	}
	t.of[names[0]].positions += s.Positions
	t.of[names[0]].refused += s.Refused

	kept := ""
	if s.Retained {
		kept = ", a kept copy"
	}
	fmt.Fprintf(t.w, "%s  %s  %s (%d bytes%s)\n", s.Received.Local().Format("15:04:05.000"), t.paint("1", strings.Join(names, ", ")), s.Topic, s.Size, kept)
	for _, line := range s.Lines {
		colour := "32"
		if strings.HasPrefix(line, "refused") || strings.HasPrefix(line, "gate") {
			colour = "31"
		}
		fmt.Fprintf(t.w, "  %s\n", t.paint(colour, line))
	}
	if s.Payload != "" {
		fmt.Fprintf(t.w, "  %s\n", t.paint("2", "payload  "+s.Payload))
	}
}

func (t *tally) paint(colour, text string) string {
	if t.plain {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// sum prints what came of each vehicle.
func (t *tally) sum() {
	if len(t.of) == 0 {
		fmt.Fprintln(t.w, "nothing came: is the topic right, and does the tracker reach the broker?")
		return
	}
	fmt.Fprintln(t.w)
	for _, name := range slices.Sorted(maps.Keys(t.of)) {
		c := t.of[name]
		fmt.Fprintf(t.w, "%s: %d messages, %d positions, %d refused\n", name, c.messages, c.positions, c.refused)
	}
}
