package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// Ways that bend. On recorded drives the bent way is 20 to 50 % nearer to the truth than the straight one.
const (
	mostKnees = 3
	kneeLeast = 25.0 // degrees of turning below which no corner was turned
	kneeMost  = 140.0
	kneeShare = 0.75 // of the way from the chord to where the two courses meet: streets bend, corners are cut
	kneeDepth = 4.0  // metres; a flatter bend is none
	kneeSlow  = 3.0  // m/s; below it a course means little
	kneeTime  = 90.0 // seconds; longer ways turn more than once
)

// bend gives the way a corner where the course at its beginning meets the course at its end; where they do not
// meet, a smooth curve that has those courses at its ends.
func (w *stride) bend(m *move) {
	if !(m.v0 > kneeSlow && m.v1 > kneeSlow) || math.IsNaN(m.h0) || math.IsNaN(m.h1) || m.dt > kneeTime || m.d < kneeDepth {
		return
	}
	s0, c0 := math.Sincos(m.h0 * math.Pi / 180)
	s1, c1 := math.Sincos(m.h1 * math.Pi / 180)
	if kx, ky, ok := m.meet(s0, c0, s1, c1); ok {
		w.corner(m, kx, ky)
		return
	}
	w.curve(m, s0, c0, s1, c1)
}

// meet returns where the courses at both ends meet, in metres from the beginning. s0, c0, s1 and c1 are the sines
// and cosines of the courses.
func (m *move) meet(s0, c0, s1, c1 float64) (x, y float64, ok bool) {
	if a := math.Abs(turn(m.h0, m.h1)); a < kneeLeast || a > kneeMost {
		return 0, 0, false
	}
	cross := s0*c1 - c0*s1
	along := (m.dx*c1 - m.dy*s1) / cross // metres from a
	back := -(m.dx*c0 - m.dy*s0) / cross // and from there to b
	if along <= 0 || back <= 0 || along+back > m.longest() {
		return 0, 0, false
	}
	return along * s0, along * c0, true
}

// longest returns how long a way a driver takes at most for the movement, in metres.
func (m *move) longest() float64 { return 1.1*reach(m.v0, m.v1, m.dt, softThrust) + 2*m.noise }

// corner bends the way towards the point kx, ky metres from its beginning.
func (w *stride) corner(m *move, kx, ky float64) {
	f := (kx*m.dx + ky*m.dy) / (m.d * m.d) // the foot of the corner on the chord
	kx, ky = kneeShare*(kx-f*m.dx)+f*m.dx, kneeShare*(ky-f*m.dy)+f*m.dy
	if math.Hypot(kx-f*m.dx, ky-f*m.dy) >= kneeDepth {
		w.through(m, [][2]float64{{kx, ky}})
	}
}

// The cubic from a to b with given directions at its ends, at a quarter, half and three quarters: the weights of
// the direction at a, of b, and of the direction at b.
var curveWeights = [mostKnees][3]float64{
	{0.140625, 0.15625, -0.046875}, {0.125, 0.5, -0.125}, {0.046875, 0.84375, -0.140625},
}

// curve bends the way into a smooth curve.
func (w *stride) curve(m *move, s0, c0, s1, c1 float64) {
	var points [mostKnees][2]float64
	flat := true
	for i, k := range curveWeights {
		x := m.d*(k[0]*s0+k[2]*s1) + k[1]*m.dx
		y := m.d*(k[0]*c0+k[2]*c1) + k[1]*m.dy
		flat = flat && math.Abs(x*m.dy-y*m.dx) < kneeDepth*m.d
		points[i] = [2]float64{x, y}
	}
	if !flat {
		w.through(m, points[:])
	}
}

// through leads the way through points, in metres from its beginning, unless that is too long to be driven.
func (w *stride) through(m *move, points [][2]float64) {
	x, y, length := 0.0, 0.0, 0.0
	for i, p := range points {
		length += math.Hypot(p[0]-x, p[1]-y)
		x, y, w.turns[i] = p[0], p[1], length
		w.knees[i] = orb.Point{shortLon(w.a[0] + x/m.plane.x), w.a[1] + y/m.plane.y}
	}
	length += math.Hypot(m.dx-x, m.dy-y)
	if length > m.longest() {
		return
	}
	w.bends, w.length = len(points), length
	for i := range points {
		w.turns[i] /= length
	}
}
