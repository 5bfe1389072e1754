package geofence_test

import (
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

func TestSearchesDoNotAllocate(t *testing.T) {
	at := orb.Point{8, 50}
	r := rand.New(rand.NewPCG(5, 5))
	ix := geofence.NewIndex(fencetest.Fences(r, 500, at, 8000, 1500))
	dst := make([]geofence.Ref, 0, 1000)
	room := make([]geofence.Stretch, 0, 1000)
	route := fencetest.Route(r, 200, at, 8000, 40)
	i := 0
	search := map[string]func(a, b orb.Point){
		"containing": func(a, _ orb.Point) { dst = ix.Containing(dst[:0], a) },
		"near":       func(a, _ orb.Point) { dst = ix.Near(dst[:0], a, 30) },
		"along":      func(a, b orb.Point) { dst = ix.Along(dst[:0], a, b, 0) },
		"free box":   func(a, _ orb.Point) { ix.FreeBox(a, 2000) },
		"stretches": func(a, b orb.Point) {
			for _, ref := range ix.Along(dst[:0], a, b, 0) {
				f, _ := ix.Fence(ref)
				room = f.Shape.Stretches(room[:0], a, b)
				f.Shape.Distance(a)
			}
		},
	}
	for name, do := range search {
		if n := testing.AllocsPerRun(len(route)-1, func() { i++; do(route[i%(len(route)-1)], route[i%(len(route)-1)+1]) }); n != 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
}
