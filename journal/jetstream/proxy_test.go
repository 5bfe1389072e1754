package jetstream_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"outrider/internal/natstest"
	"outrider/journal/jetstream"
)

// proxy stands between a journal and its server.
type proxy struct {
	l    net.Listener
	deaf atomic.Bool // what the server says is dropped

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func startProxy(t *testing.T, to *natstest.Node) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l}
	t.Cleanup(func() { _ = l.Close(); p.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", to.Options.Port))
			if err != nil {
				_ = c.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, c, s)
			p.mu.Unlock()
			go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
			go func() { _, _ = io.Copy(answers{p, c}, s); _ = c.Close() }()
		}
	}()
	return p
}

// answers of the server, on their way to the journal.
type answers struct {
	p *proxy
	c net.Conn
}

func (a answers) Write(b []byte) (int, error) {
	if a.p.deaf.Load() {
		return len(b), nil
	}
	return a.c.Write(b)
}

// openBehindProxy opens a journal that reaches its server through a proxy.
func openBehindProxy(t *testing.T) (*natstest.Node, *proxy, *jetstream.Journal) {
	t.Helper()
	n := natstest.Start(t, nil)
	p := startProxy(t, n)
	o := options(n)
	o.URL = p.url
	return n, p, open(t, o)
}

func (p *proxy) url() string { return "nats://" + p.l.Addr().String() }

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// A batch whose confirmation was lost with the connection is sent again, and is not stored twice.
func TestARepeatedBatchIsStoredOnce(t *testing.T) {
	t.Parallel()
	n, p, j := openBehindProxy(t)
	put(t, j, 0, 1)
	p.deaf.Store(true)
	appended := make(chan struct{})
	go func() { put(t, j, 1, 2); close(appended) }()
	stream, err := admin(t, n).Stream(t.Context(), fmt.Sprint("outrider-journal-", partition()))
	if err != nil {
		t.Fatal(err)
	}
	stored := func() uint64 {
		info, err := stream.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.State.LastSeq
	}
	eventually(t, "the batch is stored", func() bool { return stored() == 2 })
	select {
	case <-appended:
		t.Fatal("it was confirmed without an answer")
	default:
	}
	p.cut()
	p.deaf.Store(false)
	<-appended
	put(t, j, 2, 3)
	if got := stored(); got != 3 {
		t.Errorf("%d messages, want 3", got)
	}
	if got := numbers(t, j, 0, 3); !slices.Equal(got, upTo(3)) {
		t.Errorf("read %v", got)
	}
}

// A reader whose connection breaks goes on behind what it has read.
func TestAReaderOutlivesItsConnection(t *testing.T) {
	t.Parallel()
	n, p, j := openBehindProxy(t)
	writer := open(t, options(n))
	put(t, writer, 0, 50)
	read := make(chan []int)
	go func() { read <- numbers(t, j, 0, 200) }()
	for i := range 3 {
		p.cut()
		put(t, writer, 50*(i+1), 50*(i+2))
	}
	if got := <-read; !slices.Equal(got, upTo(200)) {
		t.Errorf("read %v", got)
	}
}
