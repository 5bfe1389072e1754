package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// door is one address at which devices come in.
type door struct {
	setting  string // that names the address
	address  string
	open     bool // lets in devices that do not say who they are
	secure   bool // TLS
	ws       bool // MQTT over WebSocket
	listener net.Listener
}

// doors are the addresses of the options.
//
// SAFETY: only the plain one on a loopback address is open. A WebSocket may be reached from elsewhere in spite of its
// address, through a reverse proxy or by a web page in a browser on this machine.
func (o *EndpointOptions) doors() []*door {
	var all []*door
	if o.Listen != "" {
		host, _, _ := net.SplitHostPort(o.Listen)
		all = append(all, &door{setting: "mqtt.listen", address: o.Listen, open: isLoopback(host)})
	}
	if o.ListenTLS != "" {
		all = append(all, &door{setting: "mqtt.tls_listen", address: o.ListenTLS, secure: true})
	}
	if o.ListenWS != "" {
		all = append(all, &door{setting: "mqtt.ws_listen", address: o.ListenWS, ws: true, secure: o.TLS != nil})
	}
	return all
}

// listen opens the door.
func (d *door) listen(ctx context.Context, e *Endpoint) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", d.address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("mqtt: %s is taken by another program: choose another address with %s, such as 127.0.0.1:1884: %w", d.address, d.setting, err)
	case err != nil:
		return fmt.Errorf("mqtt: listen on %s (%s): %w", d.address, d.setting, err)
	}
	l = guarded{l, e}
	if d.secure {
		l = tls.NewListener(l, e.o.TLS)
	}
	d.listener = l
	return nil
}

// certificate is what the device proved to have; nil: nothing.
func (d *door) certificate(c net.Conn) *x509.Certificate {
	proven, ok := c.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return nil
	}
	if chains := proven.ConnectionState().VerifiedChains; len(chains) > 0 {
		return chains[0][0]
	}
	return nil
}

// guarded is a listener that turns away whoever comes too often, before anything of theirs is read.
type guarded struct {
	net.Listener
	endpoint *Endpoint
}

// Accept implements net.Listener.
func (g guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil || g.endpoint.knocks.allow(c.RemoteAddr()) {
			return c, err
		}
		_ = c.Close()
		g.endpoint.metrics.ended.WithLabelValues(string(endRate)).Inc()
	}
}

// maxKnockers is how many addresses are remembered at once.
const maxKnockers = 20_000

// knocks limits how often an address connects. A flood from many addresses is the firewall's matter.
type knocks struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex // guards what follows
	from map[netip.Addr]*rate.Limiter
}

// allow reports whether another connection from there is fine. This machine may always.
func (k *knocks) allow(from net.Addr) bool {
	tcp, ok := from.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() {
		return true
	}
	return k.allowAddr(tcp.AddrPort().Addr().Unmap(), time.Now())
}

func (k *knocks) allowAddr(from netip.Addr, now time.Time) bool {
	if from.Is6() { // a household has at least a /64
		if p, err := from.Prefix(64); err == nil {
			from = p.Addr()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.from[from]
	if l == nil {
		if len(k.from) >= maxKnockers {
			k.forget(now)
		}
		l = rate.NewLimiter(k.rate, k.burst)
		k.from[from] = l
	}
	return l.AllowN(now, 1)
}

// forget drops addresses that were quiet for long enough to have their whole burst again, or else all. k.mu is held.
func (k *knocks) forget(now time.Time) {
	for from, l := range k.from {
		if l.TokensAt(now) >= float64(k.burst) {
			delete(k.from, from)
		}
	}
	if len(k.from) >= maxKnockers {
		clear(k.from)
	}
}
