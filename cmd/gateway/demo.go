package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"golang.org/x/term"

	"outrider/internal/app"
	"outrider/internal/config"
)

func (env environment) demo(ctx context.Context, args []string) error {
	fs := env.flags("demo")
	load := env.settings(fs)
	vehicles := fs.Int("vehicles", 20, "`number` of simulated vehicles that drive")
	seed := fs.Uint64("seed", 0, "`number` that makes the same city and the same journeys as the run with this seed; 0: new ones")
	if err := env.parse(fs, args); err != nil {
		return err
	}
	if *vehicles < 1 {
		return fmt.Errorf("--vehicles=%d: expected at least 1: %w", *vehicles, errUsage)
	}
	c, err := load()
	if err != nil {
		return err
	}
	app.SpareProcessors()
	d, err := app.NewDemo(app.DemoOptions{Config: c, Logger: env.demoLogger(c.Log), Version: version, Vehicles: *vehicles, Seed: *seed})
	if err != nil {
		return err
	}
	if err := d.Start(ctx); err != nil {
		return env.begun(ctx, err)
	}
	fmt.Fprint(env.stdout, banner(d, *vehicles))
	began := time.Now()
	err = env.watch(ctx, d, began)
	counted := d.Counts // the fleet's last words come in while it stops
	stopped := stop(d.Stop)
	fmt.Fprint(env.stdout, summary(counted(), time.Since(began)))
	return joined(err, stopped)
}

// demoLogger keeps the terminal readable: unless asked for more, only what went wrong is logged.
func (env environment) demoLogger(c config.Log) *slog.Logger {
	if c.Level == "info" {
		c.Level = "warn"
	}
	return env.logger(c)
}

// watch shows the status until ctx ends or a part fails: one line that is written over on a terminal, a line
// every ten seconds elsewhere.
func (env environment) watch(ctx context.Context, d *app.Demo, began time.Time) error {
	every, before, after := 10*time.Second, "", "\n"
	if isTerminal(env.stdout) {
		every, before, after = time.Second, "\r\x1b[2K", ""
		defer fmt.Fprintln(env.stdout)
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.Failed():
			return err
		case <-t.C:
			line := status(d.Counts(), time.Since(began))
			fmt.Fprint(env.stdout, before, fit(line, env.width()), after)
		}
	}
}

// width is how many characters fit into a line.
func (env environment) width() int {
	if f, ok := env.stdout.(interface{ Fd() uintptr }); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w - 1
		}
	}
	return 200
}

func fit(line string, width int) string {
	if runes := []rune(line); len(runes) > width && width > 1 {
		return string(runes[:width-1]) + "…"
	}
	return line
}

func status(c app.Counts, up time.Duration) string {
	line := fmt.Sprintf("%s  fixes %d  true crossings %d  alerts %d  publish→send p50 %s p99 %s",
		up.Truncate(time.Second), c.Fixes, c.Crossings, c.Delivered, short(c.P50), short(c.P99))
	if c.ByHand > 0 {
		line += fmt.Sprintf("  by hand %d", c.ByHand)
	}
	if c.Newest != "" {
		line += "  “" + strings.ReplaceAll(c.Newest, "\n", " ") + "”"
	}
	return line
}

func short(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func summary(c app.Counts, up time.Duration) string {
	verdict := "every true crossing was told once, and nothing else"
	if !c.Report.Exact() {
		verdict = c.Report.String()
	}
	byHand := ""
	if c.ByHand > 0 {
		byHand = fmt.Sprintf(" and %d of %s", c.ByHand, app.HandVehicle)
	}
	return fmt.Sprintf(`
ran                  %s
fixes                %d
true crossings       %d
alerts delivered     %d%s
publish → send       p50 %s, p99 %s
compared             %s
`, up.Truncate(time.Second), c.Fixes, c.Crossings, c.Delivered, byHand, short(c.P50), short(c.P99), verdict)
}

const bannerText = `Outrider demo: %[1]d simulated vehicles drive around city fences. Nothing leaves this machine.

  console       http://%[2]s/   (sign in with the key below)
  REST API      http://%[2]s/api/v1/   (description: /openapi.json)
  admin key     %[3]s
  MQTT          %[4]s, no password
  Graph API     %[5]s (a sandbox that enforces Meta's rules)
  phones        %[5]s/phone (play any owner: read, tap, write)
  login         become an owner of %[6]s, as somebody who is sent by a fleet's web site:
                %[12]s
                (and be forgotten again: %[5]s/settings/apps)

The vehicle %[6]s is yours. Let it drive into the fence “Depot”, at 40 km/h for 15 seconds:
  for lat in $(seq %[9]s 0.0001 %[10]s); do mosquitto_pub -h %[7]s -p %[8]s -q 1 -t fleet/default/%[6]s/fix \
    -m "{\"t\":$(date +%%s),\"lat\":$lat,\"lon\":%[11]s,\"spd\":11,\"hdg\":0}"; sleep 1; done

See what happened:
  curl -sH 'Authorization: Bearer %[3]s' 'http://%[2]s/api/v1/crossings?limit=3'
  curl -sH 'Authorization: Bearer %[3]s' 'http://%[2]s/api/v1/deliveries?vehicle=%[6]s'

Ctrl-C stops and counts.

`

func banner(d *app.Demo, vehicles int) string {
	a := d.App()
	key, _ := a.AdminKey()
	host, port, _ := net.SplitHostPort(a.MQTTAddr().String())
	south, north, lon := d.HandRoute()
	return fmt.Sprintf(bannerText, vehicles, a.HTTPAddr(), key.Reveal(), a.MQTTAddr(), d.GraphURL(), app.HandVehicle,
		host, port, south, north, lon, d.LoginURL())
}
