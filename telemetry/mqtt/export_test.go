package mqtt

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"outrider/telemetry"
)

// Fed is what a connection made of the bytes that it was given.
type Fed struct {
	Messages []string // topic and payload
	Answers  []byte
}

// Feed gives bytes to a connected device's connection, without a network, and checks what holds whatever they are:
// it ends, every message lies within what was sent, and every packet's answer is a packet.
func Feed(t *testing.T, level byte, packets []byte) Fed {
	t.Helper()
	pipe := &feed{in: bytes.NewReader(packets)}
	s := feedTo(t, pipe, level, packets)
	return Fed{s.messages, pipe.out.Bytes()}
}

// FeedSocket is Feed over a socket, which is read past the net package, in pieces of that many bytes.
func FeedSocket(t *testing.T, level byte, packets []byte, piece int) Fed {
	t.Helper()
	far, near := socketPair(t)
	var working sync.WaitGroup
	working.Go(func() {
		for rest := packets; len(rest) > 0; {
			n := min(len(rest), piece)
			if _, err := far.Write(rest[:n]); err != nil {
				break // it was sent away
			}
			rest = rest[n:]
		}
		_ = far.CloseWrite()
	})
	var answers []byte
	working.Go(func() { answers, _ = io.ReadAll(far) })
	s := feedTo(t, near, level, packets)
	_ = near.Close()
	working.Wait()
	_ = far.Close()
	return Fed{s.messages, answers}
}

// feedTo is the life of a connection that has signed in already.
func feedTo(t *testing.T, n net.Conn, level byte, packets []byte) *feedSink {
	t.Helper()
	s := &feedSink{t: t, sent: packets}
	e, err := NewEndpoint(EndpointOptions{Listen: "127.0.0.1:0", Sink: s, MaxPacket: 4096})
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{endpoint: e, door: e.doors[0], net: n, id: "fuzz", level: 3 + level%3, done: make(chan struct{})}
	c.in.attach(n)
	var f *fault
	for f == nil {
		if f = c.fill(0, endKeepAlive); f == nil {
			f = c.round()
		}
		if len(c.in.b) > 2*(largeBuffer+4096) {
			t.Fatalf("a buffer of %d bytes", len(c.in.b))
		}
	}
	c.leave(f)
	c.in.release()
	return s
}

// socketPair is two connected sockets.
func socketPair(t *testing.T) (far, near *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(file)
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// FeedFresh is like Feed for a connection that has said nothing yet.
func FeedFresh(t *testing.T, packets []byte) {
	t.Helper()
	e, err := NewEndpoint(EndpointOptions{Listen: "127.0.0.1:0", Sink: &feedSink{t: t, sent: packets}, MaxPacket: 4096})
	if err != nil {
		t.Fatal(err)
	}
	pipe := &feed{in: bytes.NewReader(packets)}
	c := &conn{endpoint: e, door: e.doors[0], net: pipe, done: make(chan struct{})}
	f := c.greet()
	if f == nil && c.level == 0 {
		t.Fatal("greeted without CONNECT")
	}
	if granted := pipe.out.Len() > 3 && pipe.out.Bytes()[3] == 0; f == nil && !granted {
		t.Fatalf("connected and answered % x", pipe.out.Bytes())
	}
	CheckAnswers(t, pipe.out.Bytes())
}

// CheckAnswers fails unless the bytes are whole packets.
func CheckAnswers(t *testing.T, b []byte) {
	t.Helper()
	for len(b) > 0 {
		length, size := 0, 1
		for ; size < len(b); size++ {
			length |= int(b[size]&0x7F) << (7 * (size - 1))
			if b[size] < 0x80 {
				break
			}
		}
		if size+1+length > len(b) {
			t.Fatalf("half an answer: % x", b)
		}
		b = b[size+1+length:]
	}
}

type feedSink struct {
	t        *testing.T
	sent     []byte
	messages []string
}

func (s *feedSink) Accept(_ context.Context, batch []telemetry.Message) error {
	for _, m := range batch {
		if !bytes.Contains(s.sent, m.Payload) || !bytes.Contains(s.sent, []byte(m.Topic)) || m.Topic == "" {
			s.t.Fatalf("message %q %q was not sent", m.Topic, m.Payload)
		}
		s.messages = append(s.messages, m.Topic+"\x00"+string(m.Payload))
	}
	return nil
}

// feed is a connection that reads bytes and keeps what is written.
type feed struct {
	in  io.Reader
	out bytes.Buffer
}

func (f *feed) Read(b []byte) (int, error)       { return f.in.Read(b) }
func (f *feed) Write(b []byte) (int, error)      { return f.out.Write(b) }
func (f *feed) Close() error                     { return nil }
func (f *feed) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (f *feed) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (f *feed) SetDeadline(time.Time) error      { return nil }
func (f *feed) SetReadDeadline(time.Time) error  { return nil }
func (f *feed) SetWriteDeadline(time.Time) error { return nil }

// Knocks is the limit of connections per address.
type Knocks struct{ knocks }

// NewKnocks allows a number a second, and ten times that at once.
func NewKnocks(perSecond int) *Knocks {
	return &Knocks{knocks{rate: rate.Limit(perSecond), burst: 10 * perSecond, from: map[netip.Addr]*rate.Limiter{}}}
}

// Allow is knocks.allowAddr.
func (k *Knocks) Allow(from netip.Addr, now time.Time) bool { return k.allowAddr(from, now) }

// Remembered is how many addresses are known.
func (k *Knocks) Remembered() int { return len(k.from) }

// MaxKnockers is how many are at most.
const MaxKnockers = maxKnockers
