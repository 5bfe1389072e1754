package console

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/store"
)

// Selected is what a caller says of the geofences it wants. It is exported for binding only.
type Selected struct {
	BBox string `query:"bbox" maxLength:"200" doc:"Only those whose bounds touch west,south,east,north in degrees; west may be east of east across the 180° meridian."`
	Tag  string `query:"tag" maxLength:"100" doc:"Only those with this tag."`
}

// selection is a Selected, read.
type selection struct {
	boxes []orb.Bound // none: everywhere
	tag   string
}

// selection reads the box.
func (s Selected) selection() (selection, error) {
	out := selection{tag: s.Tag}
	box, err := parseBBox(s.BBox)
	if box != nil {
		out.boxes = halves(*box)
	}
	return out, err
}

// halves cuts a box whose west is beyond its east at the 180° meridian.
func halves(b orb.Bound) []orb.Bound {
	if b.Min[0] <= b.Max[0] {
		return []orb.Bound{b}
	}
	return []orb.Bound{
		{Min: b.Min, Max: orb.Point{180, b.Max[1]}}, {Min: orb.Point{-180, b.Min[1]}, Max: b.Max},
	}
}

// all reports whether everything is wanted.
func (s selection) all() bool { return len(s.boxes) == 0 && s.tag == "" }

// has reports whether a fence is wanted.
func (s selection) has(g *store.Geofence) bool {
	touches := func(box orb.Bound) bool { return slices.ContainsFunc(halves(g.Bound), box.Intersects) }
	if len(s.boxes) > 0 && !slices.ContainsFunc(s.boxes, touches) {
		return false
	}
	if s.tag == "" {
		return true
	}
	var f struct {
		Properties struct {
			Tags []string `json:"tags"`
		} `json:"properties"`
	}
	return json.Unmarshal(g.Feature, &f) == nil && slices.Contains(f.Properties.Tags, s.tag)
}

// selectPage reads fences after an id until there are so many wanted ones, or none are left.
func (f *fences) selectPage(ctx context.Context, after geofence.FenceID, limit int, wanted selection) ([]store.Geofence, error) {
	if wanted.all() {
		return f.store.Geofences(ctx, tenantOf(ctx), after, limit)
	}
	var found []store.Geofence
	for g, err := range store.EachGeofence(ctx, f.store, tenantOf(ctx), after) {
		if err != nil {
			return nil, err
		}
		if wanted.has(g) {
			found = append(found, *g)
		}
		if len(found) == limit {
			break
		}
	}
	return found, nil
}
