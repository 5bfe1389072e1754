package geofence

import "github.com/paulmach/orb"

// Step is a move of a cursor.
type Step struct {
	Cursor *Cursor
	To     orb.Point
}

// Mover moves many cursors at once. In a large index most of a move is waiting for memory; a mover asks for what its next
// moves need before it makes them, so that the waits overlap: about 256 steps at once are a good number. In an index of
// fewer than some ten thousand fences that is no gain. The zero Mover is ready; it is owned by one goroutine.
type Mover struct {
	leaving         []leaver
	touched, inside []Ref
	asked           int32 // what was read ahead, so that it is read at all
}

// leaver is a step that leaves its box.
type leaver struct {
	tile *page
	s    spot
	at   uint32 // in lists
}

// Move makes the steps in their order, each as [Cursor.Move] does, and calls crossed for those that moved. What it is given
// holds until it returns.
func (m *Mover) Move(ix *Index, steps []Step, crossed func(i int, touched, inside []Ref)) {
	m.readAhead(ix, steps)
	for i := range steps {
		var moved bool
		m.touched, m.inside, moved = steps[i].Cursor.Move(ix, m.touched[:0], m.inside[:0], steps[i].To)
		if moved {
			crossed(i, m.touched, m.inside)
		}
	}
}

// readAhead reads what the steps will: one kind of thing of all of them after the other, since each leads to the next.
func (m *Mover) readAhead(ix *Index, steps []Step) {
	all := m.leaving[:0]
	for i := range steps {
		if c := steps[i].Cursor; c.ix == ix && c.tile != nil && !c.free.holds(steps[i].To) {
			all = append(all, leaver{tile: c.tile, s: spotAt(&c.tile.box, steps[i].To)})
		}
	}
	m.leaving = all
	onPicture := all[:0]
	for _, l := range all {
		if l.tile.n > 0 && l.s.x >= 0 && l.s.y >= 0 && l.s.x < cellUnits && l.s.y < cellUnits {
			l.at = uint32(l.tile.cellOf(l.s))
			onPicture = append(onPicture, l)
		}
	}
	inked := onPicture[:0]
	for _, l := range onPicture {
		if k := &l.tile.ink; !k.clear(k.pixel(l.s)) {
			inked = append(inked, l)
		}
	}
	for i := range inked {
		inked[i].at = inked[i].tile.starts[inked[i].at]
	}
	const line = 64 / 8 // spots
	for i := range inked {
		list := inked[i].tile.lists[inked[i].at:]
		for k := 0; k < min(3*line, len(list)); k += line {
			m.asked += list[k].x
		}
	}
}
