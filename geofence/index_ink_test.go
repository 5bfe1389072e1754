package geofence

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

// The picture of a tile that was amended is that of one drawn anew.
func TestAnAmendedPictureIsThatOfATileDrawnAnew(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 26))
	b := keyOf(8500, 6200).box()
	shape := func() Shape {
		p := orb.Point{b.x0 + r.Float64()*(b.x1-b.x0), b.y0 + r.Float64()*(b.y1-b.y0)}
		size := 0.001 + 0.004*r.Float64()
		var s Shape
		var err error
		switch r.IntN(4) {
		case 0:
			s, err = NewCircle(p, 111_000*size)
		case 1:
			s, err = NewCorridor(orb.MultiLineString{{p, {p[0] + size, p[1] + 2*size}}}, 40)
		case 2:
			s, err = NewTripwire(orb.MultiLineString{{p, {p[0] - size, p[1] + size}}})
		default:
			s, _, err = NewPolygon(orb.MultiPolygon{{{p, {p[0] + size, p[1]}, {p[0] + size/3, p[1] + size}, p}}})
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var members []entry
	for i := range 40 {
		members = append(members, entry{ref: Ref(i), shape: shape()})
	}
	pg := newPage(b, true, members)
	amended := 0
	for i := range 200 {
		leave, join := members[r.IntN(len(members))].ref, entry{ref: Ref(40 + i), shape: shape()}
		next := pg.amended([]Ref{leave}, []entry{join})
		members = append(slices.DeleteFunc(members, func(m entry) bool { return m.ref == leave }), join)
		fresh := newPage(b, true, members)
		if next == nil {
			pg = fresh
			continue
		}
		amended++
		if next.n != fresh.n || !slices.Equal(next.ink.rows, fresh.ink.rows) {
			t.Fatalf("after %d edits the pictures differ", i+1)
		}
		pg = next
	}
	if amended < 100 {
		t.Errorf("only %d edits amended the tile: the test says nothing", amended)
	}
}
