package card

// window is the part of the plane to which shapes are cut before they are painted: wider than the picture, so that
// no outline of the cut shows.
const windowMargin = 60

// clipRing cuts a ring to the window (Sutherland and Hodgman).
func clipRing(ring []point) []point {
	for side := range 4 {
		var out []point
		for i, p := range ring {
			q := ring[(i+1)%len(ring)]
			in, next := inside(p, side), inside(q, side)
			if in {
				out = append(out, p)
			}
			if in != next {
				out = append(out, meet(p, q, side))
			}
		}
		if ring = out; len(ring) == 0 {
			return nil
		}
	}
	return ring
}

// clipLine cuts a line to the window, into the pieces that are inside.
func clipLine(line []point) [][]point {
	var pieces [][]point
	var piece []point
	for i := 1; i < len(line); i++ {
		a, z, ok := clipSegment(line[i-1], line[i])
		if !ok {
			if len(piece) > 0 {
				pieces, piece = append(pieces, piece), nil
			}
			continue
		}
		if len(piece) == 0 || piece[len(piece)-1] != a {
			if len(piece) > 0 {
				pieces = append(pieces, piece)
			}
			piece = []point{a}
		}
		piece = append(piece, z)
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

func clipSegment(a, z point) (point, point, bool) {
	for side := range 4 {
		in, next := inside(a, side), inside(z, side)
		switch {
		case !in && !next:
			return a, z, false
		case !in:
			a = meet(a, z, side)
		case !next:
			z = meet(a, z, side)
		}
	}
	return a, z, true
}

// The sides are left, right, top, bottom.
func edge(side int) float64 {
	return [...]float64{-windowMargin, Width + windowMargin, -windowMargin, Height + windowMargin}[side]
}

func inside(p point, side int) bool {
	switch side {
	case 0:
		return p.x >= edge(side)
	case 1:
		return p.x <= edge(side)
	case 2:
		return p.y >= edge(side)
	}
	return p.y <= edge(side)
}

// meet is where the segment from p to q goes across a side.
func meet(p, q point, side int) point {
	if side < 2 {
		x := edge(side)
		return point{x, p.y + (q.y-p.y)*(x-p.x)/(q.x-p.x)}
	}
	y := edge(side)
	return point{p.x + (q.x-p.x)*(y-p.y)/(q.y-p.y), y}
}
