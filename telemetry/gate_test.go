package telemetry_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"outrider/telemetry"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a fix taken so many seconds after noon, at a place, received a second later.
func at(seconds float64, lon, lat float64) telemetry.Fix {
	taken := noon.Add(time.Duration(seconds * float64(time.Second)))
	f := telemetry.NewFix("acme", "van", taken, orb.Point{lon, lat})
	f.Received = taken.Add(time.Second)
	return f
}

func received(f telemetry.Fix, when time.Time) telemetry.Fix {
	f.Received = when
	return f
}

func retained(f telemetry.Fix) telemetry.Fix {
	f.Retained = true
	return f
}

func of(tenant telemetry.TenantID, vehicle telemetry.VehicleID, f telemetry.Fix) telemetry.Fix {
	f.Tenant, f.Vehicle = tenant, vehicle
	return f
}

// judged is a fix and what has to be said of it.
type judged struct {
	fix     telemetry.Fix
	verdict telemetry.Verdict
	reason  telemetry.Reason
}

var gateStories = map[string][]judged{
	"in order": {
		{fix: at(0, 11, 48)}, {fix: at(1, 11, 48)}, {fix: at(2, 11.001, 48)},
	},
	"the same again": {
		{fix: at(0, 11, 48)},
		{fix: at(0, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: received(at(0, 11, 48), noon.Add(time.Hour)), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: at(0, 11.00000004, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
	},
	"a batch delivered twice": {
		{fix: at(0, 11, 48)}, {fix: at(1, 11, 48)}, {fix: at(2, 11, 48)},
		{fix: at(0, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: at(1, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: at(2, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: at(3, 11, 48)},
	},
	"late, and then again": {
		{fix: at(10, 11, 48)},
		{fix: at(5, 11, 48), verdict: telemetry.Late},
		{fix: at(5, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: at(6, 11, 48), verdict: telemetry.Late},
		{fix: at(11, 11, 48)},
	},
	"two places at one time": {
		{fix: at(0, 11, 48)}, {fix: at(0, 12, 48), verdict: telemetry.Late},
	},
	"milliseconds tell fixes apart": {
		{fix: at(0, 11, 48)}, {fix: at(0.001, 11, 48)}, {fix: at(0.0011, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
	},
	"a clock in the future is never the newest": {
		{fix: at(0, 11, 48)},
		{fix: received(at(73*365*86400, 11, 48), noon), verdict: telemetry.Implausible, reason: telemetry.ReasonFuture},
		{fix: received(at(301, 11, 48), noon), verdict: telemetry.Implausible, reason: telemetry.ReasonFuture},
		{fix: at(1, 11, 48)},
	},
	"a clock a little ahead is believed": {
		{fix: received(at(300, 11, 48), noon)},
	},
	"a clock that was lost": {
		{fix: received(at(0, 11, 48), time.Time{}), verdict: telemetry.Implausible, reason: telemetry.ReasonFuture},
		{fix: of("acme", "van", telemetry.NewFix("", "", time.Unix(0, 0), orb.Point{11, 48})), verdict: telemetry.Implausible, reason: telemetry.ReasonTooOld},
		{fix: telemetry.NewFix("acme", "van", time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), orb.Point{11, 48}), verdict: telemetry.Implausible, reason: telemetry.ReasonTooOld},
		{fix: received(telemetry.NewFix("acme", "van", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), orb.Point{11, 48}), noon)},
		{fix: telemetry.NewFix("acme", "van", time.Time{}, orb.Point{11, 48}), verdict: telemetry.Implausible, reason: telemetry.ReasonTooOld},
	},
	"null island": {
		{fix: at(0, 11, 48)},
		{fix: at(1, 0, 0), verdict: telemetry.Implausible, reason: telemetry.ReasonNoFix},
		{fix: at(1, 0, 48)}, {fix: at(2, 11, 0)}, {fix: at(3, 0.000001, 0)},
	},
	"places that are none": {
		{fix: at(0, 11, 91), verdict: telemetry.Implausible, reason: telemetry.ReasonRange},
		{fix: at(0, -180.1, 48), verdict: telemetry.Implausible, reason: telemetry.ReasonRange},
		{fix: at(0, math.NaN(), 48), verdict: telemetry.Implausible, reason: telemetry.ReasonRange},
		{fix: at(0, 11, math.Inf(1)), verdict: telemetry.Implausible, reason: telemetry.ReasonRange},
		{fix: at(0, 180, -90)},
	},
	"a copy that a broker kept": {
		{fix: at(10, 11, 48)},
		{fix: retained(at(10, 11, 48)), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: retained(at(5, 11, 48)), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
		{fix: at(5, 11, 48), verdict: telemetry.Late},
		{fix: retained(at(20, 11, 48))},
		{fix: at(20, 11, 48), verdict: telemetry.Duplicate, reason: telemetry.ReasonDuplicate},
	},
	"vehicles do not know each other": {
		{fix: at(10, 11, 48)},
		{fix: of("acme", "bus", at(5, 11, 48))},
		{fix: of("other", "van", at(5, 11, 48))},
		{fix: at(5, 11, 48), verdict: telemetry.Late},
	},
}

func TestGate(t *testing.T) {
	t.Parallel()
	for name, story := range gateStories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := telemetry.NewGate(telemetry.GateOptions{})
			for i, j := range story {
				verdict, reason := g.Admit(&j.fix)
				if verdict != j.verdict || reason != j.reason {
					t.Errorf("fix %d: %s %q, want %s %q", i, verdict, reason, j.verdict, j.reason)
				}
			}
		})
	}
}

// A gate that was saved and restored at any point of a story goes on as if nothing had happened.
func TestGateSnapshotAnywhere(t *testing.T) {
	t.Parallel()
	for name, story := range gateStories {
		g := telemetry.NewGate(telemetry.GateOptions{})
		for i, j := range story {
			g = saved(t, g, telemetry.GateOptions{})
			if verdict, reason := g.Admit(&j.fix); verdict != j.verdict || reason != j.reason {
				t.Errorf("%s: fix %d: %s %q, want %s %q", name, i, verdict, reason, j.verdict, j.reason)
			}
		}
	}
}

func saved(t interface{ Fatal(...any) }, g *telemetry.Gate, o telemetry.GateOptions) *telemetry.Gate {
	var b bytes.Buffer
	if err := g.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	restored := telemetry.NewGate(o)
	if err := restored.Restore(&b); err != nil {
		t.Fatal(err)
	}
	return restored
}

func TestGateWindow(t *testing.T) {
	t.Parallel()
	g := telemetry.NewGate(telemetry.GateOptions{Window: 3})
	admit := func(seconds float64) telemetry.Verdict {
		f := at(seconds, 11, 48)
		v, _ := g.Admit(&f)
		return v
	}
	for i := range 10 {
		admit(float64(i))
	}
	for seconds, want := range map[float64]telemetry.Verdict{9: telemetry.Duplicate, 8: telemetry.Duplicate, 7: telemetry.Duplicate} {
		if got := admit(seconds); got != want {
			t.Errorf("%v s: %s, want %s", seconds, got, want)
		}
	}
	g = saved(t, g, telemetry.GateOptions{Window: 2}) // keeps the newest two
	if got := []telemetry.Verdict{admit(9), admit(8), admit(7)}; !cmp.Equal(got, []telemetry.Verdict{telemetry.Duplicate, telemetry.Duplicate, telemetry.Late}) {
		t.Errorf("with a smaller window: %v", got)
	}
}

func TestGateNewest(t *testing.T) {
	t.Parallel()
	g := telemetry.NewGate(telemetry.GateOptions{FutureTolerance: time.Minute})
	if _, ok := g.Newest("acme", "van"); ok {
		t.Error("a newest of nothing")
	}
	for _, f := range []telemetry.Fix{at(5, 11, 48), at(1, 11, 48), received(at(90, 11, 48), noon)} {
		g.Admit(&f)
	}
	if newest, ok := g.Newest("acme", "van"); !ok || !newest.Equal(noon.Add(5*time.Second)) {
		t.Errorf("newest %s", newest)
	}
}

func TestGateRestoreRefusesWhatIsNoSnapshot(t *testing.T) {
	t.Parallel()
	g := telemetry.NewGate(telemetry.GateOptions{})
	known := at(0, 11, 48)
	g.Admit(&known)
	var good bytes.Buffer
	if err := g.Snapshot(&good); err != nil {
		t.Fatal(err)
	}
	for n := range good.Len() {
		if err := g.Restore(bytes.NewReader(good.Bytes()[:n])); !errors.Is(err, telemetry.ErrSnapshot) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		flipped := bytes.Clone(good.Bytes())
		flipped[n] ^= 4
		if err := g.Restore(bytes.NewReader(flipped)); !errors.Is(err, telemetry.ErrSnapshot) {
			t.Fatalf("byte %d flipped: %v", n, err)
		}
	}
	if v, _ := g.Admit(&known); v != telemetry.Duplicate {
		t.Errorf("after restores that went wrong: %s", v)
	}
}

// Equal inputs give equal verdicts and equal bytes, and the newest never goes back.
func TestGateIsDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := telemetry.NewGate(telemetry.GateOptions{Window: 4}), telemetry.NewGate(telemetry.GateOptions{Window: 4})
		var last time.Time
		for range rapid.IntRange(1, 50).Draw(t, "fixes") {
			f := at(float64(rapid.IntRange(-20, 20).Draw(t, "seconds")), float64(rapid.IntRange(0, 1).Draw(t, "lon")), 48)
			f.Retained = rapid.Bool().Draw(t, "retained")
			va, ra := a.Admit(&f)
			vb, rb := b.Admit(&f)
			if va != vb || ra != rb {
				t.Fatalf("%s %q and %s %q", va, ra, vb, rb)
			}
			newest, _ := a.Newest(f.Tenant, f.Vehicle)
			if newest.Before(last) || va == telemetry.Admitted && !newest.Equal(f.Time) {
				t.Fatalf("newest %s after %s", newest, last)
			}
			last = newest
			if rapid.Bool().Draw(t, "save") {
				a = saved(t, a, telemetry.GateOptions{Window: 4})
			}
		}
		var sa, sb bytes.Buffer
		if a.Snapshot(&sa) != nil || b.Snapshot(&sb) != nil || !bytes.Equal(sa.Bytes(), sb.Bytes()) {
			t.Fatal("snapshots differ")
		}
	})
}

func TestAdmitAllocatesNothingForAKnownVehicle(t *testing.T) {
	g := telemetry.NewGate(telemetry.GateOptions{})
	f := at(0, 11, 48)
	admit := func() {
		f.Time, f.Received = f.Time.Add(time.Second), f.Received.Add(time.Second)
		g.Admit(&f)
	}
	for range 200 {
		admit()
	}
	if n := testing.AllocsPerRun(100, admit); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzGateRestore(f *testing.F) {
	f.Add([]byte{1, 1, 'a', 1, 'b', 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, body []byte) {
		b := append([]byte("outrider-gate-1\n"), body...)
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
		g := telemetry.NewGate(telemetry.GateOptions{})
		if err := g.Restore(bytes.NewReader(b)); err != nil && !errors.Is(err, telemetry.ErrSnapshot) {
			t.Fatal(err)
		}
	})
}

func ExampleGate() {
	gate := telemetry.NewGate(telemetry.GateOptions{})
	taken := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, later := range []time.Duration{0, time.Second, time.Second, -time.Minute, 24 * time.Hour} {
		fix := telemetry.NewFix("acme", "van", taken.Add(later), orb.Point{11.5, 48.1})
		fix.Received = taken.Add(2 * time.Second)
		verdict, reason := gate.Admit(&fix)
		fmt.Printf("%s %q\n", verdict, reason)
	}
	// Output:
	// admitted ""
	// admitted ""
	// duplicate "duplicate"
	// late ""
	// implausible "future"
}

func BenchmarkGate(b *testing.B) {
	g := telemetry.NewGate(telemetry.GateOptions{})
	fixes := make([]telemetry.Fix, 1000)
	for i := range fixes {
		fixes[i] = of("acme", telemetry.VehicleID(fmt.Sprint("van-", i)), at(0, 11, 48))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		f := &fixes[i%len(fixes)]
		f.Time, f.Received = f.Time.Add(time.Second), f.Received.Add(time.Second)
		g.Admit(f)
		i++
	}
}
