package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"outrider/simulator"
)

// broker is a small MQTT broker that keeps what it acknowledged, and can cut connections at any moment.
type broker struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex // guards what follows
	conns map[net.Conn]bool
	got   map[string][]string // by topic: payloads, in the order in which they came
	cutIn int                 // publishes until the connection is cut, before or after its acknowledgement; 0: never
	cuts  int
	rand  *rand.Rand
}

func listen(t *testing.T) *broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{listener: l, conns: map[net.Conn]bool{}, got: map[string][]string{}, rand: rand.New(rand.NewPCG(1, 2))}
	b.wg.Go(b.accept)
	t.Cleanup(func() {
		_ = l.Close()
		b.mu.Lock()
		for c := range b.conns {
			_ = c.Close()
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	return b
}

func (b *broker) url() string { return "tcp://" + b.listener.Addr().String() }

func (b *broker) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[c] = true
		b.mu.Unlock()
		b.wg.Go(func() { b.serve(c) })
	}
}

func (b *broker) serve(c net.Conn) {
	defer c.Close()
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *packets.ConnectPacket:
			err = packets.NewControlPacket(packets.Connack).Write(c)
		case *packets.PublishPacket:
			keep, answer := b.publish(p)
			if !keep || !answer {
				return
			}
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = p.MessageID
			err = ack.Write(c)
		case *packets.DisconnectPacket:
			return
		}
		if err != nil {
			return
		}
	}
}

// publish decides whether a message is kept, and whether it is acknowledged.
func (b *broker) publish(p *packets.PublishPacket) (keep, answer bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	keep, answer = true, true
	if b.cutIn > 0 {
		if b.cutIn--; b.cutIn == 0 {
			b.cuts++
			b.cutIn = 1 + b.rand.IntN(60)
			keep, answer = b.rand.IntN(2) == 0, false
		}
	}
	if keep {
		b.got[p.TopicName] = append(b.got[p.TopicName], string(p.Payload))
	}
	return keep, answer
}

func fleetFor(t *testing.T, o simulator.FleetOptions) *simulator.Fleet {
	t.Helper()
	o.Start, o.Seed = start, 1
	return simulator.NewFleet(simulator.NewCity(1), o)
}

// TestNothingIsLost cuts connections at random and looks for every fix, in order, in what was received.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 3, -1} {
		t.Run(fmt.Sprintf("%d connections", connections), func(t *testing.T) {
			t.Parallel()
			b := listen(t)
			b.cutIn = 20
			fleet := fleetFor(t, simulator.FleetOptions{Vehicles: 7})
			p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{
				URL: b.url(), Unpaced: true, Duration: 2 * time.Minute, Connections: connections, RetryMax: 20 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := p.Run(ctx); err != nil {
				t.Fatal(err)
			}
			s := p.Stats()
			if s.Published != s.Acknowledged || s.Published < 7*120 || b.cuts == 0 || s.Repeated == 0 || s.Connected != 0 {
				t.Errorf("stats %+v after %d cuts", s, b.cuts)
			}
			if n := len(b.got); n != 7 {
				t.Fatalf("%d topics, want 7", n)
			}
			for topic, payloads := range b.got {
				checkOrder(t, topic, payloads)
			}
		})
	}
}

// checkOrder wants each second once, in order, when repeats are left out.
func checkOrder(t *testing.T, topic string, payloads []string) {
	t.Helper()
	seen := map[float64]bool{}
	newest := 0.0
	for _, p := range payloads {
		var fix struct{ T, Lat, Lon, Acc, Spd, Hdg float64 }
		if err := json.Unmarshal([]byte(p), &fix); err != nil {
			t.Fatalf("%s: %s: %v", topic, p, err)
		}
		if seen[fix.T] {
			continue // a repeat
		}
		seen[fix.T] = true
		if newest != 0 && (fix.T-newest < 0.999 || fix.T-newest > 1.001) {
			t.Fatalf("%s: from %.3f to %.3f: a fix is missing or out of order", topic, newest, fix.T)
		}
		newest = fix.T
	}
}

func TestTruthEndsWhereEachVehicleEnded(t *testing.T) {
	t.Parallel()
	b := listen(t)
	fleet := fleetFor(t, simulator.FleetOptions{Vehicles: 10})
	p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{URL: b.url(), Unpaced: true, Duration: 5 * time.Minute, InFlight: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	truth := p.Truth()
	if len(truth) == 0 {
		t.Fatal("nothing happened")
	}
	for _, c := range truth {
		fix, _, ok := p.LastPublished(c.Vehicle, time.Now())
		if !ok || c.Unsettled || fix.Sub(c.Time) < 9*time.Second {
			t.Errorf("%+v, but %s ended at %s", c, c.Vehicle, fix)
		}
	}
	if err := p.Run(t.Context()); !errors.Is(err, simulator.ErrAlreadyRun) {
		t.Errorf("the second run gave %v", err)
	}
}

func TestHaltLeavesTheLastMomentsUnsettled(t *testing.T) {
	t.Parallel()
	b := listen(t)
	fleet := fleetFor(t, simulator.FleetOptions{Vehicles: 20})
	p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{URL: b.url(), Speed: 2000, Settle: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- p.Run(t.Context()) }()
	waitUntil(t, func() bool { return p.Stats().Newest.Sub(start) > 10*time.Minute })
	if err := p.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err != nil {
		t.Errorf("run: %v", err)
	}
	if s := p.Stats(); s.Acknowledged != s.Published {
		t.Errorf("stats %+v", s)
	}
	truth := p.Truth()
	open := 0
	for _, c := range truth {
		fix, _, _ := p.LastPublished(c.Vehicle, time.Now())
		if c.Time.After(fix) {
			t.Errorf("%+v lies after the last fix, %s", c, fix)
		}
		if c.Unsettled {
			open++
		}
		if c.Unsettled != (fix.Sub(c.Time) < time.Minute) {
			t.Errorf("%+v, ended at %s", c, fix)
		}
	}
	if open == 0 || open == len(truth) {
		t.Errorf("%d of %d crossings are unsettled", open, len(truth))
	}
}

func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("waited for too long")
		}
		time.Sleep(time.Millisecond) // a poll of a condition
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p, err := simulator.NewPublisher(fleetFor(t, simulator.FleetOptions{Vehicles: 2}), simulator.PublisherOptions{URL: "tcp://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, cause)
	defer cancel()
	if err := p.Run(ctx); !errors.Is(err, cause) {
		t.Errorf("run: %v", err)
	}
}

func TestPublishedTimes(t *testing.T) {
	t.Parallel()
	b := listen(t)
	fleet := fleetFor(t, simulator.FleetOptions{Vehicles: 1})
	p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{URL: b.url(), Unpaced: true, Duration: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wall, ok := p.Published("van-001", fleet.FixTime(0, 30))
	if !ok || wall.Before(before) || wall.After(time.Now()) {
		t.Errorf("published at %s, %t", wall, ok)
	}
	if _, ok := p.Published("van-001", start.Add(-time.Hour)); ok {
		t.Error("a fix that never was is known")
	}
	if _, _, ok := p.LastPublished("van-001", before.Add(-time.Second)); ok {
		t.Error("something was published before the beginning")
	}
}

func TestOwnTracks(t *testing.T) {
	t.Parallel()
	b := listen(t)
	fleet := fleetFor(t, simulator.FleetOptions{Vehicles: 1, WholeSeconds: true, Name: simulator.UserDevice})
	p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{URL: b.url(), Unpaced: true, Duration: time.Minute, Format: simulator.OwnTracks})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var fix struct {
		Type string `json:"_type"`
		Tst  int64
		Lat  float64
		Vel  int
	}
	payload := b.got["owntracks/van-001/tracker"][30]
	if err := json.Unmarshal([]byte(payload), &fix); err != nil {
		t.Fatal(err)
	}
	if fix.Type != "location" || fix.Tst != start.Unix()+30 || fix.Lat < 48 {
		t.Errorf("payload %s", payload)
	}
}

func TestRefusedOptions(t *testing.T) {
	t.Parallel()
	plain := fleetFor(t, simulator.FleetOptions{Vehicles: 1})
	whole := fleetFor(t, simulator.FleetOptions{Vehicles: 1, WholeSeconds: true})
	cases := []struct {
		name    string
		fleet   *simulator.Fleet
		options simulator.PublisherOptions
		word    string
	}{
		{"no URL", plain, simulator.PublisherOptions{}, "URL"},
		{"unknown format", plain, simulator.PublisherOptions{URL: "tcp://x", Format: "morse"}, "morse"},
		{"owntracks with fractions", plain, simulator.PublisherOptions{URL: "tcp://x", Format: simulator.OwnTracks}, "WholeSeconds"},
		{"owntracks without device", whole, simulator.PublisherOptions{URL: "tcp://x", Format: simulator.OwnTracks}, "user/device"},
		{"negative speed", plain, simulator.PublisherOptions{URL: "tcp://x", Speed: -1}, "speed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := simulator.NewPublisher(c.fleet, c.options); err == nil || !strings.Contains(err.Error(), c.word) {
				t.Errorf("error %v does not speak of %q", err, c.word)
			}
		})
	}
}

// TestRealTimeKeepsTheFixesOwnTimes runs two seconds of the wall clock.
func TestRealTimeKeepsTheFixesOwnTimes(t *testing.T) {
	t.Parallel()
	b := listen(t)
	fleet := simulator.NewFleet(simulator.NewCity(1), simulator.FleetOptions{
		Vehicles: 3, Start: time.Now(), Interval: 200 * time.Millisecond,
	})
	p, err := simulator.NewPublisher(fleet, simulator.PublisherOptions{URL: b.url(), Duration: time.Second, Settle: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var late []time.Duration
	for n := range 5 {
		fix := fleet.FixTime(1, n)
		wall, ok := p.Published(fleet.Vehicle(1), fix)
		if !ok {
			t.Fatalf("fix %d was not published", n)
		}
		late = append(late, wall.Sub(fix))
	}
	if slices.Min(late) < 0 || slices.Min(late) > 150*time.Millisecond {
		t.Errorf("fixes were published %v after their times", late)
	}
}
