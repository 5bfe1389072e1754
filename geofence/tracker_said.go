package geofence

// sameMoment is how far apart, in milliseconds, two tellings of one thing that has no opposite may be.
const sameMoment = 1000

// unsaid leaves out, of the crossings from dst[start:], those that were told before: a past that was lived
// again may have led to an earlier state, from which the same crossing is found once more. The rest is noted.
func (p *past) unsaid(dst []Crossing, start int) []Crossing {
	kept := dst[:start]
	for i := range dst[start:] {
		c := dst[start+i]
		if p.said(&c) {
			continue
		}
		p.told = append(p.told, toldCrossing{c.Fence, c.Time, c.Kind})
		kept = append(kept, c)
	}
	return kept
}

// said reports whether the nearest thing told of that fence and aspect is the same: an exit after an exit, or
// a stop at the same moment.
func (p *past) said(c *Crossing) bool {
	nearest, gap := Kind(0), int64(pastNearest)
	for i := range p.told {
		x := &p.told[i]
		if x.fence != c.Fence || x.kind.aspect() != c.Kind.aspect() {
			continue
		}
		if d := max(x.at-c.Time, c.Time-x.at); d <= gap {
			nearest, gap = x.kind, d
		}
	}
	return nearest == c.Kind && (gap <= sameMoment || c.Kind.alternates())
}

// aspect returns the same for kinds that end each other.
func (k Kind) aspect() Kind {
	switch k {
	case Exit:
		return Enter
	case OverspeedEnd:
		return Overspeed
	}
	return k
}

// alternates reports whether a kind and its opposite take turns.
func (k Kind) alternates() bool { return k.aspect() == Enter || k.aspect() == Overspeed }
