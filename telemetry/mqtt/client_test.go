package mqtt_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/internal/mosquittotest"
	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

// client is a running client with its registry.
type client struct {
	*mqtt.Client
	registry *prometheus.Registry
}

func (c client) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func startClient(t *testing.T, url string, s telemetry.Sink, change ...func(*mqtt.ClientOptions)) client {
	t.Helper()
	registry := prometheus.NewRegistry()
	o := mqtt.ClientOptions{
		URL: url, ClientID: "gateway", Topics: []string{"fleet/+/+/fix", "owntracks/+/+"}, Sink: s,
		RetryMin: 10 * time.Millisecond, RetryMax: 100 * time.Millisecond, Registerer: registry, Now: time.Now,
	}
	for _, c := range change {
		c(&o)
	}
	m, err := mqtt.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := client{m, registry}
	t.Cleanup(func() { c.stop(t) })
	return c
}

func publishAll(t *testing.T, b *mosquittotest.Broker, qos, from, to int) {
	t.Helper()
	publishTo(t, b.URL(), qos, from, to)
}

// publishTo publishes numbers in order.
func publishTo(t *testing.T, url string, qos, from, to int) {
	t.Helper()
	publishNumbers(t, url, "fleet/a/b/fix", qos, from, to)
}

func publishNumbers(t *testing.T, url, topic string, qos, from, to int) {
	t.Helper()
	var lines strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintln(&lines, i)
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	mosquittotest.PubLines(ctx, t, file, append(mosquittotest.At(t, url), "-q", fmt.Sprint(qos), "-t", topic)...)
}

func numbers(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func TestClientReads(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	mosquittotest.Pub(t, append(mosquittotest.At(t, b.URL()), "-q", "1", "-r", "-t", "fleet/a/kept/fix", "-m", "kept")...)
	s := &sink{}
	c := startClient(t, b.URL(), s)
	eventually(t, "the client is connected and has the retained copy", func() bool { return c.Connected() && len(s.all()) == 1 })
	if m := s.all()[0]; !m.Retained || m.Topic != "fleet/a/kept/fix" {
		t.Errorf("accepted %+v", m)
	}
	for qos := range 3 {
		publishAll(t, b, qos, 100*qos, 100*qos+100)
	}
	mosquittotest.Pub(t, append(mosquittotest.At(t, b.URL()), "-q", "1", "-t", "other/topic", "-m", "not ours")...)
	mosquittotest.Pub(t, append(mosquittotest.At(t, b.URL()), "-q", "1", "-t", "owntracks/u/d", "-m", "last")...)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 302 })
	want := append(append([]string{"kept"}, numbers(0, 300)...), "last")
	if diff := cmp.Diff(want, s.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if n := metric(t, c.registry, "outrider_mqtt_connected"); n != 1 {
		t.Errorf("connected metric %v", n)
	}
	c.stop(t)
	if c.Connected() || metric(t, c.registry, "outrider_mqtt_connected") != 0 {
		t.Error("connected after stop")
	}
}

// What is published while the gateway is down comes when it is up again, even in another process.
func TestSessionHoldsMessagesWhileTheClientIsDown(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	s := &sink{}
	c := startClient(t, b.URL(), s)
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 10)
	eventually(t, "the first are accepted", func() bool { return len(s.all()) == 10 })
	c.stop(t)

	publishAll(t, b, 1, 10, 200)
	c = startClient(t, b.URL(), s)
	eventually(t, "the rest is accepted", func() bool { return s.distinct() == 200 })
	if diff := cmp.Diff(numbers(0, 200), s.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if n := metric(t, c.registry, "outrider_mqtt_repeated_total"); n != 0 {
		t.Errorf("%v messages came again, so they were accepted and not acknowledged", n)
	}
}

// What was not accepted was not acknowledged: it comes to the next process.
func TestNotAcceptedComesAgain(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	var tries atomic.Int32
	full := &sink{before: func(context.Context, []telemetry.Message) error {
		tries.Add(1)
		return errors.New("disk full")
	}}
	c := startClient(t, b.URL(), full)
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 100)
	eventually(t, "it is tried again", func() bool { return tries.Load() > 3 })
	if n := metric(t, c.registry, "outrider_mqtt_accept_retries_total"); n < 3 {
		t.Errorf("%v retries counted", n)
	}
	c.stop(t)
	s := &sink{}
	startClient(t, b.URL(), s)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 100 })
}

// A sink that refuses for a while loses nothing and disorders nothing.
func TestAcceptIsRetriedInOrder(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	var calls atomic.Int32
	s := &sink{before: func(context.Context, []telemetry.Message) error {
		if calls.Add(1)%3 != 0 {
			return errors.New("busy")
		}
		return nil
	}}
	c := startClient(t, b.URL(), s, func(o *mqtt.ClientOptions) { o.RetryMin, o.RetryMax = time.Millisecond, time.Millisecond })
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 300)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 300 })
	if diff := cmp.Diff(numbers(0, 300), s.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}

// Neither a restart nor a crash of the broker loses what it had confirmed to the publisher. A broker that crashes
// loses what it has not saved, so there only what came before and after is asked for.
func TestBrokerComesAndGoes(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t, mosquittotest.Persistent())
	s := &sink{}
	c := startClient(t, b.URL(), s)
	eventually(t, "the client is connected", c.Connected)
	for round := range 3 {
		publishAll(t, b, 1, 100*round, 100*round+50)
		if round == 1 {
			eventually(t, "all is accepted before the crash", func() bool { return s.distinct() == 150 })
			b.Kill()
		} else {
			b.Down()
		}
		eventually(t, "the client sees it", func() bool { return !c.Connected() })
		b.Up()
		publishAll(t, b, 1, 100*round+50, 100*round+100)
		eventually(t, "the client is connected again", c.Connected)
		if round == 1 { // a session that the crash took: publish again, as a tracker without acknowledgement would
			publishAll(t, b, 1, 100*round+50, 100*round+100)
		}
		eventually(t, "all is accepted", func() bool { return s.distinct() == 100*round+100 })
	}
	if n := metric(t, c.registry, `outrider_mqtt_failed_total{at="lost"}`); n != 3 {
		t.Errorf("%v connections lost", n)
	}
	if n := metric(t, c.registry, "outrider_mqtt_connected_total"); n != 4 {
		t.Errorf("connected %v times", n)
	}
}

func TestBrokerThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	b.Down()
	s := &sink{}
	c := startClient(t, b.URL(), s)
	eventually(t, "it is tried", func() bool { return metric(t, c.registry, `outrider_mqtt_failed_total{at="connect"}`) > 1 })
	if c.Connected() {
		t.Error("connected to nothing")
	}
	b.Up()
	eventually(t, "the client is connected", c.Connected)
}

// More than may wait at once blocks the reading, and then all comes.
func TestLittleRoom(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t, mosquittotest.Config("max_inflight_messages 0", "max_queued_messages 0"))
	release := make(chan struct{})
	s := &sink{before: func(context.Context, []telemetry.Message) error {
		<-release
		return nil
	}}
	c := startClient(t, b.URL(), s, func(o *mqtt.ClientOptions) { o.MaxWaiting = 3 })
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 200)
	close(release)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 200 })
	if diff := cmp.Diff(numbers(0, 200), s.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	for _, n := range s.batches {
		if n > 3 {
			t.Errorf("%d messages waited at once", n)
		}
	}
}

func TestSharedSubscription(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	first, second := &sink{}, &sink{}
	for i, s := range []*sink{first, second} {
		c := startClient(t, b.URL(), s, func(o *mqtt.ClientOptions) { o.ClientID, o.Share = fmt.Sprint("gateway-", i), "outrider" })
		eventually(t, "the client is connected", c.Connected)
	}
	publishAll(t, b, 1, 0, 100)
	eventually(t, "all is accepted", func() bool { return first.distinct()+second.distinct() == 100 })
	if first.distinct() == 0 || second.distinct() == 0 {
		t.Errorf("not shared: %d and %d", first.distinct(), second.distinct())
	}
}

// Several connections divide the filters: each topic's messages come over one of them, in order, also those that were published
// while the gateway was down, and none comes twice when the filters are divided anew.
func TestSeveralConnections(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	tenants := []string{"fleet/acme/#", "fleet/globex/#", "fleet/initech/#"}
	publish := func(from, to int) {
		for _, tenant := range tenants {
			publishNumbers(t, b.URL(), strings.Replace(tenant, "#", "van/fix", 1), 1, from, to)
		}
	}
	s := &sink{}
	inOrder := func(to int) {
		t.Helper()
		eventually(t, "everything is accepted", func() bool { return len(s.all()) >= to*len(tenants) })
		next := map[string]int{}
		for _, m := range s.all() {
			if fmt.Sprint(next[m.Topic]) != string(m.Payload) {
				t.Fatalf("%s: %s comes where %d is next", m.Topic, m.Payload, next[m.Topic])
			}
			next[m.Topic]++
		}
	}
	start := func(connections int, topics ...string) client {
		c := startClient(t, b.URL(), s, func(o *mqtt.ClientOptions) { o.Connections, o.Topics = connections, topics })
		eventually(t, "the client is connected", c.Connected)
		return c
	}
	c := start(3, tenants...)
	if n := metric(t, c.registry, "outrider_mqtt_connected"); n != 3 {
		t.Errorf("%v connections", n)
	}
	publish(0, 200)
	inOrder(200)
	c.stop(t)
	publish(200, 300)
	c = start(3, tenants...)
	inOrder(300)
	c.stop(t)
	publishNumbers(t, b.URL(), "elsewhere", 1, 0, 1) // and by then the broker has read the last acknowledgements, too
	c = start(3, tenants[1], tenants[2], tenants[0]) // each session has another filter now
	publish(300, 400)
	inOrder(400)
}

func TestBrokerThatGrantsNothing(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t) // an endpoint refuses every subscription
	c := startClient(t, "tcp://"+e.Addr().String(), &sink{})
	eventually(t, "the refusal is counted", func() bool { return metric(t, c.registry, `outrider_mqtt_failed_total{at="subscribe"}`) > 1 })
	if c.Connected() {
		t.Error("connected without a subscription")
	}
}

func TestPasswordAtTheBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "passwords")
	mosquittotest.Passwords(t, file, "gateway", "s3cret")
	b := mosquittotest.New(t, mosquittotest.Config("allow_anonymous false", "password_file "+file))
	var log lockedBuffer
	c := startClient(t, b.URL(), &sink{}, func(o *mqtt.ClientOptions) {
		o.Username, o.Password = "gateway", func() string { return "s3cret" }
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	eventually(t, "the client is connected", c.Connected)
	wrong := startClient(t, b.URL(), &sink{}, func(o *mqtt.ClientOptions) {
		o.Username, o.Password, o.ClientID = "gateway", func() string { return "wr0ng" }, "wrong"
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	eventually(t, "the wrong one is refused", func() bool { return metric(t, wrong.registry, `outrider_mqtt_failed_total{at="connect"}`) > 0 })
	wrong.stop(t)
	if said := log.String(); strings.Contains(said, "s3cret") || strings.Contains(said, "wr0ng") || said == "" {
		t.Errorf("the log says:\n%s", said)
	}
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	port := mosquittotest.FreePort(t)
	b := mosquittotest.New(t, mosquittotest.Config(fmt.Sprintf("listener %d 127.0.0.1", port), "protocol websockets"))
	s := &sink{}
	c := startClient(t, fmt.Sprintf("ws://127.0.0.1:%d/mqtt", port), s)
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 50)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 50 })
}

func TestStopWhileConnecting(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t)
	b.Down()
	c := startClient(t, b.URL(), &sink{}, func(o *mqtt.ClientOptions) { o.RetryMin, o.RetryMax = time.Hour, time.Hour })
	began := time.Now()
	c.stop(t)
	c.stop(t)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stop took %s", took)
	}
	if err := c.Start(t.Context()); !errors.Is(err, mqtt.ErrStopped) {
		t.Errorf("start after stop: %v", err)
	}
}

func TestClientOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	good := mqtt.ClientOptions{URL: "tcp://broker:1883", ClientID: "g", Topics: []string{"a"}, Sink: &sink{}}
	if _, err := mqtt.NewClient(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*mqtt.ClientOptions){
		"mqtt.url \"\"":         func(o *mqtt.ClientOptions) { o.URL = "" },
		"mqtt.url \"http":       func(o *mqtt.ClientOptions) { o.URL = "http://broker" },
		"mqtt.url \"tcp":        func(o *mqtt.ClientOptions) { o.URL = "tcp://" },
		"mqtt.url is no":        func(o *mqtt.ClientOptions) { o.URL = "tcp://a:s3cret@b:c" },
		"mqtt.password":         func(o *mqtt.ClientOptions) { o.URL = "tcp://a:s3cret@b:1883" },
		"mqtt.client_id":        func(o *mqtt.ClientOptions) { o.ClientID = "" },
		"mqtt.topics":           func(o *mqtt.ClientOptions) { o.Topics = nil },
		"and there is one":      func(o *mqtt.ClientOptions) { o.Connections = 2 },
		"match the same topics": func(o *mqtt.ClientOptions) { o.Connections, o.Topics = 2, []string{"a/#", "b", "a/+"} },
		"at most 64":            func(o *mqtt.ClientOptions) { o.Connections = 65 },
		"without a sink":        func(o *mqtt.ClientOptions) { o.Sink = nil },
	} {
		o := good
		change(&o)
		_, err := mqtt.NewClient(o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v, want a sentence with %q", err, want)
		}
	}
}

func TestClientMetricsAreWellFormed(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	_, err := mqtt.NewClient(mqtt.ClientOptions{URL: "tcp://b:1", ClientID: "g", Topics: []string{"a"}, Sink: &sink{}, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
