package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connect reaches a server. While the journal is open, a connection that broke is made anew for ever.
func (j *Journal) connect(ctx context.Context) error {
	options := []nats.Option{
		nats.Name("outrider"), nats.Timeout(requestWithin), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // a batch that cannot be sent now is tried again by its writer, not kept behind its back
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { j.disconnected(err) }),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			j.o.Logger.Info("connected to NATS again", "server", nc.ConnectedUrlRedacted())
			j.link.up()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { j.o.Logger.Warn("NATS says", "cause", err) }),
	}
	if j.o.TLS != nil {
		options = append(options, nats.Secure(j.o.TLS))
	}
	if j.o.Credentials != "" {
		options = append(options, nats.UserCredentials(j.o.Credentials))
	}
	j.link.up()
	var wait backoff
	for {
		nc, err := nats.Connect(j.o.URL(), options...)
		if err == nil {
			j.nc = nc
			break
		}
		if !sleep(ctx, wait.next()) {
			return fmt.Errorf("journal: connect to nats.url: %w", err)
		}
	}
	if err := j.newEnough(); err != nil {
		return err
	}
	var err error
	if j.js, err = jetstream.New(j.nc, jetstream.WithDefaultTimeout(requestWithin)); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.o.Logger.Info("connected to NATS", "server", j.nc.ConnectedUrlRedacted(), "version", j.nc.ConnectedServerVersion())
	return nil
}

// newEnough refuses a server that knows nothing of a stream's metadata.
func (j *Journal) newEnough() error {
	var major, minor int
	version := j.nc.ConnectedServerVersion()
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major < 2 || major == 2 && minor < 10 {
		return fmt.Errorf("journal: nats-server %s: expected 2.10 or newer", version)
	}
	return nil
}

func (j *Journal) disconnected(err error) {
	if j.closing.Err() == nil {
		j.o.Logger.Warn("the connection to NATS broke", "cause", err)
	}
	j.link.down()
}

// link is the connection as those see it who wait for an answer: what they wait for ends when it breaks.
type link struct {
	mu     sync.Mutex // guards what follows
	ctx    context.Context
	cancel context.CancelCauseFunc
}

var errBroke = errors.New("the connection to NATS broke")

func (l *link) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
}

func (l *link) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel(errBroke)
}

// over returns a context that ends with ctx, with the connection, or after a time.
func (l *link) over(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	l.mu.Lock()
	broken := l.ctx
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, within)
	stop := context.AfterFunc(broken, cancel)
	return ctx, func() { stop(); cancel() }
}
