package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"outrider/internal/browsertest"
)

// The operator's archive is drawn over the countries: one of vector tiles, which knows nothing but water, and one of pictures.
func TestConsoleDrawsAnArchive(t *testing.T) {
	t.Parallel()
	picture := image.NewUniform(color.RGBA{0x20, 0x60, 0x40, 0xff})
	for name, a := range map[string]struct {
		archive []byte
		want    color.RGBA
	}{
		"vector":   {archiveOf(t, gzipped(t, waterTile()), 2, 1), color.RGBA{0xd6, 0xe6, 0xee, 0xff}}, // gzip, MVT
		"pictures": {archiveOf(t, pngOf(t, picture), 1, 2), picture.C.(color.RGBA)},                   // as it is, PNG
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "map.pmtiles")
			must(t, os.WriteFile(file, a.archive, 0o600))
			p := browsertest.Open(t, 900, 700)
			r := newRig(t, map[string]string{"console.pmtiles": file})
			p.Go(r.url("/"))
			p.Type(`input[type="password"]`, key)
			p.Click(`button[type="submit"]`)
			p.Wait(`document.querySelector('.map').dataset.ready === 'true'`)
			middle := browsertest.Eval[[]float64](p, `(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelector('.map').getBoundingClientRect())`)
			eventually(t, "it is seen where Natural Earth has the Sahara", func() bool {
				shot, err := png.Decode(bytes.NewReader(browsertest.Run(p, "a picture", chromedp.CaptureScreenshot())))
				must(t, err)
				return color.RGBAModel.Convert(shot.At(int(middle[0]), int(middle[1]))) == a.want
			})
			p.Shot("archive-" + name)
		})
	}
}

func pngOf(t *testing.T, c image.Image) []byte {
	t.Helper()
	tile := image.NewRGBA(image.Rect(0, 0, 256, 256))
	draw.Draw(tile, tile.Bounds(), c, image.Point{}, draw.Src)
	var buf bytes.Buffer
	must(t, png.Encode(&buf, tile))
	return buf.Bytes()
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(b)
	must(t, err)
	must(t, z.Close())
	return buf.Bytes()
}

// waterTile is a vector tile (version 2 of the specification) with a layer called water that covers all of it.
func waterTile() []byte {
	field := func(number, wire int, content ...byte) []byte {
		return append([]byte{byte(number<<3 | wire)}, content...)
	}
	block := func(number int, content []byte) []byte {
		return append(binary.AppendUvarint([]byte{byte(number<<3 | 2)}, uint64(len(content))), content...)
	}
	zigzag := func(n int) uint64 { return uint64(n<<1) ^ uint64(n>>63) }
	var geometry []byte
	for _, n := range []uint64{9, 0, 0, 3<<3 | 2, zigzag(4096), 0, 0, zigzag(4096), zigzag(-4096), 0, 15} { // move, three lines, close
		geometry = binary.AppendUvarint(geometry, n)
	}
	feature := append(field(3, 0, 3), block(4, geometry)...) // a polygon
	layer := append(block(1, []byte("water")), block(2, feature)...)
	layer = append(layer, field(5, 0, binary.AppendUvarint(nil, 4096)...)...) // extent
	layer = append(layer, field(15, 0, 2)...)                                 // version
	return block(3, layer)
}

// archiveOf is a PMTiles archive (version 3 of the specification) with one tile, that of zoom 0, and the numbers of its
// compression and kind.
func archiveOf(t *testing.T, tile []byte, compression, kind byte) []byte {
	t.Helper()
	metadata := gzipped(t, []byte(`{"vector_layers":[{"id":"water","fields":{}}]}`))
	directory := []byte{1, 0, 1} // one entry: its id, its run length
	directory = binary.AppendUvarint(directory, uint64(len(tile)))
	directory = gzipped(t, append(directory, 1)) // offset 0
	const header = 127
	h := make([]byte, header)
	copy(h, "PMTiles\x03")
	at := uint64(header)
	for i, n := range []int{len(directory), len(metadata), 0, len(tile)} { // root, metadata, leaves, tiles
		binary.LittleEndian.PutUint64(h[8+16*i:], at)
		binary.LittleEndian.PutUint64(h[16+16*i:], uint64(n))
		at += uint64(n)
	}
	for i := range 3 { // addressed tiles, entries, contents
		binary.LittleEndian.PutUint64(h[72+8*i:], 1)
	}
	h[96], h[97], h[98], h[99] = 1, 2, compression, kind // clustered; directories are gzip
	minLon, minLat, maxLon, maxLat := int32(-1_800_000_000), int32(-850_000_000), int32(1_800_000_000), int32(850_000_000)
	for i, v := range []int32{minLon, minLat, maxLon, maxLat} {
		binary.LittleEndian.PutUint32(h[102+4*i:], uint32(v))
	}
	return append(append(append(h, directory...), metadata...), tile...)
}
