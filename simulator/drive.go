package simulator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// DriveOptions say how [Drive] runs a fleet.
type DriveOptions struct {
	Seed      uint64 // of the city and of the fleet
	Fleet     FleetOptions
	Publisher PublisherOptions
	Progress  io.Writer     // gets a line now and then; nil: none
	OnStats   func(Stats)   // is told now and then, and at the end; nil: nobody is
	Every     time.Duration // between two lines, default 1 s
}

// Summary is what a drive came to.
type Summary struct {
	Stats Stats
	Truth []Crossing
	Took  time.Duration
}

// Drive publishes a fleet to its end, or until ctx ends: then it makes no more fixes, and waits for a few
// seconds for what is unacknowledged. The summary is good even beside an error.
func Drive(ctx context.Context, o DriveOptions) (Summary, error) {
	o.Fleet.Seed = o.Seed
	o.Publisher.Remember = cmp.Or(o.Publisher.Remember, 1) // nobody asks for moments here
	fleet := NewFleet(NewCity(o.Seed), o.Fleet)
	p, err := NewPublisher(fleet, o.Publisher)
	if err != nil {
		return Summary{}, err
	}
	began := p.options.Now()
	err = drive(ctx, p, o)
	if o.OnStats != nil {
		o.OnStats(p.Stats())
	}
	return Summary{Stats: p.Stats(), Truth: p.Truth(), Took: p.options.Now().Sub(began)}, err
}

// drainTime is how long an interrupted drive waits for its last acknowledgements.
const drainTime = 5 * time.Second

var errDrain = errors.New("simulator: the broker did not acknowledge everything in time")

func drive(ctx context.Context, p *Publisher, o DriveOptions) error {
	running, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	ran := make(chan error, 1)
	go func() { ran <- p.Run(running) }()
	every := o.Every
	if every <= 0 {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	interrupted := ctx.Done()
	for {
		select {
		case err := <-ran:
			return err
		case <-interrupted:
			interrupted = nil
			p.Halt()
			stop := time.AfterFunc(drainTime, func() { cancel(errDrain) })
			defer stop.Stop()
		case <-ticker.C:
			if o.Progress != nil {
				fmt.Fprintln(o.Progress, progress(p))
			}
			if o.OnStats != nil {
				o.OnStats(p.Stats())
			}
		}
	}
}

// progress is one line about a publisher.
func progress(p *Publisher) string {
	s := p.Stats()
	line := fmt.Sprintf("%s  %d fixes, %d acknowledged, %d of %d connections, %d crossings",
		s.Newest.UTC().Format(time.TimeOnly), s.Published, s.Acknowledged, s.Connected, len(p.links), len(p.Truth()))
	if s.Repeated > 0 {
		line += fmt.Sprintf(", %d repeated", s.Repeated)
	}
	return line
}

// String sums the drive up in a few lines.
func (s Summary) String() string {
	enter, exit, open, late, unseen := 0, 0, 0, 0, 0
	for _, c := range s.Truth {
		switch c.During {
		case inGap:
			late++
		case inTunnel:
			unseen++
		}
		switch {
		case c.Unsettled:
			open++
		case c.Kind == Enter:
			enter++
		default:
			exit++
		}
	}
	rate := float64(s.Stats.Acknowledged) / max(s.Took.Seconds(), 1e-3)
	faults := ""
	if late+unseen > 0 {
		faults = fmt.Sprintf("faults     %d crossings in gaps, %d in tunnels\n", late, unseen)
	}
	return fmt.Sprintf("fixes      %d published, %d acknowledged, %d repeated, %.0f/s\n", s.Stats.Published, s.Stats.Acknowledged, s.Stats.Repeated, rate) +
		fmt.Sprintf("crossings  %d enter, %d exit; %d more too late to be sure of\n", enter, exit, open) + faults
}

// WriteTruth writes crossings as JSON, one a line.
func WriteTruth(w io.Writer, truth []Crossing) error {
	enc := json.NewEncoder(w)
	for _, c := range truth {
		if err := enc.Encode(c); err != nil {
			return fmt.Errorf("simulator: write truth: %w", err)
		}
	}
	return nil
}
