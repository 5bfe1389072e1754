package card

import (
	"image"
	"image/color"
	"testing"
)

// inked counts the pixels that a text leaves.
func inked(t *testing.T, text string, bold bool) (pixels, width int) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 600, 100))
	p := newPen(img)
	p.draw(text, point{10, 60}, 30, color.RGBA{255, 0, 0, 255}, bold)
	for i := 0; i < len(img.Pix); i += 4 {
		if img.Pix[i+3] > 127 {
			pixels++
		}
	}
	return pixels, p.measure(text, 30, bold)
}

// Names of all six languages can be written; those of others are left out as a whole.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Depot", "Straßenbahnhöfe", "Depósito São João", "Кольцевая", "Xe tải ở Đà Nẵng", "Xe ta\u0309i", "गाड़ी 12 डिपो में पहुँची", "क्षेत्र", "श्री"} {
		if !writable(text) {
			t.Errorf("%q cannot be written", text)
			continue
		}
		regular, width := inked(t, text, false)
		bold, _ := inked(t, text, true)
		if regular < 100 || bold <= regular || width < 20 || width > 590 {
			t.Errorf("%q: %d pixels, %d bold, %d wide", text, regular, bold, width)
		}
	}
	for _, text := range []string{"", "車庫", "مستودع", "Depot 😀"} {
		if writable(text) {
			t.Errorf("%q counts as writable", text)
		}
	}
}

// Letters of Devanagari are joined and put in order, and not set one behind the other.
func TestDevanagariIsShaped(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		text string
		most int // glyphs
	}{
		{"क्ष", 1}, {"श्री", 2}, {"त्र", 1},
	} {
		if l := newLine(x.text, 30, false); len(l.glyphs) > x.most {
			t.Errorf("%q takes %d glyphs, want at most %d", x.text, len(l.glyphs), x.most)
		}
	}
	// The sign of a short i is spoken after its letter and written before it.
	l, ka := newLine("कि", 30, false), newLine("क", 30, false)
	if len(l.glyphs) != 2 || l.glyphs[1].id != ka.glyphs[0].id || l.glyphs[1].x == 0 {
		t.Errorf("%+v", l.glyphs)
	}
}

func TestFitOfEveryScript(t *testing.T) {
	t.Parallel()
	p := newPen(image.NewRGBA(image.Rect(0, 0, 10, 10)))
	for _, text := range []string{"A very long name of a depot", "बहुत लंबा नाम वाला एक क्षेत्र", "Một cái tên rất dài của một vùng ở Đà Nẵng"} {
		got := p.fit(text, 20, true, 150)
		if got == text || got == "" || p.measure(got, 20, true) > 150 {
			t.Errorf("%q is cut to %q, %d wide", text, got, p.measure(got, 20, true))
		}
	}
}
