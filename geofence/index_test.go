package geofence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// bruteForce answers an index's questions by asking every fence.
type bruteForce map[geofence.FenceID]geofence.Fence

func (b bruteForce) ids(want func(geofence.Shape) bool) []geofence.FenceID {
	var ids []geofence.FenceID
	for id, f := range b {
		if want(f.Shape) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// named turns refs into ids, after checking their order.
func named(t *testing.T, ix *geofence.Index, refs []geofence.Ref) []geofence.FenceID {
	t.Helper()
	var ids []geofence.FenceID
	for i, r := range refs {
		f, ok := ix.Fence(r)
		if !ok || i > 0 && refs[i-1] >= r {
			t.Fatalf("refs %v: out of order, or no fence behind one", refs)
		}
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return ids
}

func sameIDs(t *testing.T, what string, got, want []geofence.FenceID) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// Through a thousand edits, every index answers what asking each fence answers, and the indexes it came from
// still answer what they did.
func TestIndexAnswersAsEveryFence(t *testing.T) {
	t.Parallel()
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, uint64(len(name))))
			fences := fencetest.Fences(r, 160, at, 20_000, 3000)
			for i, large := range fencetest.Fences(r, 40, at, 300_000, 200_000) {
				large.ID = geofence.FenceID(fmt.Sprintf("large%d", i))
				fences = append(fences, large)
			}
			r.Shuffle(len(fences), func(i, j int) { fences[i], fences[j] = fences[j], fences[i] })
			all := bruteForce{}
			for _, f := range fences[:100] {
				all[f.ID] = f
			}
			ix := geofence.NewIndex(fences[:100])
			first, before := ix, answers(t, ix, at, 9)
			for range 60 {
				var put []geofence.Fence
				var remove []geofence.FenceID
				for range 1 + r.IntN(4) {
					f := fences[r.IntN(len(fences))]
					if r.IntN(3) == 0 {
						remove = append(remove, f.ID)
						delete(all, f.ID)
						continue
					}
					f.Shape = fences[r.IntN(len(fences))].Shape
					put = append(put, f)
				}
				for _, f := range put {
					all[f.ID] = f
				}
				ix = ix.With(put, remove)
				if ix.Len() != len(all) {
					t.Fatalf("length %d, want %d", ix.Len(), len(all))
				}
				compareWithAll(t, r, ix, all, at)
			}
			if after := answers(t, first, at, 9); after != before {
				t.Error("an edit changed the index it was made from")
			}
		})
	}
}

// answers writes what an index says about fixed places.
func answers(t *testing.T, ix *geofence.Index, at orb.Point, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	text := ""
	for range 50 {
		p := fencetest.Offset(at, 20_000*(r.Float64()-0.5), 20_000*(r.Float64()-0.5))
		text += fmt.Sprintln(named(t, ix, ix.Containing(nil, p)), named(t, ix, ix.Near(nil, p, 500)))
	}
	return text
}

func compareWithAll(t *testing.T, r *rand.Rand, ix *geofence.Index, all bruteForce, at orb.Point) {
	t.Helper()
	p := fencetest.Offset(at, 20_000*(r.Float64()-0.5), 20_000*(r.Float64()-0.5))
	q := fencetest.Offset(p, 3000*(r.Float64()-0.5), 3000*(r.Float64()-0.5))
	holds := func(p orb.Point) func(geofence.Shape) bool {
		return func(s geofence.Shape) bool { return s.Contains(p) }
	}
	sameIDs(t, fmt.Sprint("containing ", p), named(t, ix, ix.Containing(nil, p)), all.ids(holds(p)))
	for _, metres := range []float64{0, 40, 2000} {
		near := func(s geofence.Shape) bool { return s.Distance(p) >= -metres }
		sameIDs(t, fmt.Sprint("near ", p, metres), named(t, ix, ix.Near(nil, p, metres)), all.ids(near))
	}
	if dx := p[0] - q[0]; dx > 180 || dx < -180 {
		return
	}
	touched := func(s geofence.Shape) bool {
		return s.Contains(p) || s.Contains(q) || len(s.Stretches(nil, p, q)) > 0
	}
	sameIDs(t, fmt.Sprint("along ", p, q), named(t, ix, ix.Along(nil, p, q, 0)), all.ids(touched))
	within := func(s geofence.Shape) bool {
		for i := range 51 { // a sample of the way: what comes near at a sample must be found
			f := float64(i) / 50
			if s.Distance(orb.Point{p[0] + f*(q[0]-p[0]), p[1] + f*(q[1]-p[1])}) >= -100 {
				return true
			}
		}
		return false
	}
	found := named(t, ix, ix.Along(nil, p, q, 100.001))
	for _, id := range all.ids(within) {
		if !slices.Contains(found, id) {
			t.Fatalf("along %v %v within 100 m: %v lacks %s", p, q, found, id)
		}
	}
}

func TestRefsStay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	fences := fencetest.Fences(r, 40, orb.Point{8, 50}, 5000, 500)
	ix := geofence.NewIndex(fences)
	edited := fences[7]
	edited.Revision = 99
	next := ix.With([]geofence.Fence{edited}, []geofence.FenceID{"f3"})
	for _, f := range fences {
		before, _ := ix.Lookup(f.ID)
		after, ok := next.Lookup(f.ID)
		if ok == (f.ID == "f3") || ok && before != after {
			t.Errorf("%s: ref %d became %d, %v", f.ID, before, after, ok)
		}
	}
	ref, _ := next.Lookup("f7")
	if f, _ := next.Fence(ref); f.Revision != 99 {
		t.Errorf("got revision %d of the edited fence, want 99", f.Revision)
	}
	if gone, _ := ix.Lookup("f3"); gone != 3 {
		t.Errorf("the first index lost f3")
	} else if _, ok := next.Fence(gone); ok {
		t.Error("a removed fence is still there")
	}
	if next.Len() != 39 || next.Revision() != 99 || ix.Revision() != 40 {
		t.Errorf("got length %d, revisions %d and %d", next.Len(), next.Revision(), ix.Revision())
	}
	if again := next.With(fences[3:4], nil); again.Len() != 40 {
		t.Error("a removed fence cannot come back")
	} else if ref, _ := again.Lookup("f3"); ref != 3 {
		t.Errorf("the free number 3 was not used: %d", ref)
	}
}

func TestEmptyIndex(t *testing.T) {
	t.Parallel()
	ix := geofence.NewIndex(nil)
	p := orb.Point{11, 48}
	if n := len(ix.Containing(nil, p)) + len(ix.Near(nil, p, 1e6)) + len(ix.Along(nil, p, orb.Point{12, 48}, 10)) + ix.Len(); n != 0 {
		t.Errorf("an empty index answers %d things", n)
	}
	if b := ix.FreeBox(p, 1000); !b.Contains(orb.Point{11, 48.008}) {
		t.Errorf("free box %v", b)
	}
	if _, ok := ix.Fence(0); ok {
		t.Error("there is a fence")
	}
}
