package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"outrider/simulator"
)

// fleetFlags are the flags of simulator fleet.
type fleetFlags struct {
	options simulator.DriveOptions
	rate    float64
	format  string
	truth   string
	fences  string
	noise   float64
	quiet   bool
}

func runFleet(ctx context.Context, args []string, out io.Writer) error {
	f, err := parseFleet(args, out)
	if err != nil {
		return err
	}
	if err := f.writeFences(out); err != nil || f.options.Publisher.URL == "" {
		return err
	}
	summary, err := simulator.Drive(ctx, f.options)
	if f.options.OnStats != nil {
		fmt.Fprintln(out) // behind the bar
	}
	fmt.Fprint(out, summary)
	return errors.Join(err, f.writeTruth(summary.Truth))
}

func parseFleet(args []string, out io.Writer) (*fleetFlags, error) {
	f := &fleetFlags{}
	o := &f.options
	set := flag.NewFlagSet("simulator fleet", flag.ContinueOnError)
	set.SetOutput(out)
	set.StringVar(&o.Publisher.URL, "broker", "", "`URL` of the broker: tcp://127.0.0.1:1883; without it nothing is published")
	set.StringVar(&o.Publisher.Username, "username", "", "MQTT user `name`")
	password := set.String("password-file", "", "`file` that holds the MQTT password")
	set.IntVar(&o.Fleet.Vehicles, "vehicles", 20, "`number` of vehicles")
	set.Float64Var(&f.rate, "rate", 0, "fixes per `second` of the whole fleet; 0: one per vehicle")
	set.Uint64Var(&o.Seed, "seed", 1, "`number` that decides streets, ways and noise")
	set.DurationVar(&o.Publisher.Duration, "duration", time.Minute, "how long to drive; 0: until interrupted")
	set.Float64Var(&o.Publisher.Speed, "speed", 1, "seconds of driving per second")
	set.BoolVar(&o.Publisher.Unpaced, "unpaced", false, "as fast as the broker acknowledges")
	set.IntVar(&o.Publisher.Connections, "connections", 1, "MQTT connections; -1: one per vehicle")
	set.IntVar(&o.Publisher.InFlight, "in-flight", 100, "unacknowledged messages per connection")
	set.StringVar(&f.format, "format", "native", "payload: native or owntracks")
	set.Float64Var(&f.noise, "noise", 3, "deviation of each axis in `metres`; 0: none")
	set.StringVar(&f.truth, "truth", "", "`file` for the true crossings, one JSON object a line")
	set.StringVar(&f.fences, "fences", "", "`file` for the city's fences as GeoJSON; -: standard output")
	set.BoolVar(&f.quiet, "quiet", false, "no progress")
	w := &o.Publisher.Faults
	set.DurationVar(&w.Jitter, "jitter", 0, "`delay` of each fix on the way, at most")
	set.Float64Var(&w.Gaps, "gaps", 0, "`share` of every ten minutes of a vehicle that holds a gap of the network, whose fixes come afterwards, newest first")
	set.Float64Var(&w.Tunnels, "tunnels", 0, "`share` of every ten minutes of a vehicle that holds a tunnel, of which no fix ever comes")
	set.Float64Var(&w.Duplicates, "duplicates", 0, "`share` of fixes that come twice")
	set.DurationVar(&w.Skew, "skew", 0, "`error` of the vehicles' clocks, at most, ahead or behind")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	return f, f.complete(*password, out)
}

// complete checks the flags and derives the rest.
func (f *fleetFlags) complete(passwordFile string, out io.Writer) error {
	o := &f.options
	if o.Fleet.Vehicles < 1 || f.rate < 0 || f.noise < 0 || o.Publisher.Duration < 0 {
		return errors.New("vehicles must be at least 1; rate, noise and duration not negative")
	}
	if o.Publisher.URL == "" && f.fences == "" {
		return errors.New("nothing to do: give --broker or --fences")
	}
	if f.rate > 0 {
		o.Fleet.Interval = time.Duration(float64(o.Fleet.Vehicles) / f.rate * float64(time.Second))
	}
	if o.Fleet.Noise = f.noise; f.noise == 0 {
		o.Fleet.Noise = -1
	}
	switch file, ok := out.(*os.File); {
	case f.quiet:
	case ok && term.IsTerminal(int(file.Fd())):
		o.OnStats, o.Every = f.bar(file), 200*time.Millisecond
	default:
		o.Progress = out
	}
	o.Publisher.Format = simulator.Format(f.format)
	if o.Publisher.Format == simulator.OwnTracks {
		o.Fleet.WholeSeconds, o.Fleet.Name = true, simulator.UserDevice
	}
	o.Fleet.Start = f.start(time.Now())
	return f.readPassword(passwordFile)
}

// start is now, or so far back that a fleet driven faster than time never reports from the future.
func (f *fleetFlags) start(now time.Time) time.Time {
	p := f.options.Publisher
	if !p.Unpaced && p.Speed <= 1 {
		return now
	}
	back := p.Duration
	if back == 0 {
		back = 24 * time.Hour
	}
	return now.Add(-back - 10*time.Minute)
}

func (f *fleetFlags) readPassword(file string) error {
	if file == "" {
		return nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	for len(raw) > 0 && (raw[len(raw)-1] == '\n' || raw[len(raw)-1] == '\r') {
		raw = raw[:len(raw)-1]
	}
	f.options.Publisher.Password = string(raw)
	return nil
}

func (f *fleetFlags) writeFences(out io.Writer) error {
	fences := simulator.NewCity(f.options.Seed).GeoJSON()
	switch f.fences {
	case "":
		return nil
	case "-":
		_, err := fmt.Fprintf(out, "%s\n", fences)
		return err
	}
	return os.WriteFile(f.fences, fences, 0o644)
}

func (f *fleetFlags) writeTruth(truth []simulator.Crossing) error {
	if f.truth == "" {
		return nil
	}
	file, err := os.Create(f.truth)
	if err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	return errors.Join(simulator.WriteTruth(file, truth), file.Close())
}
