// Package geofence finds out when vehicles cross fences. It is pure: no network, no store, no clock, and no
// dependency beyond orb and an R-tree. Everything it answers is a function of what it was given.
//
// A [Fence] has a [Shape]. An [Index] holds many fences, is immutable and shared by any number of goroutines;
// [Index.With] gives a changed copy. A [Tracker] follows vehicles: [Tracker.Observe] takes a [Fix] and appends
// the [Crossing] values it decides. A tracker is owned by one goroutine.
//
// Points are orb.Point{longitude, latitude} in degrees on WGS84. Edges are straight lines in longitude and
// latitude (RFC 7946). A point on a boundary is inside.
package geofence
