package mqtt_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

// When what makes messages durable stands still, devices are slowed down: they cannot send more than the buffers on the
// way hold, the endpoint's memory stays where it was, and when it goes on, nothing is lost and all is in order.
func TestASlowJournalSlowsDevicesDown(t *testing.T) {
	const devices, messages, size = 8, 4000, 2000 // 8 MB for each device
	release := make(chan struct{})
	var accepted [devices]atomic.Int64
	s := &sink{before: func(_ context.Context, batch []telemetry.Message) error {
		<-release
		for _, m := range batch {
			var device, number int64
			if _, err := fmt.Sscanf(m.Topic+" "+string(m.Payload[:10]), "d/%d %d", &device, &number); err != nil || accepted[device].Load() != number {
				t.Errorf("device %d: message %d is %q", device, accepted[device].Load(), m.Payload[:10])
			}
			accepted[device].Add(1)
		}
		return nil
	}}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Sink = &discarding{s} })
	var sent, acknowledged atomic.Int64
	var working sync.WaitGroup
	before := memory()
	for i := range devices {
		d := dialDevice(t, e.Addr(), fmt.Sprint("d", i))
		working.Go(func() { _, _ = io.Copy(&counting{n: &acknowledged}, d.conn) })
		working.Go(func() { blast(d.conn, i, messages, size, &sent) })
	}
	stalled(t, &sent)
	if n := sent.Load(); n >= devices*messages {
		t.Errorf("all %d messages went out though none was taken", n)
	}
	if n := acknowledged.Load(); n != 0 {
		t.Errorf("%d bytes of acknowledgements before anything was durable", n)
	}
	if grown := memory() - before; grown > devices*(512<<10) {
		t.Errorf("memory grew by %d bytes while nothing was taken", grown)
	}
	close(release)
	eventually(t, "everything is acknowledged", func() bool { return acknowledged.Load() == 4*devices*messages })
	for i := range accepted {
		if n := accepted[i].Load(); n != messages {
			t.Errorf("device %d: %d of %d accepted", i, n, messages)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := e.Stop(ctx); err != nil { // ends the readers
		t.Error(err)
	}
	working.Wait()
}

// blast publishes without waiting for anything.
func blast(c net.Conn, device, messages, size int, sent *atomic.Int64) {
	for i := range messages {
		payload := fmt.Sprintf("%010d", i) + strings.Repeat("x", size-10)
		if _, err := c.Write(publishPacket(1, uint16(1+i%60_000), fmt.Sprint("d/", device), payload)); err != nil {
			return
		}
		sent.Add(1)
	}
}

// stalled waits until the count has not moved for a while.
func stalled(t *testing.T, n *atomic.Int64) {
	t.Helper()
	last, since := int64(-1), time.Now()
	eventually(t, "the devices are slowed down", func() bool {
		if now := n.Load(); now != last {
			last, since = now, time.Now()
		}
		return last > 0 && time.Since(since) > 300*time.Millisecond
	})
}

// discarding is a sink that judges messages and keeps none.
type discarding struct{ *sink }

func (d *discarding) Accept(ctx context.Context, batch []telemetry.Message) error {
	return d.before(ctx, batch)
}

// counting counts bytes.
type counting struct{ n *atomic.Int64 }

func (c *counting) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}
