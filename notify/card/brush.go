package card

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// point is a place on the picture, in pixels from its upper left.
type point struct{ x, y float64 }

// brush paints on a picture.
type brush struct {
	img *image.RGBA
	r   vector.Rasterizer
}

// far bounds the pixels that are handed to the rasteriser: what lies beyond has no effect on the picture.
const far = 8 * Width

// fill paints the inside of rings: those that go round one way, minus those that go round the other.
//
// PERF: each path has a rasteriser of its own size; one of the whole picture costs seven times as much.
func (b *brush) fill(rings [][]point, c color.RGBA) {
	box, ok := b.cover(rings)
	if !ok {
		return
	}
	b.r.Reset(box.Dx(), box.Dy())
	x, y := float64(box.Min.X), float64(box.Min.Y)
	for _, ring := range rings {
		if len(ring) < 3 {
			continue
		}
		b.r.MoveTo(float32(ring[0].x-x), float32(ring[0].y-y))
		for _, p := range ring[1:] {
			b.r.LineTo(float32(p.x-x), float32(p.y-y))
		}
		b.r.ClosePath()
	}
	b.r.Draw(b.img, box, image.NewUniform(c), image.Point{})
}

// cover is the part of the picture that rings may touch; false: none.
func (b *brush) cover(rings [][]point) (image.Rectangle, bool) {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, ring := range rings {
		for _, p := range ring {
			if math.IsNaN(p.x) || math.IsNaN(p.y) {
				return image.Rectangle{}, false
			}
			left, right = min(left, p.x), max(right, p.x)
			top, bottom = min(top, p.y), max(bottom, p.y)
		}
	}
	if left > right {
		return image.Rectangle{}, false
	}
	in := func(v float64) int { return int(max(-far, min(far, v))) }
	box := image.Rect(in(math.Floor(left)), in(math.Floor(top)), in(math.Ceil(right))+1, in(math.Ceil(bottom))+1)
	box = box.Intersect(b.img.Bounds())
	return box, !box.Empty()
}

// stroke paints a line with round ends and joins.
func (b *brush) stroke(line []point, width float64, c color.RGBA) {
	var parts [][]point
	for i, p := range line {
		parts = append(parts, disc(p, width/2))
		if i > 0 {
			parts = append(parts, bar(line[i-1], p, width/2))
		}
	}
	b.fill(parts, c)
}

// bar is the rectangle around a segment, turning the way that disc does.
func bar(a, z point, half float64) []point {
	dx, dy := z.x-a.x, z.y-a.y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return nil
	}
	nx, ny := -dy/length*half, dx/length*half
	return []point{{a.x - nx, a.y - ny}, {z.x - nx, z.y - ny}, {z.x + nx, z.y + ny}, {a.x + nx, a.y + ny}}
}

// disc is a circle as a polygon, fine enough that its corners do not show.
func disc(at point, radius float64) []point {
	n := int(min(240, max(10, math.Sqrt(radius)*9)))
	ring := make([]point, n)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		ring[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	return ring
}

// turned returns the ring in the way round that is asked for: 1 or -1.
func turned(ring []point, way float64) []point {
	area := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		area += p.x*q.y - q.x*p.y
	}
	if area*way >= 0 {
		return ring
	}
	out := make([]point, len(ring))
	for i, p := range ring {
		out[len(ring)-1-i] = p
	}
	return out
}
