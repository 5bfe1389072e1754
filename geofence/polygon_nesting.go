package geofence

import (
	"cmp"
	"slices"
)

// area is one polygon of several, for the check of how they lie to each other.
type area struct {
	*region
	rings []*ring
	box   box
}

// checkNesting refuses holes that are not in their polygon or in each other, and polygons that overlap. It
// relies on no edges crossing.
func checkNesting(rings []*ring) error {
	var areas []*area
	for from := 0; from < len(rings); {
		to := from + 1
		for to < len(rings) && rings[to].path[0] == rings[from].path[0] {
			to++
		}
		a := &area{rings: rings[from:to]}
		if err := a.checkHoles(); err != nil {
			return err
		}
		areas = append(areas, a)
		from = to
	}
	if len(areas) == 1 {
		return nil
	}
	return checkApart(areas)
}

// checkHoles refuses holes outside of the first ring, or inside another hole.
func (a *area) checkHoles() error {
	if len(a.rings) == 1 {
		return nil
	}
	outer, _, err := drawRegion(a.rings[:1], &Repairs{})
	if err != nil {
		return err
	}
	holes := make([]*area, 0, len(a.rings)-1)
	for i, x := range a.rings[1:] {
		hole, _, err := drawRegion(a.rings[i+1:i+2], &Repairs{})
		if err != nil {
			return err
		}
		if !outer.holds(hole.inner()) {
			return fault(x.path, "the hole lies outside of its polygon")
		}
		holes = append(holes, &area{region: hole, rings: a.rings[i+1 : i+2]})
	}
	if x, y := overlapping(holes); x != nil {
		return fault(x.rings[0].path, "the hole overlaps the hole in ring %d", y.rings[0].path[1])
	}
	return nil
}

// checkApart refuses areas that overlap.
func checkApart(areas []*area) (err error) {
	for _, a := range areas {
		if a.region, _, err = drawRegion(a.rings, &Repairs{}); err != nil {
			return err
		}
	}
	if x, y := overlapping(areas); x != nil {
		return fault(x.rings[0].path[:1], "the polygon overlaps polygon %d; draw them as one", y.rings[0].path[0])
	}
	return nil
}

// overlapping returns two areas of which one holds an inner point of the other, nil if there are none.
func overlapping(areas []*area) (x, y *area) {
	if len(areas) < 2 {
		return nil, nil
	}
	for _, a := range areas {
		a.box = a.bounds()
		a.poles(&a.box)
	}
	sorted := slices.Clone(areas)
	slices.SortStableFunc(sorted, func(a, b *area) int { return cmp.Compare(a.box.x0, b.box.x0) })
	var open []*area // those whose box may still meet the next one
	for _, a := range sorted {
		open = slices.DeleteFunc(open, func(o *area) bool { return o.box.x1 < a.box.x0 })
		for _, o := range open {
			if o.box.meets(a.box) && (o.holds(a.inner()) || a.holds(o.inner())) {
				return a, o
			}
		}
		open = append(open, a)
	}
	return nil, nil
}
