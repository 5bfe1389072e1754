package geofence_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// A cursor finds on every move what the index finds, and says that nothing was crossed only when that is so.
func TestACursorFindsWhatTheIndexFinds(t *testing.T) {
	for name, centre := range map[string]orb.Point{"land": {8, 50}, "meridian": {179.99, -17}, "north": {20, 84}, "corner of tiles": {0, 0}} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			fences := fencetest.Fences(r, 300, centre, 6000, 900)
			ix := geofence.NewIndex(fences)
			still, moves := 0, 0
			for range 20 {
				var c geofence.Cursor
				var before orb.Point
				var held []geofence.Ref
				for i, p := range fencetest.Route(r, 150, centre, 6000, 30) {
					if i == 75 { // every cell is another one now
						ix = ix.With(nil, []geofence.FenceID{fences[r.IntN(len(fences))].ID})
						held = ix.Containing(nil, before)
					}
					touched, inside, moved := c.Move(ix, nil, nil, p)
					want := ix.Containing(nil, p)
					far := i > 0 && max(p[0]-before[0], before[0]-p[0]) > 180
					switch {
					case !moved:
						still++
						if !slices.Equal(want, held) || !slices.Equal(ix.Along(nil, before, p, 0), held) {
							t.Fatalf("from %v to %v something was crossed: inside of %v, then of %v", before, p, held, want)
						}
					case !slices.Equal(inside, want):
						t.Fatalf("at %v inside of %v, want %v", p, inside, want)
					case i == 0 || i == 75 || far:
						if !slices.Equal(touched, want) {
							t.Fatalf("at %v touched %v, want %v", p, touched, want)
						}
					default:
						moves++
						if all := ix.Along(nil, before, p, 0); !slices.Equal(touched, all) {
							t.Fatalf("from %v to %v touched %v, want %v", before, p, touched, all)
						}
					}
					before, held = p, want
				}
			}
			if still < 300 || moves < 300 {
				t.Errorf("%d moves were answered at once and %d by the index: the test says nothing", still, moves)
			}
		})
	}
}
