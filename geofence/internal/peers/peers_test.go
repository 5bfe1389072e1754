package peers

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
	"github.com/paulmach/orb"
	"github.com/tidwall/geojson"
	"github.com/tidwall/geojson/geometry"
	"github.com/tidwall/rtree"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// finder appends the numbers of the fences that hold a point, in no order.
type finder func(dst []uint32, p orb.Point) []uint32

// world is fences drawn once, for all.
type world struct {
	drawings []fencetest.Drawing
	fixes    []orb.Point
	vehicles int
}

func newWorld(fences, vehicles, rounds int) *world {
	m := fencetest.NewMix(1, fences)
	w := &world{vehicles: vehicles}
	for range fences {
		w.drawings = append(w.drawings, m.Drawing())
	}
	drives := make([]*fencetest.Drive, vehicles)
	for i := range drives {
		drives[i] = m.Drive()
	}
	for range rounds {
		for _, d := range drives {
			w.fixes = append(w.fixes, d.Next())
		}
	}
	return w
}

func (w *world) outrider(tb testing.TB) *geofence.Index {
	fences := make([]geofence.Fence, len(w.drawings))
	for i, d := range w.drawings {
		s, err := d.Shape()
		if err != nil {
			tb.Fatal(err)
		}
		fences[i] = geofence.Fence{ID: geofence.FenceID(strconv.Itoa(i)), Shape: s}
	}
	return geofence.NewIndex(fences)
}

// tidwall is an R-tree of shapes, as Tile38 has it.
func (w *world) tidwall() finder {
	var tree rtree.RTreeG[uint32]
	objects := make([]geojson.Object, len(w.drawings))
	for i, d := range w.drawings {
		objects[i] = tidwallShape(d)
		r := objects[i].Rect()
		tree.Insert([2]float64{r.Min.X, r.Min.Y}, [2]float64{r.Max.X, r.Max.Y}, uint32(i))
	}
	return func(dst []uint32, p orb.Point) []uint32 {
		point := geojson.NewPoint(geometry.Point{X: p[0], Y: p[1]})
		tree.Search(p, p, func(_, _ [2]float64, i uint32) bool {
			if objects[i].Intersects(point) {
				dst = append(dst, i)
			}
			return true
		})
		return dst
	}
}

func tidwallShape(d fencetest.Drawing) geojson.Object {
	if d.Kind == fencetest.Circle {
		return geojson.NewCircle(geometry.Point{X: d.Centre[0], Y: d.Centre[1]}, d.Radius, 64)
	}
	var rings [][]geometry.Point
	for _, ring := range d.Areas[0] {
		var pts []geometry.Point
		for _, p := range ring {
			pts = append(pts, geometry.Point{X: p[0], Y: p[1]})
		}
		rings = append(rings, pts)
	}
	return geojson.NewPolygon(geometry.NewPoly(rings[0], rings[1:], geometry.DefaultIndexOptions))
}

// s2 is a ShapeIndex of everything; circles are polygons of 64 corners.
func (w *world) s2() finder {
	index := s2.NewShapeIndex()
	ids := map[s2.Shape]uint32{}
	for i, d := range w.drawings {
		p := s2Shape(d)
		ids[p] = uint32(i)
		index.Add(p)
	}
	index.Build()
	q := s2.NewContainsPointQuery(index, s2.VertexModelSemiOpen)
	return func(dst []uint32, p orb.Point) []uint32 {
		for _, shape := range q.ContainingShapes(s2Point(p)) {
			dst = append(dst, ids[shape])
		}
		return dst
	}
}

func s2Point(p orb.Point) s2.Point { return s2.PointFromLatLng(s2.LatLngFromDegrees(p[1], p[0])) }

func s2Shape(d fencetest.Drawing) *s2.Polygon {
	if d.Kind == fencetest.Circle {
		return s2.PolygonFromLoops([]*s2.Loop{s2.RegularLoop(s2Point(d.Centre), s1.Angle(d.Radius/6371010), 64)})
	}
	var loops []*s2.Loop
	for _, ring := range d.Areas[0] {
		var pts []s2.Point
		for _, p := range ring[:len(ring)-1] {
			pts = append(pts, s2Point(p))
		}
		l := s2.LoopFromPoints(pts)
		l.Normalize()
		loops = append(loops, l)
	}
	return s2.PolygonFromLoops(loops)
}

// The libraries agree, apart from positions so close to a boundary that their ideas of it differ: the sphere
// and 64 corners make up to a hundredth of a radius.
func TestTheyAgree(t *testing.T) {
	w := newWorld(2000, 200, 40)
	ix := w.outrider(t)
	for name, find := range map[string]finder{"tidwall": w.tidwall(), "s2": w.s2()} {
		differ, found := 0, 0
		for _, p := range w.fixes {
			var want []uint32
			for _, r := range ix.Containing(nil, p) {
				want = append(want, uint32(r))
			}
			got := find(nil, p)
			slices.Sort(got)
			found += len(want)
			for _, i := range symmetricDifference(got, want) {
				f, _ := ix.Fence(geofence.Ref(i))
				if d := f.Shape.Distance(p); math.Abs(d) > 12 {
					t.Errorf("%s: %v and fence %d: %g m from the boundary", name, p, i, d)
				}
				differ++
			}
		}
		t.Logf("%s: %d positions in fences, %d different near boundaries", name, found, differ)
		if found < 100 {
			t.Errorf("only %d positions are in a fence: the test says nothing", found)
		}
	}
}

func symmetricDifference(a, b []uint32) (d []uint32) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			d = append(d, x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			d = append(d, x)
		}
	}
	return d
}

// sizes are the numbers of fences; PEERS_FENCES=1000000 asks for others.
func sizes(b testing.TB, usual ...int) []int {
	var all []int
	for _, s := range strings.FieldsFunc(os.Getenv("PEERS_FENCES"), func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, n)
	}
	if all == nil {
		return usual
	}
	return all
}

func BenchmarkPeers(b *testing.B) {
	for _, n := range sizes(b, 1000, 10_000) {
		w := newWorld(n, 10_000, 40)
		b.Run(fmt.Sprintf("fences=%d", n), func(b *testing.B) {
			b.Run("outrider", func(b *testing.B) { benchOutrider(b, w) })
			b.Run("tidwall", func(b *testing.B) { benchFinder(b, w, w.tidwall()) })
			b.Run("s2", func(b *testing.B) {
				if n > 100_000 {
					b.Skip("takes too much memory")
				}
				benchFinder(b, w, w.s2())
			})
		})
	}
}

func benchFinder(b *testing.B, w *world, find finder) {
	b.ReportAllocs()
	dst := make([]uint32, 0, 1000)
	i := 0
	for b.Loop() {
		dst = find(dst[:0], w.fixes[i%len(w.fixes)])
		i++
	}
}

// benchOutrider is membership and pass-through for every position, with a cursor for each vehicle.
func benchOutrider(b *testing.B, w *world) {
	step := w.followed(w.outrider(b), new(int))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		step(i % (len(w.fixes) - w.vehicles))
		i++
	}
}
