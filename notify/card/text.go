package card

import (
	"bytes"
	"embed"
	"image"
	"image/color"
	"sync"

	"github.com/go-text/typesetting/di"
	shaped "github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Letters that the Go fonts lack come from subsets of Noto Sans (SIL Open Font License 1.1, see fonts/OFL-*.txt): Latin
// with the letters of Vietnamese, and Devanagari, whose letters are shaped as HarfBuzz does.

//go:embed fonts/*.woff
var fontFiles embed.FS

// notoNames are the subsets, in the order in which a letter is looked for.
var notoNames = []string{"latin", "vietnamese", "devanagari"}

// noto holds the subsets, regular and bold. Fonts are safe for many goroutines; faces are made anew for each line.
var noto = sync.OnceValue(func() [2][]*shaped.Font {
	var all [2][]*shaped.Font
	for i, weight := range []string{"", "-bold"} {
		for _, name := range notoNames {
			file, err := fontFiles.ReadFile("fonts/" + name + weight + ".woff")
			if err != nil {
				panic("card: " + err.Error()) // a programmer's mistake that every test shows
			}
			face, err := shaped.ParseTTF(bytes.NewReader(file))
			if err != nil {
				panic("card: " + name + ": " + err.Error())
			}
			all[i] = append(all[i], face.Font)
		}
	}
	return all
})

// coveredBy is the subset that has a letter; -1: none has it.
func coveredBy(r rune) int {
	for i, f := range noto()[0] {
		if _, ok := f.NominalGlyph(r); ok {
			return i
		}
	}
	return -1
}

// shapable reports whether the subsets have every letter of the text.
func shapable(text string) bool {
	for _, r := range text {
		if coveredBy(r) < 0 {
			return false
		}
	}
	return text != ""
}

// glyph is a letter, or several joined ones, at a place of a line.
type glyph struct {
	face *shaped.Face
	id   shaped.GID
	x, y float64 // from the beginning of the line, up
}

// line is a text that was laid out, at a size in pixels.
type line struct {
	glyphs []glyph
	size   float64
	width  float64
}

// newLine lays a text out that is shapable: runs of letters of one subset, one behind the other.
func newLine(text string, size float64, bold bool) line {
	fonts := noto()[0]
	if bold {
		fonts = noto()[1]
	}
	l := line{size: size}
	runes := []rune(text)
	for from := 0; from < len(runes); {
		subset, to := coveredBy(runes[from]), from+1
		for to < len(runes) && coveredBy(runes[to]) == subset {
			to++
		}
		l.add(shaped.NewFace(fonts[max(0, subset)]), runes, from, to)
		from = to
	}
	return l
}

func (l *line) add(face *shaped.Face, runes []rune, from, to int) {
	script := language.Latin
	if language.LookupScript(runes[from]) == language.Devanagari {
		script = language.Devanagari
	}
	var shaper shaping.HarfbuzzShaper
	out := shaper.Shape(shaping.Input{
		Text: runes, RunStart: from, RunEnd: to, Direction: di.DirectionLTR, Face: face, Size: fixed.Int26_6(l.size * 64),
		Script: script, Language: language.DefaultLanguage(),
	})
	for _, g := range out.Glyphs {
		l.glyphs = append(l.glyphs, glyph{face, g.GlyphID, l.width + pixels(g.XOffset), pixels(g.YOffset)})
		l.width += pixels(g.Advance)
	}
}

func pixels(v fixed.Int26_6) float64 { return float64(v) / 64 }

// draw paints the line with its base at a point.
func (l *line) draw(img *image.RGBA, at point, c color.RGBA) {
	box := image.Rect(int(at.x)-8, int(at.y-1.6*l.size), int(at.x+l.width)+8, int(at.y+0.8*l.size)).Intersect(img.Bounds())
	if box.Empty() {
		return
	}
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, g := range l.glyphs {
		outline, ok := g.face.GlyphData(g.id).(shaped.GlyphOutline)
		if !ok {
			continue // a space
		}
		scale := l.size / float64(g.face.Upem())
		place := func(p opentype.SegmentPoint) (x, y float32) {
			return float32(at.x + g.x + float64(p.X)*scale - float64(box.Min.X)), float32(at.y - g.y - float64(p.Y)*scale - float64(box.Min.Y))
		}
		trace(r, outline.Segments, place)
	}
	r.Draw(img, box, image.NewUniform(c), image.Point{})
}

// trace puts an outline on the rasteriser.
func trace(r *vector.Rasterizer, segments []opentype.Segment, place func(opentype.SegmentPoint) (x, y float32)) {
	open := false
	for _, s := range segments {
		ax, ay := place(s.Args[0])
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			if open {
				r.ClosePath()
			}
			r.MoveTo(ax, ay)
			open = true
		case opentype.SegmentOpLineTo:
			r.LineTo(ax, ay)
		case opentype.SegmentOpQuadTo:
			bx, by := place(s.Args[1])
			r.QuadTo(ax, ay, bx, by)
		case opentype.SegmentOpCubeTo:
			bx, by := place(s.Args[1])
			cx, cy := place(s.Args[2])
			r.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	if open {
		r.ClosePath()
	}
}
