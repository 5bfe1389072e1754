package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"outrider/telemetry"
)

// EndpointOptions say where an endpoint listens and whom it lets in. Sink is required, and one address to listen on.
type EndpointOptions struct {
	// Listen is the address, host:port, of MQTT over TCP. Port 0 takes a free one. On a loopback address devices need not
	// say who they are; without a Gatekeeper it has to be one.
	Listen string
	// ListenTLS is the address of MQTT over TLS, and ListenWS that of MQTT over WebSocket, with TLS if there is TLS.
	ListenTLS, ListenWS string
	// TLS has the certificates. With ClientCAs and a ClientAuth that verifies, certificates let devices in.
	TLS *tls.Config
	// Gatekeeper knows the devices. nil: nobody is known.
	Gatekeeper Gatekeeper
	// Sink takes the messages. If it is also a [telemetry.Refuser], it is told of packets too large to read.
	Sink telemetry.Sink

	// MaxPacket is the longest packet that is read, in bytes behind its header. 0: 1 MiB.
	MaxPacket int
	// MaxConnections is how many devices may be connected at once. 0: 20,000.
	MaxConnections int
	// ConnectRate is how many connections a second one address may open in the long run, and ten seconds' worth of them
	// at once; loopback addresses have no limit. 0: 50.
	ConnectRate int
	// ConnectTimeout is how long a new connection may take to say CONNECT. 0: 10 s.
	ConnectTimeout time.Duration
	// WriteTimeout is how long a device may leave acknowledgements unread. 0: 10 s.
	WriteTimeout time.Duration

	// Logger is told of connections that ended badly, and at debug level of all. nil: nothing is logged.
	Logger *slog.Logger
	// Registerer takes the metrics. nil: they are counted and shown nowhere.
	Registerer prometheus.Registerer
	// Now is the clock that stamps messages. nil: [time.Now].
	Now func() time.Time
}

func (o *EndpointOptions) complete() error {
	if o.Sink == nil {
		return errors.New("mqtt: endpoint without a sink")
	}
	doors := o.doors()
	if len(doors) == 0 {
		return errors.New("mqtt: endpoint without mqtt.listen, mqtt.tls_listen or mqtt.ws_listen")
	}
	for _, d := range doors {
		_, _, err := net.SplitHostPort(d.address)
		switch {
		case err != nil:
			return fmt.Errorf("mqtt: %s %q is no address such as 127.0.0.1:1883: %w", d.setting, d.address, err)
		case d.secure && o.TLS == nil:
			return fmt.Errorf("mqtt: %s needs a certificate: set mqtt.tls_cert and mqtt.tls_key", d.setting)
		case !d.open && o.Gatekeeper == nil:
			return fmt.Errorf("mqtt: %s %s is open to others and nobody knows the devices", d.setting, d.address)
		}
	}
	setDefault(&o.MaxPacket, 1<<20)
	setDefault(&o.MaxConnections, 20_000)
	setDefault(&o.ConnectRate, 50)
	setDefault(&o.ConnectTimeout, 10*time.Second)
	setDefault(&o.WriteTimeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

func setDefault[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Endpoint is an MQTT server that devices publish to. It is safe for many goroutines.
type Endpoint struct {
	o       EndpointOptions
	metrics *endpointMetrics
	refuser telemetry.Refuser // nil when the sink is none
	scratch sync.Pool         // of *turn
	serial  atomic.Uint64     // for client ids that devices leave to us
	running sync.WaitGroup    // the accept loop and every connection
	ctx     context.Context   // of every Accept; ends when Stop runs out of time
	cancel  context.CancelFunc

	doors  []*door
	knocks *knocks

	mu       sync.Mutex // guards what follows, and the doors' listeners
	started  bool
	stopped  bool
	conns    map[*conn]struct{}
	sessions map[sessionKey]*conn
	hearers  map[string]map[*conn]struct{} // by topic
	// dismissed are credentials that let nobody in any more; revoking is rare, and an id never comes again.
	dismissed map[string]struct{}
}

// sessionKey names a session: a client id is a device's own, and takes over nobody else's connection.
type sessionKey struct {
	device Device
	client string
}

// ErrStopped says that an endpoint or client was stopped and cannot be started again.
var ErrStopped = errors.New("mqtt: stopped")

// NewEndpoint returns an endpoint that does not listen yet.
func NewEndpoint(o EndpointOptions) (*Endpoint, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	e := &Endpoint{
		o: o, metrics: newEndpointMetrics(o.Registerer),
		doors: o.doors(), conns: map[*conn]struct{}{}, sessions: map[sessionKey]*conn{}, hearers: map[string]map[*conn]struct{}{}, dismissed: map[string]struct{}{},
		knocks: &knocks{rate: rate.Limit(o.ConnectRate), burst: 10 * o.ConnectRate, from: map[netip.Addr]*rate.Limiter{}},
	}
	e.refuser, _ = o.Sink.(telemetry.Refuser)
	e.scratch.New = func() any { return &turn{} }
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Start listens and returns. ctx bounds the start alone. A second Start does nothing.
func (e *Endpoint) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return ErrStopped
	}
	if e.started {
		return nil
	}
	for i, d := range e.doors {
		if err := d.listen(ctx, e); err != nil {
			for _, opened := range e.doors[:i] {
				_ = opened.listener.Close()
			}
			return err
		}
	}
	e.started = true
	for _, d := range e.doors {
		e.running.Go(func() { e.open(d) })
	}
	return nil
}

// open lets devices in by a door until its listener is closed.
func (e *Endpoint) open(d *door) {
	if d.ws {
		e.webSockets(d)
		return
	}
	e.accept(d)
}

// Addr is where the endpoint listens for MQTT over TCP, nil before Start and if it does not; AddrTLS and AddrWS are the
// same for the other ways.
func (e *Endpoint) Addr() net.Addr { return e.addr("mqtt.listen") }

// AddrTLS is explained with [Endpoint.Addr].
func (e *Endpoint) AddrTLS() net.Addr { return e.addr("mqtt.tls_listen") }

// AddrWS is explained with [Endpoint.Addr].
func (e *Endpoint) AddrWS() net.Addr { return e.addr("mqtt.ws_listen") }

func (e *Endpoint) addr(setting string) net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.doors {
		if e.started && d.setting == setting {
			return d.listener.Addr()
		}
	}
	return nil
}

// Stop lets nobody in any more, has every connection finish the batch it is at, acknowledgements included, and
// closes them. When ctx ends before, it gives up on the batches, which then stay unacknowledged. It may be called
// more than once, and before Start.
func (e *Endpoint) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	if e.started {
		for _, d := range e.doors {
			_ = d.listener.Close()
		}
	}
	for c := range e.conns {
		c.end(endStopped)
	}
	e.mu.Unlock()

	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		e.cancel()
		return nil
	case <-ctx.Done():
		e.cancel()
		e.closeAll()
		return fmt.Errorf("mqtt: endpoint did not stop in time: %w", context.Cause(ctx))
	}
}

func (e *Endpoint) closeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.conns {
		_ = c.net.Close()
	}
}

// accept takes connections until the listener is closed. When it cannot, for want of file descriptors say, it
// tries again.
func (e *Endpoint) accept(d *door) {
	for {
		n, err := d.listener.Accept()
		switch {
		case err == nil:
			e.admit(n, d)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			e.o.Logger.Warn("no connection accepted, trying again", "cause", err)
			select {
			case <-e.ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// admit starts serving a connection, if there is room.
func (e *Endpoint) admit(n net.Conn, d *door) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || len(e.conns) >= e.o.MaxConnections {
		_ = n.Close()
		e.metrics.ended.WithLabelValues(string(endLimit)).Inc()
		return
	}
	c := &conn{endpoint: e, door: d, net: n, done: make(chan struct{})}
	e.conns[c] = struct{}{}
	e.metrics.connections.Inc()
	e.running.Go(c.serve)
}

// forget drops a connection that has ended.
func (e *Endpoint) forget(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
	for topic := range c.hears {
		e.unhearLocked(c, topic)
	}
	if key := (sessionKey{c.device, c.id}); e.sessions[key] == c {
		delete(e.sessions, key)
	}
	e.metrics.connections.Dec()
	close(c.done)
}

// claim gives c its client id. An older connection of that id ends first, so that the messages of a device never
// come from two connections at once.
func (e *Endpoint) claim(c *conn, id string) *fault {
	timeout := time.NewTimer(e.o.ConnectTimeout)
	defer timeout.Stop()
	for {
		e.mu.Lock()
		if _, gone := e.dismissed[c.device.Credential]; gone {
			e.mu.Unlock()
			return faultf(endRevoked, "the credential was revoked while it signed in")
		}
		older := e.sessions[sessionKey{c.device, id}]
		if older == nil {
			c.id, e.sessions[sessionKey{c.device, id}] = id, c
			e.mu.Unlock()
			return nil
		}
		e.mu.Unlock()
		older.end(endTakenOver)
		select {
		case <-older.done:
		case <-e.ctx.Done():
			return faultf(endStopped, "the endpoint stops")
		case <-timeout.C:
			return faultf(endTakenOver, "the older connection of %q does not end", id)
		}
	}
}

// Dismiss ends the connections of devices that signed in with a credential, and of those that are just signing in, after
// the Gatekeeper has forgotten it. The credential must not come again.
func (e *Endpoint) Dismiss(credential string) {
	if credential == "" {
		return // of nobody
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dismissed[credential] = struct{}{}
	for key, c := range e.sessions {
		if key.device.Credential == credential {
			c.end(endRevoked)
		}
	}
}

// ownID is a client id for a device that leaves it to us.
func (e *Endpoint) ownID() string { return "outrider-auto-" + strconv.FormatUint(e.serial.Add(1), 10) }
