package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"outrider/telemetry"
)

// ClientOptions say which broker a client reads from, and what. URL, ClientID, Topics and Sink are required.
type ClientOptions struct {
	// URL is the broker: tcp://, mqtt://, ssl://, tls://, mqtts://, ws:// or wss://, with host and port. User name
	// and password do not belong in it.
	URL      string
	Username string
	Password func() string // asked at every connect; nil: none
	// TLS is for the schemes with TLS. nil: the system's certificates.
	TLS *tls.Config

	// ClientID names the session that the broker keeps. It has to stay the same over restarts, and no two clients
	// may share one.
	ClientID string
	// Topics are the filters to subscribe to, with QoS 1.
	Topics []string
	// Connections is over how many connections the filters are divided, no more than there are filters. Each has a session of
	// its own, whose id is ClientID with a number behind it, but for the first. With more than one, no topic may match two
	// filters. With Share there may be more connections than filters: each then reads all of them. 0: 1.
	Connections int
	// Share is the group of a shared subscription, with which several clients divide the messages. "": none. The
	// broker then gives no order between the messages of a vehicle.
	Share string

	// Forget asks the broker to keep nothing while the client is away, for one who only looks on.
	Forget bool

	// Sink takes the messages.
	Sink telemetry.Sink

	// MaxWaiting is how many messages of a connection may be read and not yet accepted; beyond, no more are read. 0: 10,000.
	MaxWaiting int
	// ConnectTimeout is how long connecting, and then subscribing, may take. 0: 10 s.
	ConnectTimeout time.Duration
	// KeepAlive is the time between pings, in whole seconds. 0: 30 s.
	KeepAlive time.Duration
	// RetryMin and RetryMax bound the pause before connecting, or handing over a batch, is tried again: it begins
	// at RetryMin and grows to RetryMax. 0: 100 ms and 15 s.
	RetryMin, RetryMax time.Duration

	// Logger is told when the broker comes and goes. nil: nothing is logged.
	Logger *slog.Logger
	// Registerer takes the metrics. nil: they are counted and shown nowhere.
	Registerer prometheus.Registerer
	// Now is the clock that stamps messages. nil: [time.Now].
	Now func() time.Time
}

func (o *ClientOptions) complete() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil: // which may repeat a password
		return errors.New("mqtt: mqtt.url is no address such as tcp://broker:1883")
	case u.User != nil:
		return errors.New("mqtt: mqtt.url holds a user name: use mqtt.username and mqtt.password")
	case !slices.Contains(schemes(), u.Scheme) || u.Host == "":
		return fmt.Errorf("mqtt: mqtt.url %q is no address such as tcp://broker:1883; known schemes are %v", o.URL, schemes())
	case o.ClientID == "":
		return errors.New("mqtt: client without mqtt.client_id: the broker could not keep its session")
	case len(o.Topics) == 0:
		return errors.New("mqtt: client without mqtt.topics")
	case o.Sink == nil:
		return errors.New("mqtt: client without a sink")
	}
	setDefault(&o.Connections, 1)
	if err := o.checkParts(); err != nil {
		return err
	}
	setDefault(&o.MaxWaiting, 10_000)
	setDefault(&o.ConnectTimeout, 10*time.Second)
	setDefault(&o.KeepAlive, 30*time.Second)
	setDefault(&o.RetryMin, 100*time.Millisecond)
	setDefault(&o.RetryMax, 15*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// pauses are the growing pauses between tries.
func (o *ClientOptions) pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = o.RetryMin, o.RetryMax, 2
	b.Reset()
	return b
}

// Client reads from a broker that someone else runs, in a session that the broker keeps while the client is away:
// what is published with QoS 1 in the meantime comes afterwards. How much it keeps is the broker's setting
// (max_queued_messages in mosquitto, 1000 unless set).
//
// A message is acknowledged after Sink.Accept returned nil. A batch that is not accepted is tried again, with
// growing pauses, until it is or the client stops: the messages behind it wait, and when the broker's window of
// unacknowledged messages is full it sends no more. What is not acknowledged when the connection ends comes again
// with the next one, so a sink has to bear repetitions.
//
// It is safe for many goroutines.
type Client struct {
	o         ClientOptions
	metrics   *clientMetrics
	parts     []part
	connected atomic.Int32 // connections that are subscribed

	stopping context.Context // ends with the first Stop: nothing new is begun
	stop     context.CancelFunc
	ctx      context.Context // of every Accept; ends when Stop runs out of time
	cancel   context.CancelFunc
	start    sync.Once
	running  sync.WaitGroup
}

// NewClient returns a client that does not connect yet.
func NewClient(o ClientOptions) (*Client, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c := &Client{o: o, metrics: newClientMetrics(o.Registerer), parts: o.parts()}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.stopping, c.stop = context.WithCancel(c.ctx)
	return c, nil
}

// Start begins to connect and returns; [Client.Connected] says when that has succeeded. While the broker cannot be
// reached, it is tried again and again. A second Start does nothing.
func (c *Client) Start(context.Context) error {
	if c.stopping.Err() != nil {
		return ErrStopped
	}
	c.start.Do(func() {
		for i := range c.parts {
			c.running.Go(func() { c.run(&c.parts[i]) })
		}
	})
	return nil
}

// Connected reports whether every connection is there and the broker has granted its subscriptions.
func (c *Client) Connected() bool { return int(c.connected.Load()) == len(c.parts) }

// Stop finishes the batch that is being accepted, acknowledges it and disconnects; the broker keeps the session.
// When ctx ends before, the batch stays unacknowledged. It may be called more than once, and before Start.
func (c *Client) Stop(ctx context.Context) error {
	c.stop()
	done := make(chan struct{})
	go func() {
		c.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		c.cancel()
		return nil
	case <-ctx.Done():
		c.cancel()
		return fmt.Errorf("mqtt: client did not stop in time: %w", context.Cause(ctx))
	}
}

// run keeps a connection for a part until the client stops.
func (c *Client) run(p *part) {
	pauses := c.o.pauses()
	for c.stopping.Err() == nil {
		s := newSession(c, p)
		err := s.run()
		if s.subscribed {
			pauses.Reset()
		}
		if c.stopping.Err() != nil {
			return
		}
		wait := pauses.NextBackOff()
		c.o.Logger.Warn("broker not connected, trying again", "broker", c.o.URL, "client", p.id, "cause", err, "wait", wait.Round(time.Millisecond))
		pause(c.stopping, wait)
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
