package card_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/notify/card"
)

var hall = orb.Point{11.575, 48.137}

// metres is a place so many metres east and north of the hall.
func metres(east, north float64) orb.Point {
	return orb.Point{hall[0] + east/(111_195*math.Cos(hall[1]*math.Pi/180)), hall[1] + north/111_195}
}

func square(east, north, half float64) orb.Ring {
	return orb.Ring{metres(east-half, north-half), metres(east+half, north-half), metres(east+half, north+half), metres(east-half, north+half), metres(east-half, north-half)}
}

func yard() card.Scene {
	s := card.Scene{
		Title: "Van 12 left Depot North", Subtitle: "08:42, after 2 hours 5 minutes inside", Tone: card.Alert,
		Fence: card.Shape{Name: "Depot North", Polygons: []orb.Polygon{{square(0, 0, 200), square(60, 60, 50)}}},
		Neighbours: []card.Shape{
			{Name: "Car park", Circles: []card.Circle{{Center: metres(420, 120), Radius: 110}}},
			{Name: "Ring road", Lines: []orb.LineString{{metres(-900, -300), metres(0, -260), metres(700, -330)}}, HalfWidth: 25},
			{Name: "Gate", Lines: []orb.LineString{{metres(-220, -60), metres(-220, 60)}}},
		},
		Vehicle: metres(-200, 5),
	}
	for i := range 12 {
		s.Track = append(s.Track, metres(-20-float64(i)*15, -100+float64(i)*8+10*math.Sin(float64(i))))
	}
	return s
}

// scenes are drawn by the test and, with OUTRIDER_PICTURES set to a directory, kept for people to look at.
func scenes() map[string]card.Scene {
	bare := card.Scene{Title: "Van 12 entered Depot", Subtitle: "08:42", Vehicle: hall}
	circle := card.Scene{Title: "Ван 12 entered Склад", Subtitle: "08:42", Tone: card.Calm, Vehicle: metres(0, -100), Track: []orb.Point{metres(30, -260), metres(10, -180)},
		Fence: card.Shape{Name: "Склад", Circles: []card.Circle{{Center: hall, Radius: 100}}}}
	hindi := circle
	hindi.Title, hindi.Subtitle, hindi.Fence.Name = "वैन 12 डिपो से निकली", "8:42 am", "डिपो"
	huge := bare
	huge.Fence = card.Shape{Name: "Country", Polygons: []orb.Polygon{{{{6, 47}, {15, 47}, {15, 55}, {6, 55}, {6, 47}}}}}
	pacific := card.Scene{Title: "Ship 1 left Fiji", Subtitle: "08:42", Vehicle: orb.Point{-179.99, -17}, Track: []orb.Point{{179.97, -17.01}, {179.99, -17.005}},
		Fence: card.Shape{Name: "Fiji", Circles: []card.Circle{{Center: orb.Point{179.995, -17}, Radius: 3000}}}}
	pole := card.Scene{Title: "Sledge", Vehicle: orb.Point{12, 89.9999}, Fence: card.Shape{Circles: []card.Circle{{Center: orb.Point{0, 90}, Radius: 500}}}}
	corridor := yard()
	corridor.Fence, corridor.Neighbours, corridor.Tone = corridor.Neighbours[1], nil, card.Note
	corridor.Vehicle, corridor.Track = metres(10, -230), []orb.Point{metres(-300, -275), metres(-100, -270)}
	corridor.Title = strings.Repeat("A very long name ", 8)
	return map[string]card.Scene{"yard": yard(), "bare": bare, "circle": circle, "hindi": hindi, "huge": huge, "pacific": pacific, "pole": pole, "corridor": corridor}
}

func drawn(t testing.TB, s card.Scene) (image.Image, int) {
	t.Helper()
	var b bytes.Buffer
	if err := card.Draw(&b, s); err != nil {
		t.Fatal(err)
	}
	size := b.Len()
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img, size
}

func TestDraw(t *testing.T) {
	t.Parallel()
	for name, s := range scenes() {
		img, size := drawn(t, s)
		if img.Bounds() != image.Rect(0, 0, card.Width, card.Height) || size > 400_000 {
			t.Errorf("%s: %v in %d bytes", name, img.Bounds(), size)
		}
		if dir := os.Getenv("OUTRIDER_PICTURES"); dir != "" {
			f, err := os.Create(filepath.Join(dir, "card-"+name+".png"))
			if err != nil {
				t.Fatal(err)
			}
			if err := card.Draw(f, s); err != nil {
				t.Error(err)
			}
			f.Close()
		}
	}
}

// What is where: red inside the fence, paper in its hole and outside, the marker at the vehicle.
func TestWhatThePictureShows(t *testing.T) {
	t.Parallel()
	s := card.Scene{Tone: card.Alert, Vehicle: metres(0, 0), Fence: card.Shape{Polygons: []orb.Polygon{{square(0, 0, 200), square(100, 0, 60)}}}}
	img, _ := drawn(t, s)
	middle := image.Pt(card.Width/2, 92+(card.Height-92)/2)
	at := func(east, north float64) (r, g, b int) {
		scale := float64(card.Height-92-2*56) / 400
		cr, cg, cb, _ := img.At(middle.X+int(east*scale), middle.Y-int(north*scale)).RGBA()
		return int(cr >> 8), int(cg >> 8), int(cb >> 8)
	}
	for _, c := range []struct {
		what        string
		east, north float64
		red         bool
	}{{"inside", -123, 117, true}, {"in the hole", 107, 7, false}, {"outside", -207 - 40, 13, false}, {"the other side of the hole", 183, 7, true}} {
		r, g, b := at(c.east, c.north)
		if red := r > g+20 && r > b+20; red != c.red {
			t.Errorf("%s: colour %d %d %d", c.what, r, g, b)
		}
	}
	if r, g, b := at(0, 0); r < 250 || g < 250 || b < 250 {
		t.Errorf("the marker's middle is %d %d %d", r, g, b)
	}
	if again, _ := drawn(t, s); !sameImage(img, again) {
		t.Error("the same scene gives another picture")
	}
	turned := s
	turned.Fence.Polygons = []orb.Polygon{{square(0, 0, 200), square(100, 0, 60)}}
	for _, ring := range turned.Fence.Polygons[0] {
		ring.Reverse()
	}
	if again, _ := drawn(t, turned); !sameImage(img, again) {
		t.Error("the way round of a ring shows")
	}
}

func sameImage(a, b image.Image) bool {
	return bytes.Equal(a.(*image.RGBA).Pix, b.(*image.RGBA).Pix)
}

func TestParseShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ feature, want string }{
		{`{"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"name":"A","radius_m":50}}`, "A 1 0 0 0"},
		{`{"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},"properties":{}}`, " 0 1 0 0"},
		{`{"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[2,0],[3,0],[3,1],[2,0]]]]}}`, " 0 2 0 0"},
		{`{"geometry":{"type":"LineString","coordinates":[[0,0],[1,0]]},"properties":{"width_m":50}}`, " 0 0 1 25"},
		{`{"geometry":{"type":"MultiLineString","coordinates":[[[0,0],[1,0]],[[2,2],[3,3]]]}}`, " 0 0 2 0"},
		{`{"geometry":{"type":"GeometryCollection"}}`, "error"},
		{`{"geometry":{"type":"Polygon","coordinates":"x"}}`, "error"},
		{`[`, "error"},
	} {
		s, err := card.ParseShape([]byte(c.feature))
		got := "error"
		if err == nil {
			got = strings.Join([]string{s.Name, itoa(len(s.Circles)), itoa(len(s.Polygons)), itoa(len(s.Lines)), itoa(int(s.HalfWidth))}, " ")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.feature, got, c.want, err)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestSigner(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	s := card.NewSigner([]byte("secret"))
	address := s.Address("acme", "d1", now.Add(time.Hour))
	u, err := url.Parse(address)
	if err != nil || u.Path != "/card/d1" {
		t.Fatalf("address %q: %v", address, err)
	}
	if tenant, err := s.Check("d1", u.Query(), now); tenant != "acme" || err != nil {
		t.Errorf("good: %q %v", tenant, err)
	}
	change := func(key, value string) url.Values {
		q := u.Query()
		q.Set(key, value)
		return q
	}
	for what, c := range map[string]struct {
		id  string
		q   url.Values
		now time.Time
		err error
	}{
		"another delivery": {"d2", u.Query(), now, card.ErrRefused},
		"another tenant":   {"d1", change("t", "other"), now, card.ErrRefused},
		"a later end":      {"d1", change("e", "1900000000"), now, card.ErrRefused},
		"no signature":     {"d1", change("s", ""), now, card.ErrRefused},
		"too late":         {"d1", u.Query(), now.Add(time.Hour), card.ErrEnded},
	} {
		if tenant, err := s.Check(c.id, c.q, c.now); err != c.err || tenant != "" {
			t.Errorf("%s: %q %v, want %v", what, tenant, err, c.err)
		}
	}
	if _, err := card.NewSigner([]byte("another")).Check("d1", u.Query(), now); err != card.ErrRefused {
		t.Errorf("another key: %v", err)
	}
	if a, b := s.Address("a", "b1", now), s.Address("ab", "1", now); a[len(a)-24:] == b[len(b)-24:] {
		t.Error("tenant and id run together")
	}
}

func FuzzParseShape(f *testing.F) {
	f.Add([]byte(`{"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},"properties":{"name":"x"}}`))
	f.Add([]byte(`{"geometry":{"type":"LineString","coordinates":[[1e308,-1e308],[180,90]]},"properties":{"width_m":1e300}}`))
	f.Fuzz(func(t *testing.T, feature []byte) {
		s, err := card.ParseShape(feature)
		if err != nil {
			return
		}
		if err := card.Draw(&bytes.Buffer{}, card.Scene{Fence: s, Neighbours: []card.Shape{s}, Vehicle: hall}); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	s := yard()
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := card.Draw(&out, s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len()), "bytes")
}
