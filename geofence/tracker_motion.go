package geofence

import "math"

// What vehicles on roads can do.
const (
	topSpeed   = 70.0 // m/s; nothing on roads or rails is faster
	hardThrust = 5.0  // m/s², more than any road vehicle keeps up
	softThrust = 2.0  // m/s², what a driver usually does between two fixes
	slowSpeed  = 1.0  // m/s; below it a receiver may well stand
	fastSpeed  = 1.5  // m/s; above it it does not stand
	hopLeast   = 30.0 // metres between two slow fixes from which on the next fix is waited for
	believable = 80.0 // m/s; a reported speed above is a fault
)

// verdict is what a movement says about the fix at its end.
type verdict uint8

const (
	resting    verdict = iota // stands where it stood
	rolling                   // begins to move, not yet visibly away from the stop
	moving                    // a movement that fits everything known
	oddly                     // possible, but not what the speeds and courses say
	impossible                // no vehicle moves like that
)

// move is the way from the last accepted position to a fix.
type move struct {
	dt     float64 // seconds
	d      float64 // metres
	dx, dy float64 // metres east and north
	noise  float64 // metres, σ of d
	sigma  float64 // metres, σ of the fix
	v0, v1 float64 // m/s at both ends, NaN unknown
	rolled float64 // m/s with which a standing vehicle was setting off already, 0 for not
	h0, h1 float64 // degrees at both ends, NaN unknown
	plane  plane
}

// moveOf measures the movement from s to f.
func moveOf(s *state, f *Fix) move {
	m := move{plane: planeAt(s.p[1]), sigma: s.sigmaOf(f)}
	m.dt = float64(f.Time-s.leftAt()) / 1000
	m.dx, m.dy = m.plane.vector(s.p, f.Point)
	m.d = math.Sqrt(m.dx*m.dx + m.dy*m.dy)
	m.noise = math.Sqrt(m.sigma*m.sigma + float64(s.sigma)*float64(s.sigma))
	m.v0, m.v1 = float64(s.speed), knownSpeed(f)
	m.h0, m.h1 = float64(s.course), float64(f.Heading)
	if s.standing {
		m.v0 = 0
		if s.rolled() {
			m.rolled = float64(s.speed)
		}
	}
	return m
}

// leftAt returns when the vehicle may have left s.p: when the position froze while it reported speed, else
// the time of the last fix.
func (s *state) leftAt() int64 {
	if !s.standing && s.speed >= fastSpeed && s.moved < s.t && s.moved != 0 {
		return s.moved
	}
	return s.t
}

// knownSpeed returns the reported speed, NaN if there is none that can be true.
func knownSpeed(f *Fix) float64 {
	v := float64(f.Speed)
	if v < 0 || v > believable {
		return math.NaN()
	}
	return v
}

// judge says what the movement means in state s.
func (s *state) judge(m *move) verdict {
	if s.standing {
		return s.judgeStanding(m)
	}
	return m.judge()
}

// judgeStanding asks for a movement before a standing vehicle leaves its place.
func (s *state) judgeStanding(m *move) verdict {
	near := m.d <= s.scatter(m)
	fast := m.v1 >= fastSpeed
	switch {
	case fast && m.d > max(10, 2.5*m.sigma) && m.d <= 3*m.noise+reach(0, m.v1, m.dt, hardThrust):
		return moving
	case near && fast:
		return rolling
	case near:
		return resting
	case m.rolled > 0 && m.d <= 3*m.noise+reach(m.rolled, m.v1, m.dt, softThrust):
		return oddly // from the stop to the next light, perhaps
	}
	return impossible
}

// rolled reports whether the last fix of a standing vehicle said that it sets off.
func (s *state) rolled() bool { return s.standing && s.speed >= slowSpeed }

// scatter returns how far from the mean of a stop its fixes may lie, in metres.
func (s *state) scatter(m *move) float64 { return max(15, 4*max(m.sigma, float64(s.sigma))) }

// judge says whether a driving vehicle can have moved like that.
func (m *move) judge() verdict {
	over := m.d - 3*m.noise
	if over > reach(m.v0, m.v1, m.dt, hardThrust) {
		return impossible
	}
	if m.odd() {
		return oddly
	}
	return moving
}

// odd reports whether a possible movement does not fit the speeds and courses at its ends.
func (m *move) odd() bool {
	if math.IsNaN(m.v0) && math.IsNaN(m.v1) {
		return false
	}
	over := m.d - 2*m.noise
	if over > 1.05*reach(m.v0, m.v1, m.dt, softThrust) {
		return true
	}
	return m.hop() || m.d > 4*m.noise && m.offCourse() > 45
}

// hop reports whether the movement leads from one slow place to another with nothing seen of the way: as often as
// from one traffic light to the next, a reflection looks like that.
func (m *move) hop() bool {
	return m.v0 < slowSpeed && m.v1 < slowSpeed && m.d > max(6*m.noise, hopLeast)
}

// offCourse returns by how many degrees the straight way leaves the arc between the courses at its ends; 0
// when they are unknown or the vehicle was too slow for them to mean anything.
func (m *move) offCourse() float64 {
	if !(m.v0 > 3 && m.v1 > 3) || math.IsNaN(m.h0) || math.IsNaN(m.h1) {
		return 0
	}
	way := math.Atan2(m.dx, m.dy) * 180 / math.Pi
	a, b := turn(m.h0, way), turn(m.h1, way)
	if a*b <= 0 && math.Abs(a)+math.Abs(b) <= 180 {
		return 0 // between the two courses
	}
	return min(math.Abs(a), math.Abs(b))
}

// turn returns the signed angle from course a to course b, -180 to 180.
func turn(a, b float64) float64 { return math.Mod(b-a+540, 360) - 180 }

// reach returns the farthest way in metres that a vehicle goes in dt seconds between speeds v0 and v1, with
// thrust in m/s² both up and down. Unknown speeds may be anything up to topSpeed.
func reach(v0, v1, dt, thrust float64) float64 {
	switch {
	case math.IsNaN(v0) && math.IsNaN(v1):
		return topSpeed * dt
	case math.IsNaN(v0):
		v0, v1 = v1, v0
		fallthrough
	case math.IsNaN(v1):
		return min(v0*dt+thrust*dt*dt/2, topSpeed*dt)
	}
	thrust = max(thrust, math.Abs(v1-v0)/max(dt, 1e-3)) // what the speeds themselves prove
	up := min(max((dt+(v1-v0)/thrust)/2, 0), dt)
	top := min(v0+thrust*up, max(topSpeed, v0, v1))
	return min((v0+top)/2*up+(top+v1)/2*(dt-up), topSpeed*dt+thrust)
}
