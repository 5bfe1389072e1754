package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// sideDoubt bounds the rounding of the quick answer of side, relative to its two products (Shewchuk 1997).
const sideDoubt = 3.3306690738754716e-16

// side returns on which side of the line from a to b the point c lies: 1 left, -1 right, 0 on it. It is
// exact for the numbers given: what rounding leaves in doubt is computed again without rounding.
func side(a, b, c orb.Point) int {
	l := (a[0] - c[0]) * (b[1] - c[1])
	r := (a[1] - c[1]) * (b[0] - c[0])
	d := l - r
	if doubt := sideDoubt * (math.Abs(l) + math.Abs(r)); d > doubt {
		return 1
	} else if d < -doubt {
		return -1
	}
	if l == 0 || r == 0 {
		return sign(d) // one product is exact, so the difference has the right sign
	}
	return exactSide(a, b, c)
}

func sign(f float64) int {
	switch {
	case f > 0:
		return 1
	case f < 0:
		return -1
	}
	return 0
}

// exactSide sums the six products of the determinant without rounding.
func exactSide(a, b, c orb.Point) int {
	var e expansion
	e.addProduct(a[0], b[1])
	e.addProduct(-a[1], b[0])
	e.addProduct(b[0], c[1])
	e.addProduct(-b[1], c[0])
	e.addProduct(c[0], a[1])
	e.addProduct(-c[1], a[0])
	return e.sign()
}

// expansion is an exact sum of up to twelve floats, kept as non-overlapping terms of growing size.
type expansion struct {
	terms [12]float64
	n     int
}

// addProduct adds x·y as its rounded value and the rest.
func (e *expansion) addProduct(x, y float64) {
	p := x * y
	e.add(math.FMA(x, y, -p))
	e.add(p)
}

func (e *expansion) add(x float64) {
	for i := range e.terms[:e.n] {
		t := e.terms[i]
		sum := x + t
		bb := sum - x
		e.terms[i] = (x - (sum - bb)) + (t - bb)
		x = sum
	}
	e.terms[e.n] = x
	e.n++
}

func (e *expansion) sign() int {
	for i := e.n - 1; i >= 0; i-- {
		if e.terms[i] != 0 {
			return sign(e.terms[i])
		}
	}
	return 0
}
