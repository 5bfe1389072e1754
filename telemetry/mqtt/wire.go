package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// schemes are the broker addresses that can be dialled.
func schemes() []string {
	return []string{"tcp", "mqtt", "ssl", "tls", "mqtts", "ws", "wss"}
}

// dial opens a connection to a broker.
func dial(ctx context.Context, u *url.URL, o *paho.ClientOptions) (net.Conn, error) {
	switch u.Scheme {
	case "tcp", "mqtt":
		return new(net.Dialer).DialContext(ctx, "tcp", withPort(u, "1883"))
	case "ssl", "tls", "mqtts":
		return (&tls.Dialer{Config: o.TLSConfig}).DialContext(ctx, "tcp", withPort(u, "8883"))
	case "ws", "wss":
		return paho.NewWebsocket(u.String(), o.TLSConfig, o.ConnectTimeout, o.HTTPHeaders, nil)
	}
	return nil, fmt.Errorf("mqtt: no way to dial %q", u.Scheme)
}

func withPort(u *url.URL, port string) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), port)
}

const (
	wireRead  = 64 << 10    // bytes read at once
	wireQueue = 64 << 10    // bytes that may wait to be written
	wireClose = time.Second // how long closing waits for them
)

// wire is a connection that reads ahead and writes together what was written one by one.
//
// PERF: paho reads packet headers byte by byte and writes every acknowledgement alone; as system calls these take
// more than half of its time, and this four times the messages at QoS 1.
type wire struct {
	net.Conn
	in *bufio.Reader // owned by the one who reads

	mu     sync.Mutex // guards what follows
	moved  *sync.Cond
	out    []byte
	err    error
	closed bool
	done   chan struct{} // closed by flush when it returns
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, in: bufio.NewReaderSize(c, wireRead), done: make(chan struct{})}
	w.moved = sync.NewCond(&w.mu)
	go w.flush()
	return w
}

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) { return w.in.Read(b) }

// Write implements net.Conn. It returns when b is in the queue; that it could not be written, a later call says.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.out) >= wireQueue && w.err == nil && !w.closed {
		w.moved.Wait()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.closed:
		return 0, net.ErrClosed
	}
	w.out = append(w.out, b...)
	w.moved.Broadcast()
	return len(b), nil
}

// flush writes what is queued until the wire is closed and the queue empty, or a write fails.
func (w *wire) flush() {
	defer close(w.done)
	var batch []byte
	for {
		w.mu.Lock()
		for len(w.out) == 0 && !w.closed {
			w.moved.Wait()
		}
		if len(w.out) == 0 {
			w.mu.Unlock()
			return
		}
		batch, w.out = w.out, batch[:0]
		w.moved.Broadcast()
		w.mu.Unlock()

		if _, err := w.Conn.Write(batch); err != nil {
			w.mu.Lock()
			w.err = err
			w.moved.Broadcast()
			w.mu.Unlock()
			return
		}
	}
}

// SetDeadline implements net.Conn, for reading.
func (w *wire) SetDeadline(t time.Time) error { return w.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn. It does nothing: what is written is only queued.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Close implements net.Conn: it writes what is queued, for up to wireClose, and closes.
func (w *wire) Close() error {
	w.mu.Lock()
	w.closed = true
	w.moved.Broadcast()
	w.mu.Unlock()
	timeout := time.NewTimer(wireClose)
	defer timeout.Stop()
	select {
	case <-w.done:
	case <-timeout.C: // closing ends the write that hangs
	}
	err := w.Conn.Close()
	<-w.done
	return err
}
