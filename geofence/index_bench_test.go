//go:build unix

package geofence_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// benchSizes are the numbers of fences to measure with; a million takes a minute to draw and 10 GB.
func benchSizes() []int {
	if testing.Short() {
		return []int{1000, 10_000}
	}
	return []int{1000, 10_000, 100_000}
}

// reportCPU adds the processor time per operation: on a busy machine it says more than the time that passed.
func reportCPU(b *testing.B, start syscall.Rusage) {
	var end syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &end) == nil {
		spent := end.Utime.Nano() + end.Stime.Nano() - start.Utime.Nano() - start.Stime.Nano()
		b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	}
}

func cpuStart() (r syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // zero where it is not known
	return r
}

// traffic is positions of many vehicles in the order in which they are heard.
type traffic struct {
	vehicles int
	fixes    []orb.Point // fix i is of vehicle i % vehicles
}

func newTraffic(m *fencetest.Mix, vehicles, rounds int) traffic {
	drives := make([]*fencetest.Drive, vehicles)
	for i := range drives {
		drives[i] = m.Drive()
	}
	t := traffic{vehicles: vehicles}
	for range rounds {
		for _, d := range drives {
			t.fixes = append(t.fixes, d.Next())
		}
	}
	return t
}

// BenchmarkIndex measures one position each: who holds it, what a way of a second touches, the free box, and
// all three together for vehicles that skip while they stay in their box.
func BenchmarkIndex(b *testing.B) {
	for _, n := range benchSizes() {
		m := fencetest.NewMix(1, n)
		fences := m.Fences(n)
		ix := geofence.NewIndex(fences)
		t := newTraffic(m, 10_000, 40)
		b.Run(fmt.Sprintf("fences=%d", n), func(b *testing.B) { benchIndex(b, ix, t) })
		b.Run(fmt.Sprintf("fences=%d/edit", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				ix.With(fences[i%n:i%n+1], nil)
			}
		})
	}
}

func benchIndex(b *testing.B, ix *geofence.Index, t traffic) {
	dst := make([]geofence.Ref, 0, 1000)
	b.Run("containing", func(b *testing.B) {
		b.ReportAllocs()
		found, start := 0, cpuStart()
		for i := 0; b.Loop(); i++ {
			dst = ix.Containing(dst[:0], t.fixes[i%len(t.fixes)])
			found += len(dst)
		}
		reportCPU(b, start)
		b.ReportMetric(float64(found)/float64(b.N), "found/op")
	})
	b.Run("along", func(b *testing.B) {
		b.ReportAllocs()
		start := cpuStart()
		for i := 0; b.Loop(); i++ {
			k := i % (len(t.fixes) - t.vehicles)
			dst = ix.Along(dst[:0], t.fixes[k], t.fixes[k+t.vehicles], 0)
		}
		reportCPU(b, start)
	})
	b.Run("freebox", func(b *testing.B) {
		b.ReportAllocs()
		start := cpuStart()
		for i := 0; b.Loop(); i++ {
			ix.FreeBox(t.fixes[i%len(t.fixes)], reach)
		}
		reportCPU(b, start)
	})
	b.Run("walk", func(b *testing.B) { benchWalk(b, ix, t) })
}

// reach is how far free boxes are searched, in metres.
const reach = 500

// walker is what a vehicle needs to skip.
type walker struct {
	free orb.Bound
	last orb.Point
}

func benchWalk(b *testing.B, ix *geofence.Index, t traffic) {
	b.ReportAllocs()
	walkers := make([]walker, t.vehicles)
	for i := range walkers {
		walkers[i] = walker{ix.FreeBox(t.fixes[i], reach), t.fixes[i]}
	}
	dst := make([]geofence.Ref, 0, 1000)
	skipped, start := 0, cpuStart()
	for i := 0; b.Loop(); i++ {
		p := t.fixes[i%len(t.fixes)]
		w := &walkers[i%t.vehicles]
		if w.free.Contains(p) {
			skipped++
			w.last = p
			continue
		}
		if i%len(t.fixes) >= t.vehicles { // else it starts again from its first position
			dst = ix.Along(dst[:0], w.last, p, 0)
		}
		dst = ix.Containing(dst[:0], p)
		w.free, w.last = ix.FreeBox(p, reach), p
	}
	reportCPU(b, start)
	b.ReportMetric(100*float64(skipped)/float64(b.N), "%skipped")
}

// BenchmarkNewIndex measures how long it takes to prepare fences that are drawn, and what they weigh.
func BenchmarkNewIndex(b *testing.B) {
	for _, n := range benchSizes() {
		fences := fencetest.NewMix(1, n).Fences(n)
		b.Run(fmt.Sprintf("fences=%d", n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var ix *geofence.Index
			for b.Loop() {
				ix = geofence.NewIndex(fences)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/fence")
			runtime.KeepAlive(ix)
		})
	}
}
