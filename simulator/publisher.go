package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"outrider/telemetry"
)

// PublisherOptions say how a fleet is published. Only URL is required.
type PublisherOptions struct {
	URL      string // of the broker: tcp://host:port, ssl://, ws://
	Username string
	Password string
	ClientID string // prefix; default "simulator"
	Format   Format // default Native

	// Connections is how many MQTT connections share the vehicles; default 1, negative: one for each vehicle.
	Connections int

	// InFlight is how many messages a connection may have unacknowledged; default 100.
	InFlight int

	// Speed is how many seconds of the fleet's time pass in one second; default 1. At speed 1 a fleet that
	// starts within a minute of now is published at the fixes' own times. Unpaced publishes as fast as the
	// broker acknowledges.
	Speed   float64
	Unpaced bool

	// Duration is how long the fleet drives, in its own time; 0: until Halt. A vehicle drives on a little,
	// until it has crossed nothing for Settle and will cross nothing for as long (default 10 s), so that
	// nobody can be in doubt about its last crossing.
	Duration time.Duration
	Settle   time.Duration

	// Faults are what goes wrong on the way; they are of the fleet's seed.
	Faults Faults

	// RetryMax is the longest pause between two tries to connect; default 1 s.
	RetryMax time.Duration

	// Remember is for how many of its newest fixes a vehicle's publisher knows when they were published;
	// default 4096.
	Remember int

	Now    func() time.Time // wall clock, default time.Now
	Logger *slog.Logger     // default: discards
}

func (o PublisherOptions) withDefaults(vehicles int) PublisherOptions {
	o.ClientID = cmp.Or(o.ClientID, "simulator")
	o.Format = cmp.Or(o.Format, Native)
	o.InFlight = cmp.Or(o.InFlight, 100)
	o.Speed = cmp.Or(o.Speed, 1)
	o.Settle = cmp.Or(o.Settle, 10*time.Second)
	o.RetryMax = cmp.Or(o.RetryMax, time.Second)
	o.Remember = cmp.Or(o.Remember, 4096)
	o.Connections = cmp.Or(o.Connections, 1)
	if o.Connections < 0 || o.Connections > vehicles {
		o.Connections = vehicles
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Publisher publishes a fleet over MQTT at QoS 1 and loses nothing: what was not acknowledged is published
// again on the next connection, in order for each vehicle, and fixes that fall into an outage follow after
// it. It is safe for many goroutines.
type Publisher struct {
	fleet   *Fleet
	options PublisherOptions
	links   []*link
	halted  chan struct{} // closed by Halt
	halt    func()
	done    chan struct{} // closed when Run has returned
	started sync.Once
}

// ErrAlreadyRun says that a publisher was run twice.
var ErrAlreadyRun = errors.New("simulator: a publisher runs once")

// errLost says that a connection ended.
var errLost = errors.New("simulator: connection lost")

// NewPublisher returns a publisher that has not begun.
func NewPublisher(fleet *Fleet, o PublisherOptions) (*Publisher, error) {
	o = o.withDefaults(fleet.Len())
	if o.URL == "" {
		return nil, errors.New("simulator: the broker's URL is missing")
	}
	if o.Speed < 0 {
		return nil, fmt.Errorf("simulator: speed %g is negative", o.Speed)
	}
	if err := errors.Join(o.Format.check(fleet), o.Faults.check()); err != nil {
		return nil, err
	}
	p := &Publisher{fleet: fleet, options: o, halted: make(chan struct{}), done: make(chan struct{})}
	p.halt = sync.OnceFunc(func() { close(p.halted) })
	for i := range o.Connections {
		p.links = append(p.links, newLink(p, i))
	}
	return p, nil
}

// Run publishes until the fleet has driven its Duration or Halt was called, and everything is acknowledged:
// then it returns nil. When ctx ends before, it returns the cause.
func (p *Publisher) Run(ctx context.Context) error {
	first := false
	p.started.Do(func() { first = true })
	if !first {
		return ErrAlreadyRun
	}
	defer close(p.done)
	pace := newPace(p.options, p.fleet.Start())
	var wg sync.WaitGroup
	for _, l := range p.links {
		wg.Go(func() { l.run(ctx, pace) })
	}
	wg.Wait()
	for _, l := range p.links {
		if !l.finished() {
			return context.Cause(ctx)
		}
	}
	return nil
}

// Halt ends the driving now: no fix is made after it. Run returns when everything is acknowledged.
func (p *Publisher) Halt() { p.halt() }

// Drain halts, and waits until Run has returned.
func (p *Publisher) Drain(ctx context.Context) error {
	p.Halt()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stats are a publisher's counts.
type Stats struct {
	Published    int       // fixes published at least once
	Acknowledged int       // of them
	Repeated     int       // publications of a fix that had been published before
	Connects     int       // connections made
	Connected    int       // connections up
	Newest       time.Time // fix time of the newest published fix
}

// Stats returns the counts until now.
func (p *Publisher) Stats() Stats {
	var sum Stats
	for _, l := range p.links {
		s := l.counts()
		sum.Published += s.Published
		sum.Acknowledged += s.Acknowledged
		sum.Repeated += s.Repeated
		sum.Connects += s.Connects
		sum.Connected += s.Connected
		if s.Newest.After(sum.Newest) {
			sum.Newest = s.Newest
		}
	}
	return sum
}

// Truth lists the crossings of what was published, in order of time. A crossing after which less than Settle
// was acknowledged is marked as unsettled.
func (p *Publisher) Truth() []Crossing {
	until := func(number int) time.Time { return p.link(number).record(number).published }
	settled := func(number int) time.Time { return p.link(number).record(number).acknowledged.Add(-p.options.Settle) }
	all := p.fleet.truth(until, settled)
	for i := range all {
		number, _ := p.fleet.number(all[i].Vehicle)
		all[i].During = p.options.Faults.during(p.fleet.options.Seed, number, all[i].Time.Sub(p.fleet.Start())).kind
	}
	return all
}

// Published returns when a vehicle's fix was first published, by the wall clock.
func (p *Publisher) Published(vehicle telemetry.VehicleID, fix time.Time) (time.Time, bool) {
	number, ok := p.fleet.number(vehicle)
	if !ok {
		return time.Time{}, false
	}
	return p.link(number).published(number, fix)
}

// LastPublished returns the newest of a vehicle's fixes that was published by a moment of the wall clock, and
// when: what the gateway knew of the vehicle then.
func (p *Publisher) LastPublished(vehicle telemetry.VehicleID, by time.Time) (fix, wall time.Time, ok bool) {
	number, ok := p.fleet.number(vehicle)
	if !ok {
		return fix, wall, false
	}
	return p.link(number).lastPublished(number, by)
}

// link returns the link of a vehicle.
func (p *Publisher) link(number int) *link { return p.links[number%len(p.links)] }
