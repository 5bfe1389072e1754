package fencetest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

// Mix is a world to measure with: fences around fifty cities, overlapping, 60 % circles of 100 to 1,000 m
// radius, 35 % polygons of 5 to 60 corners, 5 % of 500 to 5,000 corners with a hole.
type Mix struct {
	r      *rand.Rand
	cities []orb.Point
	spread float64 // standard deviation of the places in a city, metres
}

// NewMix returns the world of a seed for so many fences. Cities grow with the number of fences, but less than
// it: a place in a city is inside of about 3 of a thousand fences and 20 of a million.
func NewMix(seed uint64, fences int) *Mix {
	m := &Mix{r: rand.New(rand.NewPCG(seed, 50)), spread: 130 * math.Cbrt(float64(fences))}
	for range 50 {
		m.cities = append(m.cities, orb.Point{-10 + 40*m.r.Float64(), 36 + 24*m.r.Float64()})
	}
	return m
}

// Place returns a random place in one of the cities.
func (m *Mix) Place() orb.Point {
	city := m.cities[m.r.IntN(len(m.cities))]
	return Offset(city, m.spread*m.r.NormFloat64(), m.spread*m.r.NormFloat64())
}

// Drawing returns the next fence as it is drawn.
func (m *Mix) Drawing() Drawing {
	at, size := m.Place(), 100+900*m.r.Float64()
	switch k := m.r.IntN(20); {
	case k < 12:
		return Drawing{Kind: Circle, Centre: at, Radius: size}
	case k < 19:
		return m.smooth(at, size, 5+m.r.IntN(56), false)
	}
	return m.smooth(at, 3*size, 500+m.r.IntN(4501), true)
}

// smooth returns a polygon with a wavy outline.
func (m *Mix) smooth(at orb.Point, radius float64, corners int, hole bool) Drawing {
	a, b, phase := 0.3*m.r.Float64(), 0.1*m.r.Float64(), 7*m.r.Float64()
	ring := func(size float64) orb.Ring {
		ring := make(orb.Ring, 0, corners+1)
		for i := range corners {
			t := 2 * math.Pi * float64(i) / float64(corners)
			d := size * (1 - a + a*math.Sin(3*t+phase) + b*math.Sin(11*t))
			ring = append(ring, Offset(at, d*math.Cos(t), d*math.Sin(t)))
		}
		return append(ring, ring[0])
	}
	area := orb.Polygon{ring(radius)}
	if hole {
		area = append(area, ring(radius/3))
	}
	return Drawing{Kind: Polygon, Areas: orb.MultiPolygon{area}}
}

// Fences returns the next n fences.
func (m *Mix) Fences(n int) []geofence.Fence {
	fences := make([]geofence.Fence, n)
	for i := range fences {
		s, err := m.Drawing().Shape()
		if err != nil {
			panic("fencetest: " + err.Error())
		}
		fences[i] = geofence.Fence{ID: geofence.FenceID(fmt.Sprintf("mix%d", i)), Revision: 1, Shape: s}
	}
	return fences
}

// Drive is a vehicle on a smooth route through a city, heard every second, with some noise in its positions.
type Drive struct {
	r             *rand.Rand
	home          orb.Point
	spread        float64
	x, y          float64 // metres from home
	course, speed float64
}

// Drive returns a vehicle that starts somewhere in the world.
func (m *Mix) Drive() *Drive {
	return &Drive{
		r: rand.New(rand.NewPCG(m.r.Uint64(), 1)), home: m.Place(), spread: m.spread,
		course: 7 * m.r.Float64(), speed: 5 + 15*m.r.Float64(),
	}
}

// Next returns its next position.
func (d *Drive) Next() orb.Point {
	d.course += 0.1 * d.r.NormFloat64()
	if math.Hypot(d.x, d.y) > d.spread {
		d.course = math.Atan2(-d.x, -d.y)
	}
	d.x, d.y = d.x+d.speed*math.Sin(d.course), d.y+d.speed*math.Cos(d.course)
	return Offset(d.home, d.x+2*d.r.NormFloat64(), d.y+2*d.r.NormFloat64())
}
