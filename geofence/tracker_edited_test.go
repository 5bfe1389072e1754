package geofence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// editedWorld is fences that are drawn, so that the slow model can judge, and vehicles among them.
type editedWorld struct {
	t      testing.TB
	r      *rand.Rand
	at     orb.Point
	drawn  map[geofence.FenceID]fencetest.Drawing
	ids    []geofence.FenceID
	ix     *geofence.Index
	last   uint64
	routes [][]orb.Point
}

func newEditedWorld(t testing.TB, seed uint64, at orb.Point) *editedWorld {
	w := &editedWorld{t: t, r: rand.New(rand.NewPCG(seed, 3)), at: at, drawn: map[geofence.FenceID]fencetest.Drawing{}}
	var fences []geofence.Fence
	for len(fences) < 25 {
		fences = append(fences, w.draw(geofence.FenceID(fmt.Sprint("f", len(fences)))))
	}
	w.ix = geofence.NewIndex(fences)
	for range 6 {
		w.routes = append(w.routes, fencetest.Route(w.r, 60, at, 10_000, 90))
	}
	return w
}

// draw draws a fence, one in eight too large for tiles.
func (w *editedWorld) draw(id geofence.FenceID) geofence.Fence {
	for {
		size := 300 + 900*w.r.Float64()
		if w.r.IntN(8) == 0 {
			size = 60_000
		}
		at := fencetest.Offset(w.at, 10_000*(w.r.Float64()-0.5), 10_000*(w.r.Float64()-0.5))
		d := fencetest.Draw(w.r, at, size)
		s, err := d.Shape()
		if err != nil {
			continue // two random points on one spot
		}
		if _, known := w.drawn[id]; !known {
			w.ids = append(w.ids, id)
		}
		w.drawn[id] = d
		w.last++
		return geofence.Fence{ID: id, Revision: w.last, Shape: s}
	}
}

// edit puts, replaces or removes a few fences.
func (w *editedWorld) edit() {
	var put []geofence.Fence
	var remove []geofence.FenceID
	for range 1 + w.r.IntN(2) {
		switch w.r.IntN(4) {
		case 0:
			i := w.r.IntN(len(w.ids))
			remove = append(remove, w.ids[i])
			delete(w.drawn, w.ids[i])
			w.ids = slices.Delete(w.ids, i, i+1)
		case 1:
			put = append(put, w.draw(geofence.FenceID(fmt.Sprint("n", w.last))))
		default:
			put = append(put, w.draw(w.ids[w.r.IntN(len(w.ids))]))
		}
	}
	remove = slices.DeleteFunc(remove, func(id geofence.FenceID) bool { _, again := w.drawn[id]; return again })
	w.ix = w.ix.With(put, remove)
}

// fix returns where vehicle v is at a step.
func (w *editedWorld) fix(v, step int) geofence.Fix {
	nan := float32(math.NaN())
	ms := int64(begin + step*10_000)
	return geofence.Fix{
		Vehicle: geofence.Vehicle(v), Time: ms, Received: ms + 1000, Point: w.routes[v][step],
		Accuracy: 3, Speed: 9, Heading: nan, HDOP: nan,
	}
}

// checkBox asks the slow model of every fence whether points of a vehicle's box lie as its centre does.
func (w *editedWorld) checkBox(b orb.Bound) {
	w.t.Helper()
	var pts []orb.Point
	for range 6 {
		pts = append(pts, orb.Point{
			b.Min[0] + w.r.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + w.r.Float64()*(b.Max[1]-b.Min[1]),
		})
	}
	for id, d := range w.drawn {
		if d.Kind == fencetest.Corridor || d.Kind == fencetest.Tripwire {
			continue // no inside, or slow to judge: their boxes are those of their pages as any other's
		}
		m := d.Model()
		side := m.Side(pts[0])
		for _, p := range pts[1:] {
			if got := m.Side(p); got != side {
				w.t.Fatalf("%s: a boundary between %v and %v, both in the box %v", id, pts[0], p, b)
			}
		}
	}
}

// run drives through edits with two trackers, of which one forgets its boxes at every edit: they must say the
// same, and no box that is kept may have a boundary in it. It returns how many boxes outlived an edit.
func (w *editedWorld) run() (kept int) {
	w.t.Helper()
	tr, forgetful := geofence.NewTracker(w.ix, geofence.Options{}), geofence.NewTracker(w.ix, geofence.Options{})
	for v := range w.routes {
		tr.Vehicle(fmt.Sprint(v))
		forgetful.Vehicle(fmt.Sprint(v))
	}
	for step := range w.routes[0] {
		if step%3 == 2 {
			for range 1 + w.r.IntN(3) { // several edits before the tracker hears of them
				w.edit()
			}
			now := int64(begin + step*10_000)
			got, want := tr.SetIndex(nil, w.ix, now), forgetful.SetIndex(nil, w.ix, now)
			geofence.ForgetBoxes(forgetful)
			w.same(step, got, want)
			for v := range w.routes {
				if b, ok := geofence.Box(tr, geofence.Vehicle(v)); ok {
					kept++
					w.checkBox(b)
				}
			}
		}
		for v := range w.routes {
			f := w.fix(v, step)
			w.same(step, tr.Observe(nil, f), forgetful.Observe(nil, f))
		}
		if diff := cmp.Diff(forgetful.Members(nil), tr.Members(nil)); diff != "" {
			w.t.Fatalf("step %d: members (-forgetful +kept):\n%s", step, diff)
		}
	}
	return kept
}

func (w *editedWorld) same(step int, got, want []geofence.Crossing) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Fatalf("step %d (-forgetful +kept):\n%s", step, diff)
	}
}

func TestNoBoxOutlivesAnEditNearIt(t *testing.T) {
	t.Parallel()
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := 0
			for seed := range uint64(3) {
				kept += newEditedWorld(t, seed, at).run()
			}
			if kept == 0 {
				t.Error("no box outlived any edit: the test says nothing")
			}
		})
	}
}

func FuzzEdits(f *testing.F) {
	f.Add(uint64(1), 11.5, 48.1)
	f.Add(uint64(2), 180.0, -17.8)
	f.Fuzz(func(t *testing.T, seed uint64, lon, lat float64) {
		if !(lon >= -180 && lon <= 180 && lat >= -80 && lat <= 80) {
			t.Skip()
		}
		newEditedWorld(t, seed, orb.Point{lon, lat}).run()
	})
}

// Edits of fences two tiles away and more leave a vehicle's box as it is, also when the tracker takes over
// several at once; one under the box does not, and neither does an index that was made anew.
func TestFarEditLeavesBoxes(t *testing.T) {
	t.Parallel()
	ix := circles(t, 60, 120)
	tr := geofence.NewTracker(ix, geofence.Options{})
	v := tr.Vehicle("a")
	for i := range 10 {
		tr.Observe(nil, at(v, float64(10*i), 120*float64(i)+400, 12))
	}
	before, ok := geofence.Box(tr, v)
	if !ok {
		t.Fatal("no box to begin with")
	}
	moved := func(id geofence.FenceID, x float64) geofence.Fence {
		c, err := geofence.NewCircle(orb.Point{x * metre, 500 * metre}, 120)
		if err != nil {
			t.Fatal(err)
		}
		return geofence.Fence{ID: id, Revision: ix.Revision() + 1, Shape: c}
	}
	put := func(edit ...geofence.Fence) (orb.Bound, bool) {
		for i := range edit {
			ix = ix.With(edit[i:i+1], nil)
		}
		tr.SetIndex(nil, ix, 0)
		return geofence.Box(tr, v)
	}
	if box, _ := put(moved("f40", 41_000), moved("f41", 30_000), moved("new", 20_000)); box != before {
		t.Errorf("far edits: box %v became %v", before, box)
	}
	if _, ok := put(moved("f40", 1_500)); ok {
		t.Error("an edit to a place beside the vehicle left its box")
	}
	tr.Observe(nil, at(v, 110, 1_600, 12))
	if _, ok := put(moved("f40", 41_000)); ok {
		t.Error("an edit from a place beside the vehicle left its box")
	}
	tr.Observe(nil, at(v, 120, 1_700, 12))
	if _, ok := geofence.Box(tr, v); !ok {
		t.Fatal("no box before the last edit")
	}
	ix = geofence.NewIndex([]geofence.Fence{moved("f40", 41_000)})
	tr.SetIndex(nil, ix, 0)
	if _, ok := geofence.Box(tr, v); ok {
		t.Error("another index left the box")
	}
}

// A vehicle may still count as inside of a fence that does not reach into the tile it is in.
//
//	───┐
//	 f │.│ a      the dots are half a metre; the line is where the tile ends
//	───┘
func TestEditOfAFenceBesideTheTile(t *testing.T) {
	t.Parallel()
	edge := 360.0 / (1 << 14) * 6 / metre // metres east of 0
	c, err := geofence.NewCircle(orb.Point{(edge - 200.5) * metre, 0.001}, 200*metre*111_319.49)
	if err != nil {
		t.Fatal(err)
	}
	ix := geofence.NewIndex([]geofence.Fence{{ID: "f", Revision: 1, Shape: c}})
	tr := geofence.NewTracker(ix, geofence.Options{})
	v := tr.Vehicle("a")
	for i, x := range []float64{-60, -48, -36, -24, -12, 0.8} {
		f := at(v, float64(i), edge+x, 12)
		f.Point[1] = 0.001
		tr.Observe(nil, f)
	}
	if m := tr.Members(nil); len(m) != 1 || c.Contains(orb.Point{(edge + 0.8) * metre, 0.001}) {
		t.Fatalf("members %v: the vehicle is not where the test needs it", m)
	}
	tr.SetIndex(nil, ix.With(nil, []geofence.FenceID{"f"}), 0)
	if m := tr.Members(nil); len(m) != 0 {
		t.Errorf("members %v of a fence that is gone", m)
	}
}
