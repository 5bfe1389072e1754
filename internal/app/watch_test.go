package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/mosquittotest"
)

// seen collects what is shown.
type seen struct {
	mu  sync.Mutex // guards all
	all []app.Seen
}

func (s *seen) show(m app.Seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, m)
}

// of joins the lines of a topic's messages.
func (s *seen) of(topic string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, m := range s.all {
		if m.Topic == topic {
			lines = append(append(lines, m.Lines...), m.Payload, strings.Join(m.Vehicles, ","))
		}
	}
	return strings.Join(lines, "\n")
}

// watchMessages are what is published, and what people are told of it.
func watchMessages() map[string][2]string {
	now := time.Now().Unix()
	return map[string][2]string{
		"fleet/default/van/fix": {fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5,"spd":7.5,"ign":true}`, now), "latitude 48.100000, longitude 11.500000, speed 7.50 m/s, ignition on"},
		"fleet/default/car/fix": {fmt.Sprintf(`{"t":%d,"lat":91,"lon":11.5}`, now), "refused  range lat: 91 is outside"},
		"owntracks/ann/phone":   {fmt.Sprintf(`{"_type":"location","tst":"%d","lat":"48.1","lon":"11.5","vel":"36"}`, now), "format   owntracks"},
		"some/where":            {"\x1b[31mhello", "refused  topic"},
	}
}

func checkWatched(t *testing.T, s *seen) {
	t.Helper()
	for topic, want := range watchMessages() {
		eventually(t, topic+" is shown", func() bool { return strings.Contains(s.of(topic), want[1]) })
	}
	if got := s.of("some/where"); strings.Contains(got, "\x1b") {
		t.Errorf("a payload reaches the terminal: %q", got)
	}
	if got := s.of("owntracks/ann/phone"); !strings.Contains(got, "speed 10.00 m/s") || !strings.HasSuffix(got, "ann/phone") {
		t.Errorf("of the phone: %s", got)
	}
}

// Whoever connects a tracker to a broker sees what it publishes, wherever, without disturbing the gateway.
func TestABrokerIsWatched(t *testing.T) {
	t.Parallel()
	url := mosquittotest.Start(t)
	at := strings.Replace(url, "tcp://", "mqtt://", 1) + "/"
	mosquittotest.Pub(t, "-L", at+"fleet/default/old/fix", "-r", "-q", "1", "-m", fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5}`, time.Now().Unix()))
	ctx, stop := context.WithCancel(t.Context())
	s := &seen{}
	ended := make(chan error, 1)
	go func() {
		ended <- app.WatchBroker(ctx, app.WatchOptions{Config: config.Config{MQTT: config.MQTT{URL: url}}, Show: s.show})
	}()
	eventually(t, "the kept copy is shown", func() bool { return strings.Contains(s.of("fleet/default/old/fix"), "a kept copy") })
	for topic, m := range watchMessages() {
		mosquittotest.Pub(t, "-L", at+topic, "-q", "1", "-m", m[0])
	}
	checkWatched(t, s)
	mosquittotest.Pub(t, "-L", at+"fleet/default/van/fix", "-q", "1", "-m", watchMessages()["fleet/default/van/fix"][0])
	mosquittotest.Pub(t, "-L", at+"fleet/default/van/fix", "-q", "1", "-m", `{"t":4102444800,"lat":48.1,"lon":11.5}`)
	mosquittotest.Pub(t, "-L", at+"teslamate/cars/1/latitude", "-q", "1", "-m", "48.1")
	mosquittotest.Pub(t, "-L", at+"teslamate/cars/1/longitude", "-q", "1", "-m", "11.5")
	eventually(t, "the clock that is ahead is told", func() bool { return strings.Contains(s.of("fleet/default/van/fix"), "is implausible: future") })
	eventually(t, "the values are joined", func() bool { return strings.Contains(s.of("teslamate/cars/1/longitude"), "longitude 11.500000") })
	stop()
	must(t, <-ended)

	ctx, stop = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	err := app.WatchBroker(ctx, app.WatchOptions{Config: config.Config{MQTT: config.MQTT{URL: "tcp://127.0.0.1:1"}}, Show: s.show})
	if err == nil || !strings.Contains(err.Error(), "not reached") {
		t.Errorf("a broker that is not there: %v", err)
	}
}

// The same of the device endpoint, by asking the gateway.
func TestAGatewayIsWatched(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.connect(t, "all")
	o := app.WatchOptions{Config: config.Config{HTTP: config.HTTP{Listen: r.app.HTTPAddr().String()}}}
	o.Config.Admin.Key, _ = r.app.AdminKey()
	s, van := &seen{}, &seen{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for _, w := range []*seen{s, van} {
		o := o
		if o.Show = w.show; w == van {
			o.Vehicle = "van"
		}
		go func() { ended <- app.WatchGateway(ctx, o) }()
	}
	for topic, m := range watchMessages() {
		publish(t, c, topic, m[0])
	}
	checkWatched(t, s)
	publish(t, c, "fleet/default/ahead/fix", `{"t":4102444800,"lat":48.1,"lon":11.5}`)
	eventually(t, "the clock that is ahead is told", func() bool {
		return strings.Contains(s.of("fleet/default/ahead/fix"), "gate     fix 1 is implausible: future")
	})
	eventually(t, "the van is shown", func() bool { return van.of("fleet/default/van/fix") != "" })
	stop()
	must(t, <-ended)
	must(t, <-ended)
	if i := slices.IndexFunc(van.all, func(m app.Seen) bool { return m.Topic != "fleet/default/van/fix" }); i >= 0 {
		t.Errorf("of another than the van: %+v", van.all[i])
	}
	if len(s.all) != 5 {
		t.Errorf("%d messages are shown, want each once", len(s.all))
	}
}
