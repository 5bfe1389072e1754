package geofence

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Tiles cut the world into squares of 360/2¹⁴ degrees: 2.4 km from south to north, 1.6 km wide at 48°. Their
// edges are exact in double and in single precision.
const (
	tilesRound = 1 << 14
	tileSize   = 360.0 / tilesRound
)

// tileKey is the number of a tile: row and column from the south-west.
type tileKey uint32

func keyOf(column, row int) tileKey { return tileKey(row)*tilesRound + tileKey(column) }

func (k tileKey) box() box {
	x, y := float64(k%tilesRound)*tileSize-180, float64(k/tilesRound)*tileSize-90
	return box{x, y, x + tileSize, y + tileSize}
}

// tileAround returns the box of the tile that p is in, edges of others left out.
func tileAround(p orb.Point) box {
	b := keyOf(clamp((p[0]+180)/tileSize, tilesRound), clamp((p[1]+90)/tileSize, tilesRound/2)).box()
	if b.x1 < 180 {
		b.x1 = math.Nextafter(b.x1, b.x0)
	}
	if b.y1 < 90 {
		b.y1 = math.Nextafter(b.y1, b.y0)
	}
	return b
}

// tileRange returns the tiles that b touches, edges included.
func tileRange(b box) (c0, c1, r0, r1 int) { return tilesUnder(b.grown(cellSlack, cellSlack)) }

// tilesUnder returns the tiles that b lies in, a neighbour that it only touches left out or not.
func tilesUnder(b box) (c0, c1, r0, r1 int) {
	c0, c1 = clamp((b.x0+180)/tileSize, tilesRound), clamp((b.x1+180)/tileSize, tilesRound)
	r0, r1 = clamp((b.y0+90)/tileSize, tilesRound/2), clamp((b.y1+90)/tileSize, tilesRound/2)
	return c0, c1, r0, r1
}

// A fence that touches more tiles than mostTiles hangs in the tree by itself, in up to mostParts parts.
const (
	mostTiles = 64
	mostParts = 64
)

// part is a part of a fence that goes into one page.
type part struct {
	key    tileKey // if tile
	box    box     // otherwise
	tile   bool
	covers bool
}

// appendParts appends the parts of a shape. It says the same every time.
func appendParts(dst []part, s Shape) []part {
	bounds := s.Bounds()
	n := 0
	for _, b := range bounds {
		c0, c1, r0, r1 := tileRange(boxBound(b))
		n += (c1 - c0 + 1) * (r1 - r0 + 1)
	}
	if n > mostTiles {
		return appendLoose(dst, s, bounds)
	}
	for _, b := range bounds {
		c0, c1, r0, r1 := tileRange(boxBound(b))
		for row := r0; row <= r1; row++ {
			for column := c0; column <= c1; column++ {
				key := keyOf(column, row)
				if r := s.relate(key.box().grown(cellSlack, cellSlack)); r != apart {
					dst = append(dst, part{key: key, tile: true, covers: r == covers})
				}
			}
		}
	}
	return dst
}

// appendLoose cuts a large shape: always the largest box with boundary in it, in four.
func appendLoose(dst []part, s Shape, bounds []orb.Bound) []part {
	start := len(dst)
	var open []box // boxes with boundary, the largest last
	add := func(b box) {
		switch s.relate(b) {
		case covers:
			dst = append(dst, part{box: b, covers: true})
		case crosses:
			i, _ := slices.BinarySearchFunc(open, b, func(o, b box) int { return cmp.Compare(o.x1-o.x0, b.x1-b.x0) })
			open = slices.Insert(open, i, b)
		}
	}
	for _, b := range bounds {
		add(boxBound(b))
	}
	for len(open) > 0 && len(open)+len(dst)-start < mostParts {
		b := open[len(open)-1]
		open = open[:len(open)-1]
		c := b.centre()
		add(box{b.x0, b.y0, c[0], c[1]})
		add(box{c[0], b.y0, b.x1, c[1]})
		add(box{b.x0, c[1], c[0], b.y1})
		add(box{c[0], c[1], b.x1, b.y1})
	}
	for _, b := range open {
		dst = append(dst, part{box: b})
	}
	return dst
}
