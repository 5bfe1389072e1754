package journaltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"

	"outrider/journal"
	"outrider/telemetry"
)

// Partitions is how many partitions the journals under test have.
const Partitions = 4

// Run tests journals made by open. Called twice with the same directory, after the first journal was closed,
// open gives the same journal again.
func Run(t *testing.T, open func(t *testing.T, dir string) journal.Journal) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"keeps fixes as they were", keepsFixes},
		{"keeps the order of each vehicle", keepsOrder},
		{"many callers append at once", manyCallers},
		{"a reader waits for what comes", readerWaits},
		{"a reader that is not waited for ends", readerEnds},
		{"reads from any position", readsFromAnywhere},
		{"survives being opened again", survives},
		{"says its bounds", bounds},
		{"says the bounds of each partition", boundsOfEach},
		{"an idle partition loses nothing", idlePartition},
		{"may forget what was trimmed, and says so", trims},
		{"keeps the newest snapshot", snapshots},
		{"leaves the old snapshot when a new one fails", failedSnapshot},
		{"refuses work when it is closed", closed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := &bench{dir: t.TempDir(), open: open}
			b.start(t)
			test.run(t, b)
		})
	}
}

// bench is a journal under test.
type bench struct {
	dir  string
	open func(*testing.T, string) journal.Journal
	j    journal.Journal
}

func (b *bench) start(t *testing.T) {
	b.j = b.open(t, b.dir)
	t.Cleanup(func() { _ = b.j.Close() })
}

func (b *bench) reopen(t *testing.T) {
	t.Helper()
	if err := b.j.Close(); err != nil {
		t.Fatal(err)
	}
	b.start(t)
}

// Fix is the nth fix of a vehicle, each different in every field.
func Fix(vehicle string, n int) telemetry.Fix {
	f := telemetry.NewFix("acme", telemetry.VehicleID(vehicle), time.UnixMilli(1_700_000_000_000+int64(n)).UTC(), orb.Point{float64(n) / 1e6, -float64(n) / 2e6})
	f.Received = time.UnixMicro(1_700_000_000_500_000 + int64(n)).UTC()
	f.Accuracy = float64(n)
	f.Ignition = telemetry.Tristate(n % 3)
	f.Retained = n%2 == 1
	return f
}

var sameFix = cmp.Options{cmpopts.EquateNaNs()}

func (b *bench) append(t *testing.T, fixes ...telemetry.Fix) {
	t.Helper()
	if err := b.j.Append(t.Context(), fixes); err != nil {
		t.Fatal(err)
	}
}

// all reads a partition from a position until n entries are there.
func (b *bench) all(t *testing.T, p int, from journal.Position, n int) []journal.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all []journal.Entry
	for len(all) < n {
		got, err := b.j.Read(ctx, p, from, make([]journal.Entry, 0, 7))
		if err != nil {
			t.Fatalf("after %d of %d entries: %v", len(all), n, err)
		}
		all = append(all, got...)
		from = all[len(all)-1].Position + 1
	}
	return all
}

func partition(vehicle string) int {
	return journal.PartitionOf("acme", telemetry.VehicleID(vehicle), Partitions)
}

func keepsFixes(t *testing.T, b *bench) {
	f := Fix("van", 5)
	f.Speed, f.Heading, f.Altitude, f.HDOP = 1.5, 359.9, -3, math.Inf(1)
	g := telemetry.NewFix("", "", time.UnixMilli(-5).UTC(), orb.Point{-180, 90})
	g.Received = time.UnixMicro(0).UTC()
	b.append(t, f)
	b.append(t, g)
	if diff := cmp.Diff(f, b.all(t, partition("van"), 0, 1)[0].Fix, sameFix); diff != "" {
		t.Error(diff)
	}
	p := journal.PartitionOf("", "", Partitions)
	got := b.all(t, p, 0, 1)
	if diff := cmp.Diff(g, got[len(got)-1].Fix, sameFix); p != partition("van") && diff != "" {
		t.Error(diff)
	}
}

func keepsOrder(t *testing.T, b *bench) {
	for n := range 300 {
		b.append(t, Fix("a", 2*n), Fix("b", 2*n), Fix("a", 2*n+1))
	}
	next := map[telemetry.VehicleID]int{}
	seen := 0
	for p := range Partitions {
		last := journal.Position(0)
		want := 0
		for v, n := range map[string]int{"a": 600, "b": 300} {
			if partition(v) == p {
				want += n
			}
		}
		for _, e := range b.all(t, p, 0, want) {
			if e.Position <= last {
				t.Fatalf("position %d after %d", e.Position, last)
			}
			last = e.Position
			step := 1
			if e.Fix.Vehicle == "b" {
				step = 2
			}
			if got := int(e.Fix.Accuracy); got != next[e.Fix.Vehicle] {
				t.Fatalf("%s: fix %d, want %d", e.Fix.Vehicle, got, next[e.Fix.Vehicle])
			}
			next[e.Fix.Vehicle] += step
			seen++
		}
	}
	if seen != 900 {
		t.Errorf("read %d fixes, want 900", seen)
	}
}

func manyCallers(t *testing.T, b *bench) {
	const callers, each = 32, 50
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := range each {
				if err := b.j.Append(t.Context(), []telemetry.Fix{Fix(fmt.Sprint("van", c), n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.reopen(t)
	wants := make([]int, Partitions)
	for c := range callers {
		wants[partition(fmt.Sprint("van", c))] += each
	}
	next := map[telemetry.VehicleID]int{}
	for p, want := range wants {
		for _, e := range b.all(t, p, 0, want) {
			if got := int(e.Fix.Accuracy); got != next[e.Fix.Vehicle] {
				t.Fatalf("%s: fix %d, want %d", e.Fix.Vehicle, got, next[e.Fix.Vehicle])
			}
			next[e.Fix.Vehicle]++
		}
	}
}

func readerWaits(t *testing.T, b *bench) {
	got := make(chan []journal.Entry)
	go func() {
		entries, err := b.j.Read(t.Context(), partition("van"), 0, make([]journal.Entry, 0, 8))
		if err != nil {
			t.Error(err)
		}
		got <- entries
	}()
	b.append(t, Fix("van", 1))
	if entries := <-got; len(entries) != 1 || entries[0].Fix.Accuracy != 1 {
		t.Errorf("read %v", entries)
	}
}

func readerEnds(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := b.j.Read(ctx, 0, 0, make([]journal.Entry, 0, 8)); !errors.Is(err, enough) {
		t.Errorf("got %v, want the cause of the context", err)
	}
}

func readsFromAnywhere(t *testing.T, b *bench) {
	for n := range 40 {
		b.append(t, Fix("van", n))
	}
	all := b.all(t, partition("van"), 0, 40)
	b.reopen(t)
	for i, e := range all {
		rest := b.all(t, partition("van"), e.Position, 40-i)
		if diff := cmp.Diff(all[i:], rest, sameFix); diff != "" {
			t.Fatal(diff)
		}
	}
}

func survives(t *testing.T, b *bench) {
	b.append(t, Fix("van", 1), Fix("van", 2))
	before := b.all(t, partition("van"), 0, 2)
	b.reopen(t)
	b.append(t, Fix("van", 3))
	after := b.all(t, partition("van"), 0, 3)
	if diff := cmp.Diff(before, after[:2], sameFix); diff != "" {
		t.Error(diff)
	}
	if after[2].Fix.Accuracy != 3 || after[2].Position <= after[1].Position {
		t.Errorf("the new entry is %+v", after[2])
	}
}

func bounds(t *testing.T, b *bench) {
	p := partition("van")
	first, next, err := b.j.Bounds(t.Context(), p)
	if err != nil || first != next {
		t.Errorf("empty: %d to %d, %v", first, next, err)
	}
	b.append(t, Fix("van", 1))
	entry := b.all(t, p, 0, 1)[0]
	first, next, err = b.j.Bounds(t.Context(), p)
	if err != nil || entry.Position < first || entry.Position >= next {
		t.Errorf("entry at %d, bounds %d to %d, %v", entry.Position, first, next, err)
	}
}

// vehicles returns two vehicles of different partitions.
func vehicles(t *testing.T) (one, other string) {
	t.Helper()
	for i := range 100 {
		if other = fmt.Sprint("bus", i); partition(other) != partition("van") {
			return "van", other
		}
	}
	t.Fatal("all vehicles are in one partition")
	return "", ""
}

// boundsOfEach: a reader that reads up to next must never wait, whatever other partitions hold.
func boundsOfEach(t *testing.T, b *bench) {
	van, bus := vehicles(t)
	check := func(when string) {
		t.Helper()
		for _, v := range []string{van, bus} {
			newest := b.all(t, partition(v), 0, 2)[1].Position
			if _, next, err := b.j.Bounds(t.Context(), partition(v)); err != nil || next != newest+1 {
				t.Errorf("%s: newest entry of %s at %d, next %d, %v", when, v, newest, next, err)
			}
		}
	}
	b.append(t, Fix(van, 1), Fix(bus, 1), Fix(van, 2))
	b.append(t, Fix(bus, 2))
	check("live")
	b.reopen(t)
	check("opened again")
}

// idlePartition: what others append and trim is nothing to a partition that waits at its end.
func idlePartition(t *testing.T, b *bench) {
	van, bus := vehicles(t)
	b.append(t, Fix(bus, 1))
	end := b.all(t, partition(bus), 0, 1)[0].Position + 1
	for n := range 200 {
		b.append(t, Fix(van, n))
	}
	_, next, err := b.j.Bounds(t.Context(), partition(van))
	if err != nil {
		t.Fatal(err)
	}
	for p, at := range map[int]journal.Position{partition(van): next, partition(bus): end} {
		if err := b.j.Trim(t.Context(), p, at); err != nil {
			t.Fatal(err)
		}
	}
	b.reopen(t)
	first, next, err := b.j.Bounds(t.Context(), partition(bus))
	if err != nil || first > next || next != end {
		t.Errorf("bounds %d to %d, %v; want next %d", first, next, err, end)
	}
	b.append(t, Fix(bus, 2))
	if e := b.all(t, partition(bus), end, 1)[0]; e.Fix.Accuracy != 2 {
		t.Errorf("read fix %v, want 2", e.Fix.Accuracy)
	}
}

func trims(t *testing.T, b *bench) {
	for n := range 400 {
		b.append(t, Fix("van", n))
	}
	p := partition("van")
	all := b.all(t, p, 0, 400)
	keep := all[200].Position
	for q := range Partitions {
		if err := b.j.Trim(t.Context(), q, keep); err != nil {
			t.Fatal(err)
		}
	}
	b.reopen(t)
	first, _, err := b.j.Bounds(t.Context(), p)
	if err != nil || first > keep {
		t.Fatalf("kept from %d, needed from %d, %v", first, keep, err)
	}
	if diff := cmp.Diff(all[200:], b.all(t, p, keep, 200), sameFix); diff != "" {
		t.Error(diff)
	}
	if first > all[0].Position {
		_, err := b.j.Read(t.Context(), p, all[0].Position, make([]journal.Entry, 0, 1))
		if !errors.Is(err, journal.ErrTrimmed) {
			t.Errorf("reading what is gone: %v, want ErrTrimmed", err)
		}
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func (b *bench) snapshot(t *testing.T, p int) (journal.Position, string) {
	t.Helper()
	at, r, err := b.j.LoadSnapshot(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return at, string(raw)
}

func snapshots(t *testing.T, b *bench) {
	ctx := t.Context()
	if _, _, err := b.j.LoadSnapshot(ctx, 2); !errors.Is(err, journal.ErrNoSnapshot) {
		t.Errorf("got %v, want ErrNoSnapshot", err)
	}
	for i, s := range []string{"first", "", "the newest\n\x00"} {
		if err := b.j.SaveSnapshot(ctx, 2, journal.Position(10*i), text(s)); err != nil {
			t.Fatal(err)
		}
	}
	b.reopen(t)
	if at, s := b.snapshot(t, 2); at != 20 || s != "the newest\n\x00" {
		t.Errorf("got %q at %d", s, at)
	}
	if _, _, err := b.j.LoadSnapshot(ctx, 1); !errors.Is(err, journal.ErrNoSnapshot) {
		t.Errorf("another partition: got %v, want ErrNoSnapshot", err)
	}
}

func failedSnapshot(t *testing.T, b *bench) {
	ctx := t.Context()
	if err := b.j.SaveSnapshot(ctx, 0, 7, text("whole")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := b.j.SaveSnapshot(ctx, 0, 8, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if at, s := b.snapshot(t, 0); at != 7 || s != "whole" {
		t.Errorf("got %q at %d", s, at)
	}
}

func closed(t *testing.T, b *bench) {
	if err := b.j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.j.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if err := b.j.Append(t.Context(), []telemetry.Fix{Fix("van", 1)}); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append: %v, want ErrClosed", err)
	}
	if _, err := b.j.Read(t.Context(), 0, 0, make([]journal.Entry, 0, 1)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("read: %v, want ErrClosed", err)
	}
}
