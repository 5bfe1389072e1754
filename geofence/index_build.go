package geofence

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// NewIndex returns an index of fences. Of several with one id the last counts; one without a shape is left
// out. It uses all processors and returns when they are done; the result does not depend on their number.
func NewIndex(fences []Fence) *Index {
	return (&Index{}).rebuilt(fences, nil)
}

// rebuilt does what With does, by preparing everything anew.
func (ix *Index) rebuilt(put []Fence, remove []FenceID) *Index {
	e := editIndex(ix)
	if n := len(put) / shardLoad * 2; n > len(e.ids.shards) {
		shards := 1
		for shards < n {
			shards *= 2
		}
		e.spread(shards)
	}
	for _, id := range remove {
		if ref, ok := e.ids.get(id); ok {
			e.forget(id)
			e.set(ref, Fence{})
			e.free = append(e.free, ref)
		}
	}
	for _, f := range put {
		if f.Shape == nil {
			continue
		}
		ref, known := e.ids.get(f.ID)
		if !known {
			ref = e.place()
			e.name(f.ID, ref)
		}
		e.revision = max(e.revision, f.Revision)
		e.set(ref, f)
	}
	b := builder{fences: e.fences}
	tiles, large := b.build()
	e.pages, e.large = packNodes(tiles), packNodes(large)
	next := e.finish()
	next.history = []*change{e.change} // whatever was known of what it was made from is void
	return next
}

// builder prepares all pages of an index.
type builder struct {
	fences fenceTable
}

// seat is a fence's place in a tile: the tile, the fence, and whether it covers the tile, in one number that
// sorts by tile and fence.
type seat uint64

func newSeat(k tileKey, r Ref, covers bool) seat {
	s := seat(k)<<32 | seat(r)<<1
	if covers {
		s |= 1
	}
	return s
}

func (s seat) key() tileKey { return tileKey(s >> 32) }

// build returns the tiles and the parts of large fences, in a fixed order.
func (b *builder) build() (tilePages, loose []*page) {
	const batch = 1024 // fences cut by one goroutine at a time
	batches := make([]cutBatch, (b.fences.n+batch-1)/batch)
	parallel(len(batches), func(i int) {
		batches[i] = b.cut(Ref(i*batch), Ref(min((i+1)*batch, b.fences.n)))
	})
	var seats []seat
	for _, c := range batches {
		seats, loose = append(seats, c.seats...), append(loose, c.loose...)
	}
	slices.Sort(seats)
	tiles := tilesOf(seats)
	tilePages = make([]*page, len(tiles))
	parallel(len(tiles), func(i int) { tilePages[i] = b.page(tiles[i]) })
	return tilePages, loose
}

// cutBatch is what some fences were cut into.
type cutBatch struct {
	seats []seat
	loose []*page
}

// cut cuts the fences from one to another.
func (b *builder) cut(from, to Ref) (c cutBatch) {
	var parts []part
	for ref := from; ref < to; ref++ {
		s := b.fences.at(ref).Shape
		if s == nil {
			continue
		}
		parts = appendParts(parts[:0], s)
		for _, p := range parts {
			if p.tile {
				c.seats = append(c.seats, newSeat(p.key, ref, p.covers))
			} else {
				c.loose = append(c.loose, newPage(p.box, false, []entry{{ref, s, p.covers}}))
			}
		}
	}
	return c
}

// tilesOf cuts sorted seats into those of one tile each.
func tilesOf(seats []seat) (tiles [][]seat) {
	for len(seats) > 0 {
		n := 1
		for n < len(seats) && seats[n].key() == seats[0].key() {
			n++
		}
		tiles = append(tiles, seats[:n])
		seats = seats[n:]
	}
	return tiles
}

// page prepares a tile.
func (b *builder) page(seats []seat) *page {
	members := make([]entry, 0, len(seats))
	for i, s := range seats {
		if i > 0 && s>>1 == seats[i-1]>>1 {
			continue // two boxes of one fence touch the tile
		}
		ref := Ref(s & 0xffff_ffff >> 1)
		members = append(members, entry{ref, b.fences.at(ref).Shape, s&1 != 0})
	}
	return newPage(seats[0].key().box(), true, members)
}

// parallel calls do for 0 to n-1 on all processors and returns when all calls have.
func parallel(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
