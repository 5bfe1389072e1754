package peers

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"outrider/geofence"
)

// table asks for the table; it takes minutes.
var table = flag.Bool("table", false, "print the table of the engine beside other libraries")

const (
	rounds = 5      // of each contender, one after the other; the best of each counts
	aRound = 40_000 // positions of a round
	edits  = 200
)

// contender is a way to find out about one position.
type contender struct {
	name  string
	step  func(i int) // of the i-th position
	every int         // looks at one of so many positions, since it is slow
	best  float64     // ns of processor time for a position
	moves float64     // allocations for a position
}

// TestTable prints what the engine takes beside other libraries, in processor time of one run: on a busy machine the
// ratios say more than the figures.
//
//	go test . -run Table -v -timeout 0 -args -table
//
// PEERS_FENCES=1000000 asks for other numbers of fences.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("-args -table prints it")
	}
	for _, n := range sizes(t, 1000, 10_000, 100_000) {
		w := newWorld(n, 10_000, 60)
		t.Logf("%d fences, 10,000 vehicles, one position a second\n%s", n, w.compare(t))
	}
}

// compare measures everything at one number of fences.
func (w *world) compare(tb testing.TB) string {
	var text strings.Builder
	before := heap()
	began := time.Now()
	ix := w.outrider(tb)
	built := time.Since(began)
	fmt.Fprintf(&text, "build of the index %.1f s, %d bytes a fence\n", built.Seconds(), (heap()-before)/len(w.drawings))
	skipped := 0
	all := []*contender{
		{name: "each position evaluated", step: w.evaluated(ix), every: 1},
		{name: "with a cursor a vehicle", step: w.followed(ix, &skipped), every: 1},
		{name: "the same, 256 at once", step: w.together(ix), every: 1},
		{name: "with alerts, moving", step: w.tracked(ix, true), every: 1},
		{name: "with alerts, parked", step: w.tracked(ix, false), every: 1},
		{name: "tidwall/rtree + geojson", step: found(w, w.tidwall()), every: 4},
	}
	if len(w.drawings) < 100_000 { // it takes a minute to build, and more memory than there may be
		all = append(all, &contender{name: "golang/geo s2", step: found(w, w.s2()), every: 4})
	}
	for round := range rounds {
		for _, c := range all {
			c.measure(round + 1) // the first positions make everybody known
		}
	}
	peer := all[5].best
	fmt.Fprintf(&text, "%-28s %10s %10s %12s\n", "", "ns/fix", "allocs", "tidwall / it")
	for _, c := range all {
		fmt.Fprintf(&text, "%-28s %10.0f %10.2f %12.1f\n", c.name, c.best, c.moves, peer/c.best)
	}
	fmt.Fprintf(&text, "boxes answered %.0f %% of positions\n", 100*float64(skipped)/float64(rounds*aRound))
	w.edits(&text, ix)
	w.snapshot(tb, &text, ix)
	return text.String()
}

// measure runs a round: the vehicles go on from where the last one left them.
func (c *contender) measure(round int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, n := processorTime(), 0
	for i := round * aRound; i < (round+1)*aRound; i += c.every {
		c.step(i)
		n++
	}
	took := float64(processorTime()-start) / float64(n)
	runtime.ReadMemStats(&after)
	if c.best == 0 || took < c.best {
		c.best = took
	}
	c.moves = float64(after.Mallocs-before.Mallocs) / float64(n)
}

// evaluated is membership and pass-through of every position, without any memory of the vehicle but its last place.
func (w *world) evaluated(ix *geofence.Index) func(int) {
	dst := make([]geofence.Ref, 0, 1000)
	return func(i int) {
		p := w.fixes[i+w.vehicles]
		dst = ix.Along(dst[:0], w.fixes[i], p, 0)
		dst = ix.Containing(dst[:0], p)
	}
}

// followed is the same with a cursor for each vehicle, which skips while it stays in its free box.
func (w *world) followed(ix *geofence.Index, skipped *int) func(int) {
	cursors := make([]geofence.Cursor, w.vehicles)
	touched, inside := make([]geofence.Ref, 0, 1000), make([]geofence.Ref, 0, 1000)
	return func(i int) {
		var moved bool
		touched, inside, moved = cursors[i%w.vehicles].Move(ix, touched[:0], inside[:0], w.fixes[i+w.vehicles])
		if !moved {
			*skipped++
		}
	}
}

// together is the same with 256 positions at once; the step of the last of them pays for all.
func (w *world) together(ix *geofence.Index) func(int) {
	cursors := make([]geofence.Cursor, w.vehicles)
	steps := make([]geofence.Step, 0, 256)
	var m geofence.Mover
	return func(i int) {
		steps = append(steps, geofence.Step{Cursor: &cursors[i%w.vehicles], To: w.fixes[i+w.vehicles]})
		if len(steps) == cap(steps) {
			m.Move(ix, steps, func(int, []geofence.Ref, []geofence.Ref) {})
			steps = steps[:0]
		}
	}
}

// tracked is the whole tracker, with all that decides about alerts: of vehicles that drive, or that stand with the noise
// of a receiver.
func (w *world) tracked(ix *geofence.Index, moving bool) func(int) {
	tr := geofence.NewTracker(ix, geofence.Options{})
	handles := make([]geofence.Vehicle, w.vehicles)
	for i := range handles {
		handles[i] = tr.Vehicle(fmt.Sprint("vehicle", i))
	}
	dst := make([]geofence.Crossing, 0, 1000)
	members := make([]geofence.Member, 0, 1000)
	turn, nan, every := int64(1_790_000_000_000), float32(math.NaN()), int64(1000)
	if !moving {
		every = 30_000 // a parked tracker is heard of less often, and has been parked for minutes by the first figure
	}
	step := func(i int) {
		if i%w.vehicles == 0 {
			turn += every
		}
		f := geofence.Fix{Vehicle: handles[i%w.vehicles], Time: turn, Received: turn + 300, Point: w.fixes[i+w.vehicles],
			Accuracy: 5, Speed: 12, Heading: nan, HDOP: nan}
		if !moving {
			f.Point, f.Speed = w.fixes[i%w.vehicles], 0
			f.Point[0] += 1e-5 * float64(i%7-3)
		}
		dst = tr.Observe(dst[:0], f)
		members = tr.Changed(members[:0])
	}
	for i := range aRound {
		step(i) // before the first figure everybody drives or stands
	}
	return step
}

func found(w *world, find finder) func(int) {
	dst := make([]uint32, 0, 1000)
	return func(i int) { dst = find(dst[:0], w.fixes[i+w.vehicles]) }
}

// edits replaces one fence after the other, each by itself.
func (w *world) edits(text io.Writer, ix *geofence.Index) {
	var took []time.Duration
	for i := range edits {
		f, ok := ix.Fence(geofence.Ref(i * len(w.drawings) / edits))
		if !ok {
			continue
		}
		began := time.Now()
		ix.With([]geofence.Fence{f}, nil)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	fmt.Fprintf(text, "an edit of one fence: p50 %.2f ms, p99 %.2f ms by the clock\n",
		float64(took[len(took)/2].Microseconds())/1000, float64(took[len(took)*99/100].Microseconds())/1000)
}

// snapshot writes the state of all vehicles, and says what one takes in memory.
func (w *world) snapshot(tb testing.TB, text io.Writer, ix *geofence.Index) {
	before := heap()
	tr := geofence.NewTracker(ix, geofence.Options{})
	nan := float32(math.NaN())
	var dst []geofence.Crossing
	for i := range w.vehicles {
		v := tr.Vehicle(fmt.Sprint("vehicle", i))
		for s := range 3 {
			at := 1_790_000_000_000 + int64(s)*1000
			dst = tr.Observe(dst[:0], geofence.Fix{Vehicle: v, Time: at, Received: at, Point: w.fixes[i+s*w.vehicles], Accuracy: 5, Speed: 12, Heading: nan, HDOP: nan})
		}
	}
	per := (heap() - before) / w.vehicles
	var out bytes.Buffer
	began := time.Now()
	if err := tr.Snapshot(&out); err != nil {
		tb.Fatal(err)
	}
	took := time.Since(began)
	fmt.Fprintf(text, "%d bytes a vehicle, ids included; their state is written at %.2f µs a vehicle, %d bytes\n",
		per, float64(took.Microseconds())/float64(w.vehicles), out.Len()/w.vehicles)
	runtime.KeepAlive(tr)
}

// heap is the memory that is in use after a collection.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// processorTime is what this process took of the processors so far, in nanoseconds.
func processorTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // zero where it is not known
	return u.Utime.Nano() + u.Stime.Nano()
}
