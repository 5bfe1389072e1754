package fencejson

// Kind is what a feature's shape property says.
type Kind string

// The kinds.
const (
	Circle   Kind = "circle"
	Polygon  Kind = "polygon"
	Corridor Kind = "corridor"
	Tripwire Kind = "tripwire"
)

// Kinds returns every kind.
func Kinds() []Kind { return []Kind{Circle, Polygon, Corridor, Tripwire} }
