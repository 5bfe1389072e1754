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

// A mover finds for many cursors what each would find by itself.
func TestAMoverMovesAsCursorsDo(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	centre := orb.Point{8, 50}
	ix := geofence.NewIndex(fencetest.Fences(r, 300, centre, 6000, 900))
	const vehicles, rounds = 40, 80
	routes := make([][]orb.Point, vehicles)
	for i := range routes {
		routes[i] = fencetest.Route(r, rounds, centre, 6000, 30)
	}
	var m geofence.Mover
	together, alone := make([]geofence.Cursor, vehicles), make([]geofence.Cursor, vehicles)
	found := 0
	for round := range rounds {
		if round == 50 {
			ix = ix.With(fencetest.Fences(r, 5, centre, 6000, 900), nil)
		}
		steps := make([]geofence.Step, vehicles)
		for i := range steps {
			steps[i] = geofence.Step{Cursor: &together[i], To: routes[i][round]}
		}
		told := map[int]string{}
		m.Move(ix, steps, func(i int, touched, inside []geofence.Ref) { told[i] = fmt.Sprint(touched, inside) })
		for i := range alone {
			want := ""
			if touched, inside, moved := alone[i].Move(ix, nil, nil, routes[i][round]); moved {
				want = fmt.Sprint(touched, inside)
				found++
			}
			if told[i] != want {
				t.Fatalf("round %d, vehicle %d: %s, by itself %s", round, i, told[i], want)
			}
		}
	}
	if found < 300 {
		t.Errorf("only %d moves crossed something: the test says nothing", found)
	}
}
