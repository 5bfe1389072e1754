package geofence_test

import (
	"fmt"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

func ExampleIndex() {
	depot, err := geofence.NewCircle(orb.Point{11.5755, 48.1374}, 150)
	if err != nil {
		fmt.Println(err)
		return
	}
	road, err := geofence.NewCorridor(orb.MultiLineString{{{11.57, 48.13}, {11.59, 48.13}}}, 40)
	if err != nil {
		fmt.Println(err)
		return
	}
	ix := geofence.NewIndex([]geofence.Fence{
		{ID: "depot", Revision: 1, Shape: depot},
		{ID: "road", Revision: 2, Shape: road},
	})
	name := func(refs []geofence.Ref) (names []geofence.FenceID) {
		for _, r := range refs {
			f, _ := ix.Fence(r)
			names = append(names, f.ID)
		}
		return names
	}
	at := orb.Point{11.5755, 48.1375}
	fmt.Println("in", name(ix.Containing(nil, at)))
	fmt.Println("near", name(ix.Near(nil, at, 1000)))
	fmt.Println("on the way", name(ix.Along(nil, at, orb.Point{11.58, 48.12}, 0)))

	later := ix.With(nil, []geofence.FenceID{"depot"})
	fmt.Println("later", later.Len(), "before", ix.Len())
	// Output:
	// in [depot]
	// near [depot road]
	// on the way [depot road]
	// later 1 before 2
}

func ExampleIndex_FreeBox() {
	home, err := geofence.NewCircle(orb.Point{11.5755, 48.1374}, 150)
	if err != nil {
		fmt.Println(err)
		return
	}
	ix := geofence.NewIndex([]geofence.Fence{{ID: "home", Revision: 1, Shape: home}})
	box := ix.FreeBox(orb.Point{11.5755, 48.1380}, 1000)
	fmt.Println(box.Contains(orb.Point{11.5756, 48.1379}), box.Contains(orb.Point{11.5755, 48.1390}))
	// Output: true false
}

func ExampleTripwire_Passages() {
	// A gate, drawn from south to north: whoever drives east leaves on its right.
	gate, err := geofence.NewTripwire(orb.MultiLineString{{{11.5, 48.0}, {11.5, 48.1}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	east := gate.Passages(nil, orb.Point{11.49, 48.05}, orb.Point{11.51, 48.05})
	west := gate.Passages(nil, orb.Point{11.51, 48.05}, orb.Point{11.49, 48.05})
	fmt.Println(len(east), east[0].Rightward, len(west), west[0].Rightward)
	// Output: 1 true 1 false
}

func ExampleCircle_Stretches() {
	c, err := geofence.NewCircle(orb.Point{0, 0}, 1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range c.Stretches(nil, orb.Point{-0.02, 0}, orb.Point{0.02, 0}) {
		fmt.Printf("inside from %.4f to %.4f of the way\n", s.From, s.To)
	}
	// Output: inside from 0.2754 to 0.7246 of the way
}
