package mqtt_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"outrider/internal/mosquittotest"
	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint is a running endpoint with its sink.
type endpoint struct {
	*mqtt.Endpoint
	sink     *sink
	registry *prometheus.Registry
}

func startEndpoint(t *testing.T, change ...func(*mqtt.EndpointOptions)) endpoint {
	t.Helper()
	s := &sink{}
	registry := prometheus.NewRegistry()
	o := mqtt.EndpointOptions{Listen: "127.0.0.1:0", Sink: s, Registerer: registry, Now: time.Now}
	for _, c := range change {
		c(&o)
	}
	e, err := mqtt.NewEndpoint(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return endpoint{e, s, registry}
}

// metric returns the value of one time series, such as `outrider_endpoint_ended_total{reason="malformed"}`.
func metric(t *testing.T, g prometheus.Gatherer, series string) float64 {
	t.Helper()
	name, label, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	_, value, _ := strings.Cut(label, "=")
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name && (label == "" || m.Label[0].GetValue() == strings.Trim(value, `"`)) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no time series %s", series)
	return 0
}

func TestMosquittoPublishes(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for qos := range 3 {
			t.Run(fmt.Sprintf("%s qos %d", version, qos), func(t *testing.T) {
				t.Parallel()
				e := startEndpoint(t)
				mosquittotest.Pub(t, append(mosquittotest.At(t, e.Addr().String()), "-V", version, "-q", fmt.Sprint(qos),
					"-t", "fleet/acme/car/fix", "-m", `{"t":1767225600,"lat":48.1,"lon":11.5}`)...)
				eventually(t, "the message is accepted", func() bool { return len(e.sink.all()) == 1 })
				m := e.sink.all()[0]
				if m.Topic != "fleet/acme/car/fix" || string(m.Payload) != `{"t":1767225600,"lat":48.1,"lon":11.5}` || m.Retained {
					t.Errorf("accepted %+v", m)
				}
				if since := time.Since(m.Received); since < 0 || since > time.Minute {
					t.Errorf("received %s ago", since)
				}
				series := fmt.Sprintf(`outrider_endpoint_messages_total{qos="%d"}`, qos)
				eventually(t, "the message is counted", func() bool { return metric(t, e.registry, series) == 1 })
			})
		}
	}
}

func TestMosquittoPublishesManyInOrder(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	var lines strings.Builder
	for i := range 500 {
		fmt.Fprintln(&lines, i)
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	mosquittotest.PubLines(ctx, t, file, append(mosquittotest.At(t, e.Addr().String()), "-q", "2", "-t", "fleet/a/b/fix")...)
	eventually(t, "all are accepted", func() bool { return len(e.sink.all()) >= 500 })
	if got := strings.Join(e.sink.payloads(), "\n") + "\n"; got != lines.String() {
		t.Errorf("not accepted once each and in order: %d messages", len(e.sink.all()))
	}
}

func TestRetainIsNews(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	mosquittotest.Pub(t, append(mosquittotest.At(t, e.Addr().String()), "-q", "1", "-r", "-t", "a/b", "-m", "state",
		"--will-topic", "a/b", "--will-payload", "dead", "--will-retain", "--will-qos", "1")...)
	eventually(t, "the message is accepted", func() bool { return len(e.sink.all()) == 1 })
	if m := e.sink.all()[0]; m.Retained || string(m.Payload) != "state" {
		t.Errorf("accepted %+v", m)
	}
	eventually(t, "it is gone", func() bool { return metric(t, e.registry, "outrider_endpoint_connections") == 0 })
	if n := metric(t, e.registry, "outrider_endpoint_wills_total"); n != 0 {
		t.Errorf("%v wills of a device that said goodbye", n)
	}
}

// A will counts when its device is lost, and not when it says goodbye.
func TestWills(t *testing.T) {
	t.Parallel()
	will := func(level byte) []byte {
		properties := []byte{0}
		if level < 5 {
			properties = nil
		}
		return packet(0x10, text("MQTT"), []byte{level, 6, 0, 0}, properties, text("w"), properties, text("a/will"), text("lost"))
	}
	for name, c := range map[string]struct {
		level byte
		last  []byte
		want  int
	}{
		"goodbye":             {4, []byte{0xE0, 0}, 0},
		"goodbye in 5":        {5, []byte{0xE0, 0}, 0},
		"goodbye, with will":  {5, []byte{0xE0, 1, 4}, 1},
		"goodbye, other code": {5, []byte{0xE0, 1, 0}, 0},
		"nonsense":            {4, []byte{0xF0, 0}, 1},
		"lost":                {4, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startEndpoint(t)
			d := rawDevice(t, e.Addr())
			d.send(will(c.level))
			eventually(t, "it is connected", func() bool { return metric(t, e.registry, "outrider_endpoint_connected_total") == 1 })
			if c.last != nil {
				d.send(c.last)
			} else {
				_ = d.conn.Close()
			}
			eventually(t, "it is gone", func() bool { return metric(t, e.registry, "outrider_endpoint_connections") == 0 })
			got := e.sink.all()
			if len(got) != c.want || c.want == 1 && (got[0].Topic != "a/will" || string(got[0].Payload) != "lost") {
				t.Errorf("accepted %+v", got)
			}
		})
	}
}

func TestTenMegabytesAreRefused(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 10<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _ = mosquittotest.TryPub(t, append(mosquittotest.At(t, e.Addr().String()), "-q", "1", "-t", "fleet/acme/car/fix", "-f", file)...)
	eventually(t, "the refusal is recorded", func() bool { return len(e.sink.refusals()) == 1 })
	r := e.sink.refusals()[0]
	if r.topic != "fleet/acme/car/fix" || r.refusal.Reason != telemetry.ReasonTooLarge || r.size == 0 || r.size > 1<<20 {
		t.Errorf("refused %+v", r)
	}
	for _, series := range []string{`outrider_endpoint_refused_total{reason="too_large"}`, `outrider_endpoint_ended_total{reason="too_large"}`} {
		eventually(t, series, func() bool { return metric(t, e.registry, series) == 1 })
	}
	mosquittotest.Pub(t, append(mosquittotest.At(t, e.Addr().String()), "-q", "1", "-t", "a", "-m", "still here")...)
}

func pahoClient(t *testing.T, address, id string, change func(*paho.ClientOptions)) paho.Client {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + address).SetClientID(id).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
	if change != nil {
		change(o)
	}
	c := paho.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("connect: %v", token.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func TestPahoPublishes(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	for _, clean := range []bool{true, false} {
		c := pahoClient(t, e.Addr().String(), fmt.Sprintf("paho-%v", clean), func(o *paho.ClientOptions) { o.SetCleanSession(clean) })
		for qos := range byte(3) {
			if token := c.Publish("fleet/a/b/fix", qos, false, fmt.Sprint(clean, qos)); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				t.Fatalf("qos %d: %v", qos, token.Error())
			}
		}
		token := c.Subscribe("fleet/#", 1, nil).(*paho.SubscribeToken)
		if !token.WaitTimeout(10 * time.Second) {
			t.Fatal("SUBSCRIBE is not answered")
		}
		if got := token.Result()["fleet/#"]; got != 0x80 {
			t.Errorf("SUBSCRIBE was granted %#x, want the failure 0x80", got)
		}
		if token := c.Unsubscribe("fleet/#"); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("unsubscribe: %v", token.Error())
		}
	}
	want := []string{"true 0", "true 1", "true 2", "false 0", "false 1", "false 2"}
	if diff := cmp.Diff(want, e.sink.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}

// A message is acknowledged only after the sink has accepted it.
func TestAcknowledgedOnlyAfterAccept(t *testing.T) {
	t.Parallel()
	var accepted atomic.Bool
	release := make(chan struct{})
	s := &sink{before: func(context.Context, []telemetry.Message) error {
		<-release
		accepted.Store(true)
		return nil
	}}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Sink = s })
	d := dialDevice(t, e.Addr(), "d")
	d.send(publishPacket(1, 7, "a/b", "x"))
	d.silent(50 * time.Millisecond)
	if accepted.Load() {
		t.Fatal("accepted before it was released")
	}
	close(release)
	d.expect([]byte{0x40, 2, 0, 7})
	if !accepted.Load() {
		t.Error("acknowledged before it was accepted")
	}
}

func TestNotAcceptedIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	s := &sink{before: func(context.Context, []telemetry.Message) error { return errors.New("disk full") }}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Sink = s })
	for qos := range byte(3) {
		d := dialDevice(t, e.Addr(), "d")
		d.send(publishPacket(qos, 7, "a/b", "x"))
		d.expectEnd()
	}
	eventually(t, "the endings are counted", func() bool { return metric(t, e.registry, `outrider_endpoint_ended_total{reason="not_durable"}`) == 3 })
}

// What is in one segment goes to the sink in one batch and is answered in one write, in order.
func TestOneSegmentIsOneBatch(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	d := dialDevice(t, e.Addr(), "d")
	d.send(bytes.Join([][]byte{
		publishPacket(1, 1, "a/b", "1"), publishPacket(0, 0, "a/b", "2"), {0xC0, 0}, publishPacket(2, 2, "a/b", "3"),
		publishPacket(1, 3, "a/c", "4"), {0x62, 2, 0, 2},
	}, nil))
	d.expect([]byte{0x40, 2, 0, 1, 0xD0, 0, 0x50, 2, 0, 2, 0x40, 2, 0, 3, 0x70, 2, 0, 2})
	if diff := cmp.Diff([]string{"1", "2", "3", "4"}, e.sink.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{4}, e.sink.batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestQoS2IsTakenOnce(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	d := dialDevice(t, e.Addr(), "d")
	again := publishPacket(2, 9, "a/b", "x")
	again[0] |= 8 // DUP
	d.send(publishPacket(2, 9, "a/b", "x"))
	d.expect([]byte{0x50, 2, 0, 9})
	d.send(again)
	d.expect([]byte{0x50, 2, 0, 9})
	d.send([]byte{0x62, 2, 0, 9})
	d.expect([]byte{0x70, 2, 0, 9})
	d.send(publishPacket(2, 9, "a/b", "y"))
	d.expect([]byte{0x50, 2, 0, 9})
	d.send([]byte{0x62, 2, 0, 77}) // of an earlier connection
	d.expect([]byte{0x70, 2, 0, 77})
	if diff := cmp.Diff([]string{"x", "y"}, e.sink.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}

func TestPacketsInPieces(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	large := strings.Repeat("x", 300_000) // larger than any pooled buffer
	all := bytes.Join([][]byte{publishPacket(1, 1, "a/b", "first"), publishPacket(1, 2, "a/b", large), publishPacket(1, 3, "a/b", "last")}, nil)
	d := dialDevice(t, e.Addr(), "d")
	for piece := 1; len(all) > 0; piece = piece*3 + 1 {
		n := min(piece, len(all))
		d.send(all[:n])
		all = all[n:]
	}
	d.expect([]byte{0x40, 2, 0, 1, 0x40, 2, 0, 2, 0x40, 2, 0, 3})
	if diff := cmp.Diff([]string{"first", large, "last"}, e.sink.payloads()); diff != "" {
		t.Error("payloads differ from what was sent")
	}
}

func TestSameClientIDTakesOver(t *testing.T) {
	t.Parallel()
	var inside, most atomic.Int32
	s := &sink{before: func(context.Context, []telemetry.Message) error {
		most.Store(max(most.Load(), inside.Add(1)))
		time.Sleep(time.Millisecond) // long enough for another to come in
		inside.Add(-1)
		return nil
	}}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Sink = s })
	var devices []*device
	for range 5 {
		d := dialDevice(t, e.Addr(), "same")
		d.send(publishPacket(1, 1, "a/b", "x"))
		devices = append(devices, d)
	}
	for _, d := range devices[:4] {
		_, _ = io.Copy(io.Discard, d.conn) // ends: it was taken over
	}
	devices[4].expect([]byte{0x40, 2, 0, 1})
	if most.Load() != 1 {
		t.Errorf("%d batches of one device at once", most.Load())
	}
	if n := metric(t, e.registry, "outrider_endpoint_connections"); n != 1 {
		t.Errorf("%v connections, want 1", n)
	}
}

func TestSilentDevicesAreClosed(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.ConnectTimeout = 50 * time.Millisecond })
	mute := rawDevice(t, e.Addr())
	mute.expectEnd()
	quiet := rawDevice(t, e.Addr())
	quiet.send(connectPacket(4, 2, 1, "quiet")) // keep-alive 1 s
	quiet.expect([]byte{0x20, 2, 0, 0})
	began := time.Now()
	quiet.expectEnd()
	if waited := time.Since(began); waited < time.Second || waited > 10*time.Second {
		t.Errorf("closed after %s, want 1.5 s", waited)
	}
	for _, series := range []string{`outrider_endpoint_ended_total{reason="no_connect"}`, `outrider_endpoint_ended_total{reason="keep_alive"}`} {
		eventually(t, series, func() bool { return metric(t, e.registry, series) == 1 })
	}
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.MaxConnections = 1 })
	first := dialDevice(t, e.Addr(), "1")
	second := rawDevice(t, e.Addr())
	second.expectEnd()
	first.send([]byte{0xC0, 0})
	first.expect([]byte{0xD0, 0})
	first.send([]byte{0xE0, 0})
	first.expectEnd()
	eventually(t, "there is room again", func() bool { return metric(t, e.registry, "outrider_endpoint_connections") == 0 })
	dialDevice(t, e.Addr(), "2")
}

func TestEndpointOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"":             "mqtt.listen",
		"1883":         "mqtt.listen",
		":1883":        "nobody knows the devices",
		"0.0.0.0:1883": "nobody knows the devices",
		"[::]:1883":    "nobody knows the devices",
		"10.0.0.1:0":   "nobody knows the devices",
	} {
		_, err := mqtt.NewEndpoint(mqtt.EndpointOptions{Listen: listen, Sink: &sink{}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("listen %q: %v, want a sentence with %q", listen, err, want)
		}
	}
	for _, listen := range []string{"localhost:0", "127.0.0.2:0", "[::1]:0"} {
		if _, err := mqtt.NewEndpoint(mqtt.EndpointOptions{Listen: listen, Sink: &sink{}}); err != nil {
			t.Errorf("listen %q: %v", listen, err)
		}
	}
	if _, err := mqtt.NewEndpoint(mqtt.EndpointOptions{Listen: "127.0.0.1:0"}); err == nil {
		t.Error("an endpoint without a sink")
	}
	for want, o := range map[string]mqtt.EndpointOptions{
		"mqtt.tls_cert":           {ListenTLS: "127.0.0.1:0", Gatekeeper: gate{}},
		"mqtt.tls_listen":         {ListenTLS: "127.0.0.1:0", TLS: &tls.Config{}},
		"mqtt.ws_listen":          {ListenWS: "127.0.0.1:0"},
		"nobody knows":            {ListenWS: "127.0.0.1:0"},
		`mqtt.ws_listen "8083"`:   {ListenWS: "8083", Gatekeeper: gate{}},
		"mqtt.listen, mqtt.tls_l": {Gatekeeper: gate{}},
	} {
		o.Sink = &sink{}
		if _, err := mqtt.NewEndpoint(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a sentence with %q", err, want)
		}
	}
}

func TestTakenAddress(t *testing.T) {
	t.Parallel()
	taken := startEndpoint(t)
	e, err := mqtt.NewEndpoint(mqtt.EndpointOptions{Listen: taken.Addr().String(), Sink: &sink{}})
	if err != nil {
		t.Fatal(err)
	}
	err = e.Start(t.Context())
	for _, want := range []string{taken.Addr().String(), "taken", "mqtt.listen"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestStartAndStopInAnyOrder(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	address := e.Addr()
	if err := e.Start(t.Context()); err != nil || e.Addr() != address {
		t.Errorf("second start: %v, now at %s", err, e.Addr())
	}
	d := dialDevice(t, address, "d")
	for range 2 {
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	d.expectEnd()
	if _, err := net.Dial("tcp", address.String()); err == nil {
		t.Error("it still listens")
	}
	if err := e.Start(t.Context()); !errors.Is(err, mqtt.ErrStopped) {
		t.Errorf("start after stop: %v", err)
	}
}

// Stop lets a batch that is being accepted be finished and acknowledged.
func TestStopFinishesTheBatch(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	s := &sink{before: func(context.Context, []telemetry.Message) error {
		close(entered)
		<-release
		return nil
	}}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Sink = s })
	d := dialDevice(t, e.Addr(), "d")
	d.send(publishPacket(1, 5, "a/b", "x"))
	<-entered
	var stopping sync.WaitGroup
	stopping.Go(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	close(release)
	d.expect([]byte{0x40, 2, 0, 5})
	d.expectEnd()
	stopping.Wait()
}

// Stop gives up on a sink that does not return in time.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := &sink{before: func(ctx context.Context, _ []telemetry.Message) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Sink = s })
	d := dialDevice(t, e.Addr(), "d")
	d.send(publishPacket(1, 5, "a/b", "x"))
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop: %v", err)
	}
	d.expectEnd()
}

func TestMetricsAreWellFormed(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	problems, err := testutil.GatherAndLint(e.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
