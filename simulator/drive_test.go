package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"outrider/simulator"
)

func TestDrive(t *testing.T) {
	t.Parallel()
	b := listen(t)
	s, err := simulator.Drive(t.Context(), simulator.DriveOptions{
		Seed: 3, Fleet: simulator.FleetOptions{Vehicles: 5, Start: start},
		Publisher: simulator.PublisherOptions{URL: b.url(), Unpaced: true, Duration: 10 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Stats.Acknowledged < 5*600 || len(s.Truth) == 0 {
		t.Errorf("summary\n%s", s)
	}
	var lines bytes.Buffer
	if err := simulator.WriteTruth(&lines, s.Truth); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(lines.String(), "\n")
	var c simulator.Crossing
	if err := json.Unmarshal([]byte(first), &c); err != nil || c != s.Truth[0] {
		t.Errorf("first line %s, want %+v", first, s.Truth[0])
	}
}

func TestInterruptedDriveStillSums(t *testing.T) {
	t.Parallel()
	b := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	var lines bytes.Buffer
	go func() {
		waitFor(b, 100)
		cancel()
	}()
	s, err := simulator.Drive(ctx, simulator.DriveOptions{
		Fleet: simulator.FleetOptions{Vehicles: 5, Start: start}, Progress: &lines, Every: 10 * time.Millisecond,
		Publisher: simulator.PublisherOptions{URL: b.url(), Speed: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Stats.Published < 100 || s.Stats.Acknowledged != s.Stats.Published {
		t.Errorf("summary\n%s", s)
	}
	if !strings.Contains(lines.String(), "acknowledged") {
		t.Errorf("progress %q", lines.String())
	}
}

// waitFor waits until the broker has received n messages.
func waitFor(b *broker, n int) {
	for {
		b.mu.Lock()
		got := 0
		for _, payloads := range b.got {
			got += len(payloads)
		}
		b.mu.Unlock()
		if got >= n {
			return
		}
		time.Sleep(time.Millisecond) // a poll of a condition
	}
}
