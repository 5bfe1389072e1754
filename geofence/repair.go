package geofence

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// ring is a ring of a polygon after repair: closed, without repeated points, and going somewhere.
type ring struct {
	path     []int       // polygon and ring, as given
	pts      []orb.Point // the first again at the end
	vertices []int32     // the number of each point in what was given
}

// repairRing checks and repairs one ring.
func repairRing(given orb.Ring, notes *Repairs, path ...int) (*ring, error) {
	for i, p := range given {
		if err := checkPoint(p, append(path[:len(path):len(path)], i)...); err != nil {
			return nil, err
		}
	}
	r := &ring{path: path}
	r.take(given, notes)
	r.dropSpikes(notes)
	if n := r.distinct(); n < 3 {
		return nil, fault(path, "a ring needs at least 3 different corners, this one has %d", n)
	}
	if r.flat() {
		return nil, fault(path, "the ring has no area: all its corners lie on one line")
	}
	return r, nil
}

// take copies the ring, without repeated points, and closes it.
func (r *ring) take(given orb.Ring, notes *Repairs) {
	repeated := 0
	for i, p := range given {
		if i > 0 && p == r.pts[len(r.pts)-1] {
			repeated++
			continue
		}
		r.pts, r.vertices = append(r.pts, p), append(r.vertices, int32(i))
	}
	if repeated > 0 {
		notes.add("%s: %s left out", r.name(), count(repeated, "repeated point"))
	}
	if n := len(r.pts); n > 1 && r.pts[0] != r.pts[n-1] {
		notes.add("%s: was not closed; its first corner %s is now also its last", r.name(), at(r.pts[0]))
		r.pts, r.vertices = append(r.pts, r.pts[0]), append(r.vertices, r.vertices[0])
	}
}

// dropSpikes removes corners where the ring turns back on itself: they enclose nothing.
//
//	a────────b
//	    c────┘    b goes, and the ring runs from a to c
func (r *ring) dropSpikes(notes *Repairs) {
	n := len(r.pts) - 1 // corners
	if n < 3 {
		return
	}
	pts, vertices := make([]orb.Point, 0, n+1), make([]int32, 0, n+1)
	for i, p := range r.pts[:n] {
		pts, vertices = append(pts, p), append(vertices, r.vertices[i])
		pts, vertices = trimSpikes(pts, vertices)
	}
	for len(pts) > 2 { // across the end
		k := len(pts)
		switch {
		case pts[0] == pts[k-1] || spike(pts[k-2], pts[k-1], pts[0]):
			pts, vertices = pts[:k-1], vertices[:k-1]
			continue
		case spike(pts[k-1], pts[0], pts[1]):
			pts, vertices = pts[1:], vertices[1:]
			continue
		}
		break
	}
	if cut := n - len(pts); cut > 0 {
		notes.add("%s: %s left out that enclosed nothing", r.name(), count(cut, "corner"))
	}
	r.pts, r.vertices = append(pts, pts[0]), append(vertices, vertices[0])
}

// trimSpikes drops spikes at the end of an open run of corners.
func trimSpikes(pts []orb.Point, vertices []int32) ([]orb.Point, []int32) {
	for k := len(pts); k > 1; k = len(pts) {
		switch last := k - 1; {
		case pts[last] == pts[last-1]:
			pts, vertices = pts[:last], vertices[:last]
		case k > 2 && spike(pts[last-2], pts[last-1], pts[last]):
			pts[last-1], vertices[last-1] = pts[last], vertices[last]
			pts, vertices = pts[:last], vertices[:last]
		default:
			return pts, vertices
		}
	}
	return pts, vertices
}

// spike reports whether the way from a to b to c turns back on itself at b.
func spike(a, b, c orb.Point) bool {
	if wraps(a, b) != 0 || wraps(b, c) != 0 || side(a, b, c) != 0 {
		return false
	}
	return (a[0]-b[0])*(c[0]-b[0]) >= 0 && (a[1]-b[1])*(c[1]-b[1]) >= 0
}

// distinct returns the number of different corners, counting no further than 3.
func (r *ring) distinct() int {
	var seen []orb.Point
	for _, p := range r.pts {
		known := false
		for _, s := range seen {
			known = known || s == p
		}
		if !known {
			seen = append(seen, p)
		}
		if len(seen) == 3 {
			break
		}
	}
	return len(seen)
}

// flat reports whether all corners lie on one line.
func (r *ring) flat() bool {
	for i, p := range r.pts[1:] {
		if wraps(r.pts[i], p) != 0 || side(r.pts[0], r.pts[1], p) != 0 {
			return false
		}
	}
	return true
}

func (r *ring) name() string { return fmt.Sprintf("polygon %d, ring %d", r.path[0], r.path[1]) }

func (r *Repairs) add(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// noteLongEdge mentions the edge that leaves the shortest way between its ends by most, if by more than 2 m:
// straight in longitude and latitude is not straight on the ground.
func noteLongEdge(rings []*ring, notes *Repairs) {
	var most float64
	var where *ring
	var from int
	for _, r := range rings {
		for i, b := range r.pts[1:] {
			if d := bulge(r.pts[i], b); d > most {
				most, where, from = d, r, i
			}
		}
	}
	if most > 2 {
		a, b := where.pts[from], where.pts[from+1]
		notes.add("%s: the edge from %s to %s is %.0f km long; it is straight in longitude and latitude, which is up to %.0f m off the shortest way",
			where.name(), at(a), at(b), geodesic(a, b)/1000, most)
	}
}

// bulge estimates in metres how far the straight edge in longitude and latitude is from the great circle.
func bulge(a, b orb.Point) float64 {
	l := shortLon(b[0]-a[0]) * degree
	phi := (a[1] + b[1]) / 2 * degree
	return earthA * l * l / 8 * math.Abs(math.Sin(phi)*math.Cos(phi))
}
