package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"outrider/simulator"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	cases := []struct {
		args, word string
	}{
		{"", "want a command"},
		{"sing", "want a command"},
		{"fleet", "nothing to do"},
		{"fleet --broker tcp://x --vehicles 0", "at least 1"},
		{"fleet --broker tcp://x extra", "extra"},
		{"fleet --broker tcp://x --format morse", "morse"},
		{"fleet --broker tcp://x --gaps 2", "no share"},
		{"fleet --broker tcp://x --password-file /nowhere/at/all", "password"},
		{"graph --page 500", "three parts"},
		{"graph --listen 127.0.0.1:0 --person 9:7001:Ann", "no such page"},
		{"graph --listen 127.0.0.1:99999", "--listen"},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), strings.Fields(c.args), nil, &out)
			if err == nil || !strings.Contains(err.Error(), c.word) {
				t.Errorf("gave %v, want a word of %q", err, c.word)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"fleet", "--help"}, {"graph", "--help"}} {
		var out bytes.Buffer
		if err := run(t.Context(), args, nil, &out); !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "-seed") {
			t.Errorf("%v: %v, %s", args, err, out.String())
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"help"}, nil, &out); err != nil || !strings.Contains(out.String(), "simulator graph") {
		t.Errorf("help: %v, %s", err, out.String())
	}
}

func TestFencesToStandardOutput(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"fleet", "--fences", "-"}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) {
		t.Errorf("not JSON: %s", out.String())
	}
}

func TestGraphEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, []string{"graph", "--listen", "127.0.0.1:0"}, strings.NewReader(""), &out); err != nil {
		t.Error(err)
	}
}

func TestFastFleetsStartInThePast(t *testing.T) {
	t.Parallel()
	f, err := parseFleet([]string{"--broker", "tcp://x", "--speed", "10", "--duration", "1h", "--rate", "5", "--vehicles", "10"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if past := time.Since(f.options.Fleet.Start); past < time.Hour {
		t.Errorf("starts %s ago", past)
	}
	if f.options.Fleet.Interval != 2*time.Second {
		t.Errorf("interval %s", f.options.Fleet.Interval)
	}
}

func TestFaultsAreFlags(t *testing.T) {
	t.Parallel()
	args := strings.Fields("--broker tcp://x --jitter 2s --gaps 0.5 --tunnels 0.25 --duplicates 0.1 --skew 30s")
	f, err := parseFleet(args, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	want := simulator.Faults{Jitter: 2 * time.Second, Gaps: 0.5, Tunnels: 0.25, Duplicates: 0.1, Skew: 30 * time.Second}
	if got := f.options.Publisher.Faults; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheBarShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	f, err := parseFleet(strings.Fields("--broker tcp://x --vehicles 10 --rate 5 --duration 1m"), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	show := f.bar(&out)
	show(simulator.Stats{Acknowledged: 150, Connected: 3})
	if !strings.Contains(out.String(), "(150/300") || !strings.Contains(out.String(), "3 connected") {
		t.Errorf("%q", out.String())
	}
	show(simulator.Stats{Acknowledged: 310})
	if !strings.Contains(out.String(), "100%") {
		t.Errorf("%q", out.String())
	}
}
