package mqtt_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrider/internal/mosquittotest"
	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

// counter is a sink that only counts, for benchmarks.
type counter struct{ messages atomic.Int64 }

func (c *counter) Accept(_ context.Context, batch []telemetry.Message) error {
	c.messages.Add(int64(len(batch)))
	return nil
}

// BenchmarkEndpoint publishes 200-byte packets from 50 connections over loopback, with at most a window of them
// unacknowledged on each. "bare" is the least a server can do, to compare with: it reads packets and answers each
// segment at once, without parsing topics.
func BenchmarkEndpoint(b *testing.B) {
	for _, qos := range []byte{0, 1, 2} {
		for _, window := range []int{1, 20} {
			b.Run(fmt.Sprintf("qos=%d/window=%d", qos, window), func(b *testing.B) {
				c := &counter{}
				e, err := mqtt.NewEndpoint(mqtt.EndpointOptions{Listen: "127.0.0.1:0", Sink: c})
				if err != nil {
					b.Fatal(err)
				}
				if err := e.Start(b.Context()); err != nil {
					b.Fatal(err)
				}
				load(b, e.Addr(), qos, window)
				if err := e.Stop(context.Background()); err != nil {
					b.Fatal(err)
				}
				if n := c.messages.Load(); n < int64(b.N) {
					b.Fatalf("%d of %d accepted", n, b.N)
				}
			})
		}
	}
	for _, window := range []int{1, 20} {
		b.Run(fmt.Sprintf("bare/qos=1/window=%d", window), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			go bareServer(l)
			load(b, l.Addr(), 1, window)
		})
	}
}

// load publishes b.N messages and waits until all are acknowledged; with QoS 0 a ping stands for that.
func load(b *testing.B, address net.Addr, qos byte, window int) {
	const connections = 50
	payload := `{"t":1767225600.5,"lat":48.1374301,"lon":11.5754901,"acc":5,"spd":13.9,"hdg":270,"alt":520,"hdop":0.9,"ign":true,"pad":"` + strings.Repeat("x", 50) + `"}`
	var left atomic.Int64
	left.Store(int64(b.N))
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(connections)
	for i := range connections {
		c, err := net.Dial("tcp", address.String())
		if err != nil {
			b.Fatal(err)
		}
		one := publishPacket(qos, 1, fmt.Sprintf("fleet/default/van-%03d/fix", i), payload)
		done.Go(func() {
			defer c.Close()
			_, _ = c.Write(connectPacket(4, 2, 0, fmt.Sprint("bench-", i)))
			_, _ = io.ReadFull(c, make([]byte, 4))
			ready.Done()
			<-start
			if err := publishWindows(c, one, qos, window, &left); err != nil {
				b.Error(err)
			}
		})
	}
	ready.Wait()
	b.SetBytes(int64(len(payload)))
	b.ResetTimer()
	close(start)
	done.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

func publishWindows(c net.Conn, one []byte, qos byte, window int, left *atomic.Int64) error {
	answers := bufio.NewReader(c)
	for {
		after := left.Add(-int64(window))
		n := window
		if after < 0 {
			n = int(after) + window
		}
		if n <= 0 {
			return nil
		}
		var out []byte
		for range n {
			out = append(out, one...)
			if qos == 2 {
				out = append(out, 0x62, 2, 0, 1)
			}
		}
		size := n * 4 * int(qos)
		if qos == 0 {
			out, size = append(out, 0xC0, 0), 2
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
		if _, err := answers.Discard(size); err != nil {
			return err
		}
	}
}

// bareServer answers PUBLISH packets of one length.
func bareServer(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewReaderSize(c, 64<<10)
			var out []byte
			for {
				first, err := in.ReadByte()
				if err != nil {
					return
				}
				n := 0
				for shift := 0; ; shift += 7 {
					d, _ := in.ReadByte()
					n |= int(d&0x7F) << shift
					if d < 0x80 {
						break
					}
				}
				_, _ = in.Discard(n)
				if first>>4 == 1 {
					out = append(out, 0x20, 2, 0, 0)
				} else {
					out = append(out, 0x40, 2, 0, 1)
				}
				if in.Buffered() == 0 {
					_, _ = c.Write(out)
					out = out[:0]
				}
			}
		}()
	}
}

// BenchmarkClient is the way through mosquitto and paho.
func BenchmarkClient(b *testing.B) {
	broker := mosquittotest.New(b, mosquittotest.Config("max_inflight_messages 1000", "max_queued_messages 0"))
	c := &counter{}
	m, err := mqtt.NewClient(mqtt.ClientOptions{URL: broker.URL(), ClientID: "bench", Topics: []string{"fleet/#"}, Sink: c})
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = m.Stop(context.Background()) }()
	for !m.Connected() {
		time.Sleep(time.Millisecond)
	}
	c.messages.Store(0)
	address, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(broker.URL(), "tcp://"))
	if err != nil {
		b.Fatal(err)
	}
	load(b, address, 1, 20)
	for c.messages.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
}

var idleConnections = flag.Int("idle", 500, "connections of the test of their memory; each takes two file descriptors")

// A connection at rest costs little memory, even after it had much to say.
func TestMemoryOfIdleConnections(t *testing.T) {
	connections := *idleConnections
	e := startEndpoint(t)
	before := memory()
	devices := make([]*device, connections)
	for i := range devices {
		devices[i] = dialDevice(t, e.Addr(), fmt.Sprint("idle-", i))
		devices[i].send(publishPacket(1, 1, "fleet/default/van/fix", strings.Repeat("x", 200)))
		devices[i].expect([]byte{0x40, 2, 0, 1})
	}
	each := (memory() - before) / connections
	t.Logf("%d bytes for each connection, the test's end of it included", each)
	if each > 20<<10 {
		t.Errorf("%d bytes for each connection, want at most 20 KiB", each)
	}
	runtime.KeepAlive(devices)
}

// memory is what the heap and the stacks take.
func memory() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// BenchmarkClientAlone is paho and the client with messages of 200 bytes and QoS 1 from a broker that does nothing but
// send them, at most 1,000 unacknowledged.
func BenchmarkClientAlone(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	start, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- syntheticBroker(l, b.N, start) }()
	c := &counter{}
	m, err := mqtt.NewClient(mqtt.ClientOptions{URL: "tcp://" + l.Addr().String(), ClientID: "bench", Topics: []string{"#"}, Sink: c})
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for !m.Connected() {
		time.Sleep(time.Millisecond)
	}
	b.ResetTimer()
	close(start)
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	if err := m.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// syntheticBroker greets one client, and from start on sends n messages and waits for their acknowledgements.
func syntheticBroker(l net.Listener, n int, start <-chan struct{}) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	in := bufio.NewReader(c)
	answer := func(reply []byte) error { // to one packet of less than 128 bytes
		head := make([]byte, 2)
		if _, err := io.ReadFull(in, head); err != nil {
			return err
		}
		if _, err := in.Discard(int(head[1])); err != nil {
			return err
		}
		_, err := c.Write(reply)
		return err
	}
	if err := answer([]byte{0x20, 2, 0, 0}); err != nil {
		return err
	}
	if err := answer([]byte{0x90, 3, 0, 1, 1}); err != nil {
		return err
	}
	<-start
	const window = 500 // sent together, while as many are on their way
	topic := "fleet/default/van/fix"
	one := publishPacket(1, 1, topic, strings.Repeat("x", 200))
	id := len(one) - 200 - 2
	batch := make([]byte, 0, window*len(one))
	for sent, acknowledged := 0, 0; acknowledged < n; {
		batch = batch[:0]
		for range min(window, n-sent) {
			one[id], one[id+1] = byte((1+sent%60_000)>>8), byte(1+sent%60_000)
			batch = append(batch, one...)
			sent++
		}
		if _, err := c.Write(batch); err != nil {
			return err
		}
		expected := sent - window - acknowledged // one window stays on its way
		if sent == n {
			expected = n - acknowledged
		}
		if _, err := in.Discard(4 * expected); err != nil {
			return err
		}
		acknowledged += expected
	}
	go func() { _, _ = io.Copy(io.Discard, in); _ = c.Close() }()
	return nil
}
