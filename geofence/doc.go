// Package geofence finds out when vehicles cross fences. It is pure: no network, no store, no clock, and no
// dependency beyond orb. Everything it answers is a function of what it was given.
//
// A [Fence] has a [Shape]. An [Index] holds many fences, is immutable and shared by any number of goroutines;
// [Index.With] gives a changed copy. A [Tracker] follows vehicles: [Tracker.Observe] takes a [Fix] and appends
// the [Crossing] values it decides. A tracker is owned by one goroutine.
//
// Points are orb.Point{longitude, latitude} in degrees on WGS84. Edges are straight lines in longitude and
// latitude (RFC 7946). A point on a boundary is inside.
//
// # How exact
//
// Nothing here works on a sphere or with a tolerance that somebody has to choose.
//
//	polygon, tripwire   membership is exact for the numbers given
//	circle              membership is right to 0.1 mm of the geodesic
//	corridor            membership is right to 5 µm at 1 km from the line, 5 mm at 10 km
//	distances           right to 5 µm at 1 km and 5 mm at 10 km; ten times that beyond 60° of latitude
//	free boxes          of whole pixels of 9 to 38 m without a boundary
//
// What speeds the answers up never changes them: whole numbers, series and cells decide only what they decide
// beyond doubt, and the rest is computed in full. Within about a degree of a pole distances to lines are only
// of the right order; membership is exact there too.
package geofence
