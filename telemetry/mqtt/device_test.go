package mqtt_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// device is a connection to an endpoint, byte by byte.
type device struct {
	t    *testing.T
	conn net.Conn
}

// rawDevice connects without saying anything.
func rawDevice(t *testing.T, address net.Addr) *device {
	t.Helper()
	c, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &device{t, c}
}

// dialDevice connects with MQTT 3.1.1.
func dialDevice(t *testing.T, address net.Addr, id string) *device {
	t.Helper()
	d := rawDevice(t, address)
	d.send(connectPacket(4, 2, 0, id))
	d.expect([]byte{0x20, 2, 0, 0})
	return d
}

func (d *device) send(b []byte) {
	d.t.Helper()
	if _, err := d.conn.Write(b); err != nil {
		d.t.Fatalf("send: %v", err)
	}
}

// expect reads exactly these bytes.
func (d *device) expect(want []byte) {
	d.t.Helper()
	got := make([]byte, len(want))
	_ = d.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := io.ReadFull(d.conn, got); err != nil {
		d.t.Fatalf("read % x, then %v, want % x", got[:n], err, want)
	}
	if !bytes.Equal(got, want) {
		d.t.Fatalf("read % x, want % x", got, want)
	}
}

// expectEnd reads that the connection is closed, with nothing before.
func (d *device) expectEnd() {
	d.t.Helper()
	_ = d.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	rest, err := io.ReadAll(d.conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		d.t.Fatal("still connected")
	}
	if len(rest) > 0 {
		d.t.Fatalf("read % x, want the end", rest)
	}
}

// silent reads nothing for a while.
func (d *device) silent(during time.Duration) {
	d.t.Helper()
	_ = d.conn.SetReadDeadline(time.Now().Add(during))
	var b [64]byte
	if n, err := d.conn.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		d.t.Fatalf("read % x, %v, want silence", b[:n], err)
	}
}

func text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

// packet builds a packet from its first byte and body.
func packet(first byte, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	b := []byte{first}
	n := len(all)
	for ; n > 0x7F; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), all...)
}

func connectPacket(level, flags byte, keepAlive uint16, id string) []byte {
	properties := []byte{0}
	if level < 5 {
		properties = nil
	}
	return packet(0x10, text("MQTT"), []byte{level, flags, byte(keepAlive >> 8), byte(keepAlive)}, properties, text(id))
}

func publishPacket(qos byte, id uint16, topic, payload string) []byte {
	ids := []byte{byte(id >> 8), byte(id)}
	if qos == 0 {
		ids = nil
	}
	return packet(0x30|qos<<1, text(topic), ids, []byte(payload))
}
