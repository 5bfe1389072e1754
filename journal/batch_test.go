package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"

	"outrider/journal"
	"outrider/telemetry"
)

func batch() []telemetry.Fix {
	bare := telemetry.NewFix("acme", "van", time.UnixMilli(1_764_000_000_123).UTC(), orb.Point{11.5, 48.25})
	bare.Received = time.UnixMicro(1_764_000_000_456_789).UTC()
	full := bare
	full.Vehicle = "ünïcode/ \x00"
	full.Battery = 81.5
	full.Accuracy, full.Speed, full.Heading, full.Altitude, full.HDOP = 1.5, 0, math.Copysign(0, -1), math.Inf(-1), 1e-300
	full.Ignition, full.Retained = telemetry.No, true
	empty := telemetry.NewFix("", "", time.UnixMilli(-1).UTC(), orb.Point{-180, -90})
	empty.Received = time.UnixMicro(-1).UTC()
	empty.Ignition = telemetry.Yes
	return []telemetry.Fix{bare, full, empty}
}

func TestABatchComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for n := range len(batch()) + 1 {
		want := batch()[:n]
		got, err := journal.DecodeBatch(nil, journal.AppendBatch(nil, want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
}

// A journal of the version before, whose fixes have no battery, is read on.
func TestABatchOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	whole := journal.AppendBatch(nil, batch()[:1])
	flags := len(whole) - 1 // behind the battery
	old := append([]byte{1}, whole[1:flags-8]...)
	got, err := journal.DecodeBatch(nil, append(old, whole[flags]))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(batch()[:1], got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

func TestABatchThatIsCutOrChangedIsRefused(t *testing.T) {
	t.Parallel()
	whole := journal.AppendBatch(nil, batch())
	before := batch()[:1]
	for cut := range whole {
		got, err := journal.DecodeBatch(before, whole[:cut])
		if !errors.Is(err, journal.ErrBatch) || len(got) != 1 {
			t.Errorf("cut at %d: %d fixes, %v", cut, len(got), err)
		}
	}
	for name, b := range map[string][]byte{
		"another version": append([]byte{9}, whole[1:]...),
		"too long":        append(whole[:len(whole):len(whole)], 0),
		"too many":        {1, 0xff, 0xff, 0xff, 0xff, 0x0f},
	} {
		if _, err := journal.DecodeBatch(nil, b); !errors.Is(err, journal.ErrBatch) {
			t.Errorf("%s: got %v, want ErrBatch", name, err)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	for n := range len(batch()) + 1 {
		f.Add(journal.AppendBatch(nil, batch()[:n]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fixes, err := journal.DecodeBatch(nil, b)
		if err != nil {
			return
		}
		written := journal.AppendBatch(nil, fixes)
		again, err := journal.DecodeBatch(nil, written)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(journal.AppendBatch(nil, again), written) { // bit by bit, NaNs included
			t.Fatalf("%v became %v", fixes, again)
		}
	})
}

func ExampleAppendBatch() {
	f := telemetry.NewFix("acme", "van", time.UnixMilli(0).UTC(), orb.Point{11.5, 48.25})
	fixes, err := journal.DecodeBatch(nil, journal.AppendBatch(nil, []telemetry.Fix{f}))
	fmt.Println(fixes[0].Vehicle, fixes[0].Point, fixes[0].Speed, err)
	// Output: van [11.5 48.25] NaN <nil>
}

func ExamplePartitionOf() {
	fmt.Println(journal.PartitionOf("acme", "van", 4), journal.PartitionOf("acme", "van", 4), journal.PartitionOf("acme", "bus", 1))
	// Output: 2 2 0
}
