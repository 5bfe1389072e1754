package simulator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/paulmach/orb"
)

// The street grid: crossroads numbered from the south-west, streets of one block between them.
const (
	blocksEast  = 11
	blocksNorth = 8
	block       = 300.0 // metres
)

// City is a network of streets on real ground with fences across them. It is immutable and safe for many
// goroutines.
//
// Every fence boundary crosses streets in the middle of a block and stays far from crossroads and from
// streets beside it, and vehicles turn and stop at crossroads only. So whoever goes in or out of a fence does
// so solidly: at least 40 m deep and for at least 20 s, and nobody grazes.
type City struct {
	Fences []Fence

	seed  uint64
	plane plane
	tilt  float64 // of the grid, radians
}

// NewCity returns the city of a seed: the streets' tilt and the slant of some fences differ.
func NewCity(seed uint64) *City {
	r := rand.New(rand.NewPCG(seed, 0xc17))
	c := &City{
		seed:  seed,
		plane: newPlane(orb.Point{11.5755, 48.1374}),
		tilt:  (r.Float64() - 0.5) * 0.8,
	}
	c.Fences = []Fence{
		c.circle("depot", "Depot", 1, 1, 0.6),
		c.circle("fuel", "Fuel station", 10, 1, 0.55),
		c.circle("stadium", "Stadium", 5, 7, 1.72),
		c.polygon("old-town", "Old town",
			[]vec{{3.5, 2.5}, {6.5, 2.5}, {6.5, 5.5}, {3.5, 5.5}},
			[]vec{{4.5, 3.5}, {4.5, 4.5}, {5.5, 4.5}, {5.5, 3.5}}),
		c.polygon("harbour", "Harbour",
			[]vec{{7.5, 2.5}, {10.5, 2.5}, {10.5, 3.5}, {8.5, 3.5}, {8.5, 4.5}, {7.5, 4.5}}),
		c.polygon("market", "Großmarkt", slanted(r, 7.5, 5.5, 9.5, 7.5)),
		c.polygon("school", "School", slanted(r, 1.5, 5.5, 2.5, 6.5)),
		c.polygon("airport", "Airport", slanted(r, 0.5, 2.5, 2.5, 4.5)),
	}
	return c
}

// slanted returns a quadrilateral near the box, its corners moved by up to a tenth of a block.
func slanted(r *rand.Rand, west, south, east, north float64) []vec {
	shift := func() float64 { return (r.Float64() - 0.5) * 0.2 }
	corners := []vec{{west, south}, {east, south}, {east, north}, {west, north}}
	for i := range corners {
		corners[i] = corners[i].add(vec{shift(), shift()})
	}
	return corners
}

// ground returns the place of grid coordinates in metres.
func (c *City) ground(g vec) vec {
	centre := vec{blocksEast / 2.0, blocksNorth / 2.0}
	return g.sub(centre).times(block).turned(c.tilt)
}

func (c *City) circle(id, name string, east, north, blocks float64) Fence {
	return Fence{ID: id, Name: name, Center: c.plane.point(c.ground(vec{east, north})), Radius: blocks * block}
}

// polygon makes a fence of rings in grid coordinates: the outside counter-clockwise, holes clockwise.
func (c *City) polygon(id, name string, rings ...[]vec) Fence {
	f := Fence{ID: id, Name: name}
	for _, corners := range rings {
		var ring orb.Ring
		for _, g := range corners {
			ring = append(ring, c.plane.point(c.ground(g)))
		}
		f.Rings = append(f.Rings, append(ring, ring[0]))
	}
	return f
}

// node is a crossroads.
type node struct{ east, north int }

func (c *City) place(n node) vec { return c.ground(vec{float64(n.east), float64(n.north)}) }

// neighbours lists the crossroads one block away.
func (n node) neighbours() []node {
	var all []node
	for _, d := range []node{{1, 0}, {0, 1}, {-1, 0}, {0, -1}} {
		m := node{n.east + d.east, n.north + d.north}
		if m.east >= 0 && m.east <= blocksEast && m.north >= 0 && m.north <= blocksNorth {
			all = append(all, m)
		}
	}
	return all
}

// limit is the speed limit between two neighbours, in m/s: main streets and quiet ones.
func (c *City) limit(a, b node) float64 {
	street := uint64(a.east) // a north-south street
	if a.north == b.north {
		street = 100 + uint64(a.north)
	}
	if rand.NewPCG(c.seed, street).Uint64()%3 == 0 {
		return 30 / 3.6
	}
	return 50 / 3.6
}

// free reports whether a crossroads is outside every fence.
func (c *City) free(n node) bool {
	p := c.plane.point(c.place(n))
	for _, f := range c.Fences {
		if f.Contains(p) {
			return false
		}
	}
	return true
}

// feature is a fence as the gateway's API takes it.
type feature struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Properties map[string]any `json:"properties"`
	Geometry   geometry       `json:"geometry"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// feature renders the fence.
func (f Fence) feature() feature {
	ft := feature{Type: "Feature", ID: f.ID, Properties: map[string]any{"name": f.Name}}
	if len(f.Rings) == 0 {
		ft.Properties["shape"], ft.Properties["radius_m"] = "circle", f.Radius
		ft.Geometry = geometry{"Point", f.Center}
		return ft
	}
	ft.Properties["shape"] = "polygon"
	ft.Geometry = geometry{"Polygon", f.Rings}
	return ft
}

// GeoJSON returns the fence as a Feature.
func (f Fence) GeoJSON() []byte { return mustMarshal(f.feature()) }

// GeoJSON returns the fences as a FeatureCollection.
func (c *City) GeoJSON() []byte {
	features := make([]feature, len(c.Fences))
	for i, f := range c.Fences {
		features[i] = f.feature()
	}
	return mustMarshal(map[string]any{"type": "FeatureCollection", "features": features})
}

// Streets returns the streets as a FeatureCollection of lines, each from one end of the city to the other.
func (c *City) Streets() []byte {
	var features []feature
	line := func(from, to vec) {
		features = append(features, feature{Type: "Feature", Properties: map[string]any{},
			Geometry: geometry{"LineString", []orb.Point{c.plane.point(c.ground(from)), c.plane.point(c.ground(to))}}})
	}
	for east := 0.0; east <= blocksEast; east++ {
		line(vec{east, 0}, vec{east, blocksNorth})
	}
	for north := 0.0; north <= blocksNorth; north++ {
		line(vec{0, north}, vec{blocksEast, north})
	}
	return mustMarshal(map[string]any{"type": "FeatureCollection", "features": features})
}

// Fence returns the fence of an id.
func (c *City) Fence(id string) (Fence, bool) {
	for _, f := range c.Fences {
		if f.ID == id {
			return f, true
		}
	}
	return Fence{}, false
}

func mustMarshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("simulator: plain values did not marshal: %v", err)) // a programmer's mistake
	}
	return raw
}
