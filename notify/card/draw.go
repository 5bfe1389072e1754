package card

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"strconv"
)

// palette of a picture.
type palette struct{ strip, line, fill color.RGBA }

func (t Tone) palette() palette {
	switch t {
	case Calm:
		return palette{rgb(0x1b6e3c), rgb(0x1f8a4c), veil(0x2fb56a, 0x48)}
	case Alert:
		return palette{rgb(0xa62b1f), rgb(0xc8392b), veil(0xe8604f, 0x48)}
	}
	return palette{rgb(0x23508f), rgb(0x2b64b4), veil(0x5b93e0, 0x48)}
}

func rgb(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }

// veil is a colour that lets what is under it through; alpha 0xff: not at all.
func veil(v uint32, alpha uint32) color.RGBA {
	part := func(c uint32) uint8 { return uint8(c & 0xff * alpha / 0xff) }
	return color.RGBA{part(v >> 16), part(v >> 8), part(v), uint8(alpha)}
}

// Draw writes the scene as PNG.
func Draw(w io.Writer, s Scene) error {
	b := &brush{img: image.NewRGBA(image.Rect(0, 0, Width, Height))}
	v, p := viewOf(s), s.Tone.palette()
	b.ground(v)
	for _, n := range s.Neighbours {
		b.shape(v, n, rgb(0x8a938c), veil(0x8a938c, 0x30), 2)
	}
	b.shape(v, s.Fence, p.line, p.fill, 4)
	pen := newPen(b.img)
	for _, n := range s.Neighbours {
		pen.label(v, n, 17, rgb(0x5c645e))
	}
	pen.label(v, s.Fence, 24, p.strip)
	b.track(v, s)
	b.vehicle(v.pixel(s.Vehicle), p.line)
	b.scale(v, pen)
	b.title(s, pen, p.strip)
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(w, b.img); err != nil {
		return fmt.Errorf("card: write picture: %w", err)
	}
	return nil
}

// ground paints what lies under everything: paper with a grid in round metres, which shows the size of things.
func (b *brush) ground(v view) {
	draw.Draw(b.img, b.img.Bounds(), image.NewUniform(rgb(0xf4f5f0)), image.Point{}, draw.Src)
	step := roundLength(130/v.scale) * v.scale
	line := image.NewUniform(rgb(0xe4e7df))
	for x := math.Mod(v.left, step); x < Width; x += step {
		draw.Draw(b.img, image.Rect(int(x), strip, int(x)+1, Height), line, image.Point{}, draw.Src)
	}
	for y := strip + math.Mod(v.top-strip, step); y < Height; y += step {
		draw.Draw(b.img, image.Rect(0, int(y), Width, int(y)+1), line, image.Point{}, draw.Src)
	}
}

// shape paints a fence.
func (b *brush) shape(v view, s Shape, line, fill color.RGBA, width float64) {
	for _, c := range s.Circles {
		ring := clipRing(v.circle(c))
		b.fill([][]point{ring}, fill)
		b.outline(ring, width, line)
	}
	for _, p := range s.Polygons {
		var rings [][]point
		for i, r := range p {
			way := 1.0
			if i > 0 {
				way = -1 // a hole
			}
			rings = append(rings, clipRing(turned(v.line(r), way)))
		}
		b.fill(rings, fill)
		for _, ring := range rings {
			b.outline(ring, width, line)
		}
	}
	for _, l := range s.Lines {
		for _, piece := range clipLine(v.line(l)) {
			if wide := 2 * s.HalfWidth * v.scale; wide > width {
				b.stroke(piece, wide+2*width, line)
				b.stroke(piece, wide, rgb(0xf4f5f0))
				b.stroke(piece, wide, fill)
				continue
			}
			b.stroke(piece, width+1, line)
		}
	}
}

// outline paints the border of a ring.
func (b *brush) outline(ring []point, width float64, c color.RGBA) {
	if len(ring) > 1 {
		b.stroke(append(ring[:len(ring):len(ring)], ring[0]), width, c)
	}
}

// track paints the vehicle's way.
func (b *brush) track(v view, s Scene) {
	way := v.line(append(s.Track[:len(s.Track):len(s.Track)], s.Vehicle))
	for _, piece := range clipLine(way) {
		b.stroke(piece, 11, rgb(0xffffff))
	}
	for _, piece := range clipLine(way) {
		b.stroke(piece, 6, rgb(0x33465c))
	}
	for _, p := range v.line(s.Track) {
		b.fill([][]point{disc(p, 4.5)}, rgb(0x33465c))
	}
}

// vehicle paints where the vehicle was.
func (b *brush) vehicle(at point, c color.RGBA) {
	for _, ring := range []struct {
		radius float64
		color  color.RGBA
	}{{30, veil(0x000000, 0x22)}, {19, rgb(0xffffff)}, {14, c}, {5, rgb(0xffffff)}} {
		b.fill([][]point{disc(at, ring.radius)}, ring.color)
	}
}

// scale paints a bar of a round length in the lower left corner.
func (b *brush) scale(v view, p *pen) {
	metres := roundLength(190 / v.scale)
	x, y, length := 28.0, float64(Height-30), metres*v.scale
	b.fill([][]point{{{x - 12, y - 40}, {x + length + 12, y - 40}, {x + length + 12, y + 16}, {x - 12, y + 16}}}, veil(0xffffff, 0xd0))
	b.stroke([]point{{x, y - 8}, {x, y}, {x + length, y}, {x + length, y - 8}}, 3, rgb(0x2b2f2c))
	p.write(lengthText(metres), point{x + 4, y - 14}, 20, rgb(0x2b2f2c), false)
}

// roundLength is the largest of 1, 2 and 5 times a power of ten that is not longer.
func roundLength(metres float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(metres, 1e-3))))
	for _, n := range []float64{5, 2} {
		if n*power <= metres {
			return n * power
		}
	}
	return power
}

func lengthText(metres float64) string {
	if metres >= 1000 {
		return strconv.FormatFloat(metres/1000, 'f', -1, 64) + " km"
	}
	return strconv.FormatFloat(metres, 'f', -1, 64) + " m"
}

// title paints the strip on top.
func (b *brush) title(s Scene, p *pen, c color.RGBA) {
	draw.Draw(b.img, image.Rect(0, 0, Width, strip), image.NewUniform(c), image.Point{}, draw.Src)
	if !p.write(s.Title, point{28, 43}, 34, rgb(0xffffff), true) {
		p.write(s.Subtitle, point{28, 58}, 34, rgb(0xffffff), true) // the title is in a script we have no letters for
		return
	}
	p.write(s.Subtitle, point{28, 76}, 24, rgb(0xf0f0f0), false)
}
