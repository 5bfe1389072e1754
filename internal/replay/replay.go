package replay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"outrider/geofence"
	"outrider/internal/pipeline"
	"outrider/telemetry"
)

// MaxLine is the longest line of input, in bytes.
const MaxLine = 16 << 20

// grace is how long the clock runs on after the last line, so that fixes that came late are still put in
// their place. It is shorter than anything a fleet admin waits for.
const grace = time.Minute

// Options of [Run]. Geofences, In, Out and Decoder are required.
type Options struct {
	Geofences io.Reader       // a GeoJSON Feature or FeatureCollection
	Preset    geofence.Preset // default balanced
	// In has {"rx", "vehicle", "payload"} a line, in the order of arrival. Where there is a "topic", it says the format by the
	// decoder's rules, and the vehicle, unless that is there.
	In      io.Reader
	Out     io.Writer         // {"vehicle", "fence", "kind", …} a line, in the order decided
	Decoder telemetry.Decoder // payloads of every format the gateway reads
	// Progress is called after each line with its number, from 1. May be nil.
	Progress func(line int)
	// Refused is told of payloads and fixes that the gateway would refuse; the replay goes on, as the gateway
	// would. May be nil.
	Refused func(line int, err error)
}

// LineError is a fault of the input, with the number of its line.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error implements error.
func (e *LineError) Error() string { return fmt.Sprintf("replay: line %d: %v", e.Line, e.Err) }

// Unwrap returns the fault.
func (e *LineError) Unwrap() error { return e.Err }

// Run reads the geofences, then the lines one by one, and writes what the engine decides. It returns when the
// input ends, ctx is done, or at the first line that is not of the form above: then a [*LineError].
func Run(ctx context.Context, o Options) error {
	fences, err := readFences(o.Geofences)
	if err != nil {
		return fmt.Errorf("replay: geofences: %w", err)
	}
	out := bufio.NewWriter(o.Out)
	r := &run{
		o: o, out: out,
		tracker: geofence.NewTracker(geofence.NewIndex(fences), geofence.Options{Preset: o.Preset}),
		gate:    telemetry.NewGate(telemetry.GateOptions{}),
	}
	return errors.Join(r.lines(ctx), out.Flush())
}

// run is a replay under way.
type run struct {
	o       Options
	out     *bufio.Writer
	tracker *geofence.Tracker
	gate    *telemetry.Gate

	line      int   // the last line read
	clock     int64 // Unix milliseconds, the arrival clock
	fixes     []telemetry.Fix
	crossings []geofence.Crossing
	members   []geofence.Member
	buf       []byte
}

// lines takes every line of the input.
func (r *run) lines(ctx context.Context) error {
	in := bufio.NewScanner(r.o.In)
	in.Buffer(make([]byte, 0, 64<<10), MaxLine)
	for in.Scan() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := r.take(in.Bytes()); err != nil {
			return err
		}
		if r.o.Progress != nil {
			r.o.Progress(r.line)
		}
	}
	if err := in.Err(); err != nil {
		return &LineError{Line: r.line + 1, Err: err}
	}
	return r.advance(r.clock + grace.Milliseconds())
}

// take takes one line.
func (r *run) take(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		r.line++
		return nil
	}
	in, err := parseLine(text)
	if err != nil {
		return &LineError{Line: r.line + 1, Err: err}
	}
	if err := r.advance(in.received.UnixMilli() - 1); err != nil {
		return err
	}
	r.line++
	r.clock = max(r.clock, in.received.UnixMilli())
	r.fixes, err = in.decode(r.o.Decoder, r.fixes[:0])
	for _, refusal := range telemetry.Refusals(err) {
		r.refuse(refusal)
	}
	for i := range r.fixes {
		if err := r.evaluate(&r.fixes[i]); err != nil {
			return err
		}
	}
	return nil
}

// evaluate is the way of one fix, as in the pipeline.
func (r *run) evaluate(f *telemetry.Fix) error {
	switch verdict, reason := r.gate.Admit(f); verdict {
	case telemetry.Duplicate:
		return nil
	case telemetry.Implausible:
		r.refuse(telemetry.Refuse(reason, "", "a fix of %s", f.Time.UTC().Format(time.RFC3339)))
		return nil
	}
	r.crossings = r.tracker.Observe(r.crossings[:0], pipeline.EngineFix(r.tracker, f))
	return r.write(f.Received.UnixMilli())
}

// advance fires the timers due by now, each at its own moment.
func (r *run) advance(now int64) error {
	for {
		due, ok := r.tracker.Next()
		if !ok || due > now {
			return nil
		}
		r.clock = max(r.clock, due)
		r.crossings = r.tracker.Advance(r.crossings[:0], due)
		if err := r.write(r.clock); err != nil {
			return err
		}
	}
}

// write writes the crossings just decided.
func (r *run) write(now int64) error {
	r.members = r.tracker.Changed(r.members[:0])
	for i := range r.crossings {
		r.buf = appendCrossing(r.buf[:0], r.tracker, &r.crossings[i], r.line, now)
		if _, err := r.out.Write(r.buf); err != nil {
			return fmt.Errorf("replay: write: %w", err)
		}
	}
	return nil
}

func (r *run) refuse(err error) {
	if r.o.Refused != nil {
		r.o.Refused(r.line, err)
	}
}
