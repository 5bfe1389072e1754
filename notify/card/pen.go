package card

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/paulmach/orb"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// fonts are parsed once. They cover Latin, Greek and Cyrillic letters; see text.go for the others.
var fonts = sync.OnceValue(func() [2]*sfnt.Font {
	parse := func(ttf []byte) *sfnt.Font {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("card: " + err.Error()) // a programmer's mistake that every test shows
		}
		return f
	}
	return [2]*sfnt.Font{parse(goregular.TTF), parse(gobold.TTF)}
})

// pen writes on a picture.
type pen struct {
	img   *image.RGBA
	faces map[face]font.Face
	taken []image.Rectangle // where labels are
}

type face struct {
	size float64
	bold bool
}

func newPen(img *image.RGBA) *pen { return &pen{img: img, faces: map[face]font.Face{}} }

func (p *pen) face(size float64, bold bool) font.Face {
	key := face{size, bold}
	if f, ok := p.faces[key]; ok {
		return f
	}
	i := 0
	if bold {
		i = 1
	}
	f, err := opentype.NewFace(fonts()[i], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("card: " + err.Error()) // cannot happen: the options are our own
	}
	p.faces[key] = f
	return f
}

// writable reports whether there is every letter of the text. Half a name is worse than none.
func writable(text string) bool { return plain(text) || shapable(norm.NFC.String(text)) }

// plain reports whether the Go fonts have every letter of the text.
func plain(text string) bool {
	var buffer sfnt.Buffer
	for _, r := range text {
		if i, err := fonts()[0].GlyphIndex(&buffer, r); err != nil || i == 0 {
			return false
		}
	}
	return text != ""
}

// write writes one line with its base at a point, cut to what is left of the picture; false: letters are lacking.
func (p *pen) write(text string, at point, size float64, c color.RGBA, bold bool) bool {
	if !writable(text) {
		return false
	}
	p.draw(p.fit(text, size, bold, Width-int(at.x)-24), at, size, c, bold)
	return true
}

// draw writes a text whose letters there are.
func (p *pen) draw(text string, at point, size float64, c color.RGBA, bold bool) {
	if plain(text) {
		d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: p.face(size, bold), Dot: fixed.P(int(at.x), int(at.y))}
		d.DrawString(text)
		return
	}
	l := newLine(norm.NFC.String(text), size, bold)
	l.draw(p.img, at, c)
}

// measure is how wide a text is, in pixels.
func (p *pen) measure(text string, size float64, bold bool) int {
	if plain(text) || text == "" {
		return font.MeasureString(p.face(size, bold), text).Ceil()
	}
	l := newLine(norm.NFC.String(text), size, bold)
	return int(math.Ceil(l.width))
}

// fit shortens a text to so many pixels.
func (p *pen) fit(text string, size float64, bold bool, width int) string {
	if p.measure(text, size, bold) <= width {
		return text
	}
	runes := []rune(text)
	for n := len(runes) - 1; n > 0; n-- {
		if short := strings.TrimSpace(string(runes[:n])) + "…"; p.measure(short, size, bold) <= width {
			return short
		}
	}
	return ""
}

// label writes a fence's name into its middle, or above it when it is small; nowhere if another label is there.
func (p *pen) label(v view, s Shape, size float64, c color.RGBA) {
	if s.Empty() || !writable(s.Name) {
		return
	}
	name := p.fit(s.Name, size, true, 330)
	width := p.measure(name, size, true)
	b := s.bound(v.middle)
	low, high := v.pixel(b.Min), v.pixel(b.Max)
	x := (max(low.x, 0) + min(high.x, Width)) / 2
	y := (max(high.y, strip) + min(low.y, Height)) / 2
	switch {
	case len(s.Lines) > 0 || low.y-high.y < 3*size:
		y = high.y - 12
	case pierced(s):
		y = max(high.y, strip) + size + 12 // holes are rarely right at the border
	}
	if x < 0 || x > Width || y < strip+size || y > Height-8 || math.IsNaN(x) {
		return
	}
	left := int(min(max(8, x-float64(width)/2), float64(Width-width-8)))
	box := image.Rect(left-4, int(y-size), left+width+4, int(y)+8)
	for _, other := range p.taken {
		if box.Overlaps(other) {
			return
		}
	}
	p.taken = append(p.taken, box)
	halo := veil(0xffffff, 0xd8)
	for _, shift := range []image.Point{{-2, 0}, {2, 0}, {0, -2}, {0, 2}, {-1, -1}, {1, 1}} {
		p.draw(name, point{float64(left + shift.X), float64(int(y) + shift.Y)}, size, halo, true)
	}
	p.draw(name, point{float64(left), float64(int(y))}, size, c, true)
}

// pierced reports whether a shape has holes.
func pierced(s Shape) bool {
	return slices.ContainsFunc(s.Polygons, func(p orb.Polygon) bool { return len(p) > 1 })
}
