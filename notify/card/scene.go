package card

import (
	"math"

	"github.com/paulmach/orb"
)

// Size of a picture in pixels: Messenger shows 1.91 to 1.
const (
	Width  = 1146
	Height = 600
)

// Tone is the colour of what happened.
type Tone int

// The tones.
const (
	Calm  Tone = iota // green: came, is in order again
	Alert             // red: left, too fast, silent, absent
	Note              // blue: anything else
)

// Scene is what a picture shows.
type Scene struct {
	Title    string // in the strip on top; what the font cannot write is left out
	Subtitle string
	Tone     Tone

	Fence      Shape
	Neighbours []Shape
	Track      []orb.Point // oldest first; ends at Vehicle
	Vehicle    orb.Point
}

// Shape is the geometry of a fence.
type Shape struct {
	Name      string
	Circles   []Circle
	Polygons  []orb.Polygon    // with holes
	Lines     []orb.LineString // of a corridor or tripwire
	HalfWidth float64          // of the lines, in metres; 0: a line
}

// Circle is a place and everything within so many metres of it.
type Circle struct {
	Center orb.Point
	Radius float64
}

// Empty reports whether there is nothing to draw.
func (s Shape) Empty() bool { return len(s.Circles)+len(s.Polygons)+len(s.Lines) == 0 }

// earth is the mean radius in metres: enough for a picture.
const earth = 6_371_008.8

const perDegree = earth * math.Pi / 180 // metres

// view maps places to pixels: a flat map around its middle, north up.
type view struct {
	middle orb.Point
	cos    float64
	scale  float64 // pixels for a metre
	left   float64 // of the middle, in pixels
	top    float64
}

// Limits of what is shown, in metres from side to side: a fence larger than the most is shown in part.
const (
	leastSpan = 120
	mostSpan  = 40_000
)

// strip is the height of the title, and margin what is kept free of the fence, in pixels.
const (
	strip  = 92
	margin = 56
)

// viewOf chooses what of the world is shown: the vehicle and the fence, and as much of the way as fits beside it.
func viewOf(s Scene) view {
	b := orb.Bound{Min: s.Vehicle, Max: s.Vehicle}
	fence := s.Fence.bound(s.Vehicle)
	if span(fence.Union(b)) <= mostSpan {
		b = b.Union(fence)
	} else {
		b = around(s.Vehicle, mostSpan/8)
	}
	for i := len(s.Track) - 1; i >= 0; i-- {
		wider := b.Extend(near(s.Track[i], s.Vehicle))
		if span(wider) > max(2*span(b), 1.5*span(fence)) && span(wider) > leastSpan*4 {
			break
		}
		b = wider
	}
	v := view{middle: b.Center(), left: Width / 2, top: strip + (Height-strip)/2}
	v.cos = max(0.01, math.Cos(v.middle.Lat()*math.Pi/180))
	width := max(leastSpan, (b.Max.Lon()-b.Min.Lon())*perDegree*v.cos)
	height := max(leastSpan/2, (b.Max.Lat()-b.Min.Lat())*perDegree)
	v.scale = min((Width-2*margin)/width, (Height-strip-2*margin)/height)
	return v
}

// span is the larger side of a box in metres.
func span(b orb.Bound) float64 {
	cos := max(0.01, math.Cos(b.Center().Lat()*math.Pi/180))
	return max((b.Max.Lon()-b.Min.Lon())*cos, b.Max.Lat()-b.Min.Lat()) * perDegree
}

// around is a box of so many metres to each side of a place.
func around(p orb.Point, metres float64) orb.Bound {
	dy := metres / perDegree
	dx := dy / max(0.01, math.Cos(p.Lat()*math.Pi/180))
	return orb.Bound{Min: orb.Point{p[0] - dx, p[1] - dy}, Max: orb.Point{p[0] + dx, p[1] + dy}}
}

// near moves a place by whole turns of the globe to the side where the other is.
func near(p, other orb.Point) orb.Point {
	return orb.Point{p[0] - 360*math.Round((p[0]-other[0])/360), p[1]}
}

// bound is the box around a shape, on the side of the globe where a place is; empty shapes are at the place.
func (s Shape) bound(at orb.Point) orb.Bound {
	b := orb.Bound{Min: at, Max: at}
	if s.Empty() {
		return b
	}
	first := true
	add := func(o orb.Bound) {
		if first {
			b, first = o, false
			return
		}
		b = b.Union(o)
	}
	for _, c := range s.Circles {
		add(around(near(c.Center, at), c.Radius))
	}
	for _, p := range s.Polygons {
		for _, ring := range p {
			for _, q := range ring {
				q = near(q, at)
				add(orb.Bound{Min: q, Max: q})
			}
		}
	}
	for _, l := range s.Lines {
		for _, q := range l {
			add(around(near(q, at), s.HalfWidth))
		}
	}
	return b
}

// pixel is where a place is drawn.
func (v view) pixel(p orb.Point) point {
	p = near(p, v.middle)
	return point{
		v.left + (p[0]-v.middle[0])*perDegree*v.cos*v.scale,
		v.top - (p[1]-v.middle[1])*perDegree*v.scale,
	}
}

func (v view) line(places []orb.Point) []point {
	pixels := make([]point, len(places))
	for i, p := range places {
		pixels[i] = v.pixel(p)
	}
	return pixels
}

// circle is a circle on the picture, as a polygon.
func (v view) circle(c Circle) []point {
	return disc(v.pixel(c.Center), c.Radius*v.scale)
}
