package geofence_test

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// FuzzPolygon makes rings of any corners on a coarse grid, where edges touch, meet and overlap a lot. What is
// accepted must agree with the model at every point of the grid, and be repaired the same way twice.
func FuzzPolygon(f *testing.F) {
	f.Add([]byte{0, 0, 4, 0, 4, 4, 0, 4}, uint16(0))
	f.Add([]byte{0, 0, 9, 0, 9, 9, 0, 9, 255, 3, 3, 5, 3, 5, 5, 3, 5}, uint16(5))
	f.Add([]byte{1, 1, 6, 1, 6, 3, 3, 3, 6, 6, 1, 6}, uint16(179))
	f.Fuzz(func(t *testing.T, data []byte, east uint16) {
		area := gridRings(data, east)
		p, _, err := geofence.NewPolygon(orb.MultiPolygon{area})
		if err != nil {
			if !errors.Is(err, geofence.ErrShape) {
				t.Fatalf("%v is no fault of the shape", err)
			}
			return
		}
		m := fencetest.Drawing{Kind: fencetest.Polygon, Areas: orb.MultiPolygon{closed(area)}}.Model()
		ix := geofence.NewIndex([]geofence.Fence{{ID: "f", Shape: p}})
		for x := range 12 {
			for y := range 12 {
				q := gridPoint(byte(x), byte(y), east)
				side := m.Side(q)
				if got := p.Contains(q); got != (side == fencetest.Inside) && side != fencetest.OnBoundary {
					t.Fatalf("%v in %v: got %v, the model says %v", q, area, got, side)
				}
				if got := len(ix.Containing(nil, q)) > 0; got != p.Contains(q) {
					t.Fatalf("%v in %v: the index says %v", q, area, got)
				}
				if b := ix.FreeBox(q, 1000); p.Contains(b.Min) != p.Contains(q) || p.Contains(b.Max) != p.Contains(q) {
					t.Fatalf("%v in %v: the box %v is not free", q, area, b)
				}
			}
		}
	})
}

// gridRings reads corners as pairs of bytes; 255 begins another ring.
func gridRings(data []byte, east uint16) orb.Polygon {
	area := orb.Polygon{nil}
	for len(data) > 1 && len(area) < 4 {
		if data[0] == 255 {
			area, data = append(area, nil), data[1:]
			continue
		}
		area[len(area)-1] = append(area[len(area)-1], gridPoint(data[0]%12, data[1]%12, east))
		data = data[2:]
	}
	return area
}

// gridPoint is a corner of a grid of 0.004° that may cross the 180° meridian.
func gridPoint(x, y byte, east uint16) orb.Point {
	lon := math.Remainder(float64(east%360)-0.02+float64(x)/256, 360)
	return orb.Point{lon, float64(y)/256 - 0.01}
}

// closed closes every ring, as the model wants it.
func closed(area orb.Polygon) orb.Polygon {
	var out orb.Polygon
	for _, r := range area {
		out = append(out, append(r[:len(r):len(r)], r[0]))
	}
	return out
}

// FuzzSide compares nearly straight triples with rational numbers, through the membership of a triangle.
func FuzzSide(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 0.3)
	f.Add([]byte{255, 0, 0, 0, 0, 0, 0, 1}, 0.999999)
	f.Fuzz(func(t *testing.T, bits []byte, at float64) {
		if len(bits) < 8 || !(at > 0 && at < 1) {
			return
		}
		n := binary.LittleEndian.Uint64(bits)
		a, b := orb.Point{11 + float64(n&0xffff)*1e-7, 48}, orb.Point{11.1, 48.1 + float64(n>>16&0xffff)*1e-7}
		ring := orb.Ring{a, b, {11.2, 47.9}, a}
		p, _, err := geofence.NewPolygon(orb.MultiPolygon{{ring}})
		if err != nil {
			t.Fatal(err)
		}
		m := fencetest.Drawing{Kind: fencetest.Polygon, Areas: orb.MultiPolygon{{ring}}}.Model()
		q := orb.Point{a[0] + at*(b[0]-a[0]), a[1] + at*(b[1]-a[1])}
		for range 4 { // on the edge but for rounding, and a bit beside it
			if got := p.Contains(q); got != (m.Side(q) >= fencetest.OnBoundary) {
				t.Fatalf("%v: got %v, the model says %v", q, got, m.Side(q))
			}
			q[1] = math.Nextafter(q[1], 90)
		}
	})
}
