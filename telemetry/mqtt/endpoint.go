package mqtt

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/telemetry"
)

// EndpointOptions say where an endpoint listens and whom it lets in. Listen and Sink are required.
type EndpointOptions struct {
	// Listen is the TCP address, host:port. Port 0 takes a free one. Without a user name it has to be a loopback
	// address.
	Listen string
	// Sink takes the messages. If it is also a [telemetry.Refuser], it is told of packets too large to read.
	Sink telemetry.Sink

	// Username and Password, when set, are what every device has to present. A nil Password means none.
	Username string
	Password func() string

	// MaxPacket is the longest packet that is read, in bytes behind its header. 0: 1 MiB.
	MaxPacket int
	// MaxConnections is how many devices may be connected at once. 0: 20,000.
	MaxConnections int
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
	host, _, err := net.SplitHostPort(o.Listen)
	switch {
	case err != nil:
		return fmt.Errorf("mqtt: mqtt.listen %q is no address such as 127.0.0.1:1883: %w", o.Listen, err)
	case o.Sink == nil:
		return errors.New("mqtt: endpoint without a sink")
	case o.Username == "" && !isLoopback(host):
		return fmt.Errorf("mqtt: mqtt.listen %s is open to other machines and no user name is set: listen on 127.0.0.1 or set a user name and password", o.Listen)
	}
	setDefault(&o.MaxPacket, 1<<20)
	setDefault(&o.MaxConnections, 20_000)
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

	mu       sync.Mutex // guards what follows
	listener net.Listener
	stopped  bool
	conns    map[*conn]struct{}
	sessions map[string]*conn // by client id
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
		conns: map[*conn]struct{}{}, sessions: map[string]*conn{},
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
	if e.listener != nil {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", e.o.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("mqtt: %s is taken by another program: choose another address with mqtt.listen, such as 127.0.0.1:1884: %w", e.o.Listen, err)
	case err != nil:
		return fmt.Errorf("mqtt: listen on %s (mqtt.listen): %w", e.o.Listen, err)
	}
	e.listener = l
	e.running.Go(func() { e.accept(l) })
	return nil
}

// Addr is where the endpoint listens, nil before Start.
func (e *Endpoint) Addr() net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener == nil {
		return nil
	}
	return e.listener.Addr()
}

// Stop lets nobody in any more, has every connection finish the batch it is at, acknowledgements included, and
// closes them. When ctx ends before, it gives up on the batches, which then stay unacknowledged. It may be called
// more than once, and before Start.
func (e *Endpoint) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	if e.listener != nil {
		_ = e.listener.Close()
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
func (e *Endpoint) accept(l net.Listener) {
	for {
		n, err := l.Accept()
		switch {
		case err == nil:
			e.admit(n)
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
func (e *Endpoint) admit(n net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || len(e.conns) >= e.o.MaxConnections {
		_ = n.Close()
		e.metrics.ended.WithLabelValues(string(endLimit)).Inc()
		return
	}
	c := &conn{endpoint: e, net: n, done: make(chan struct{})}
	e.conns[c] = struct{}{}
	e.metrics.connections.Inc()
	e.running.Go(c.serve)
}

// forget drops a connection that has ended.
func (e *Endpoint) forget(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
	if e.sessions[c.id] == c {
		delete(e.sessions, c.id)
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
		older := e.sessions[id]
		if older == nil {
			c.id, e.sessions[id] = id, c
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

// authenticate checks what a device presents.
func (e *Endpoint) authenticate(c *connect) *fault {
	if e.o.Username == "" {
		return nil
	}
	password := ""
	if e.o.Password != nil {
		password = e.o.Password()
	}
	right := subtle.ConstantTimeCompare(c.username, []byte(e.o.Username)) & subtle.ConstantTimeCompare(c.password, []byte(password))
	if !c.named || right != 1 {
		return faultf(endDenied, "wrong user name or password")
	}
	return nil
}

// ownID is a client id for a device that leaves it to us.
func (e *Endpoint) ownID() string { return "outrider-auto-" + strconv.FormatUint(e.serial.Add(1), 10) }
