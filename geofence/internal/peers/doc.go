// Package peers compares the index of package geofence with other libraries, in one run on one machine:
// tidwall/rtree with tidwall/geojson, which is what Tile38 is made of, and golang/geo's s2.ShapeIndex. It is
// a module of its own, so that the product does not depend on them.
//
//	cd geofence/internal/peers && go test -bench .
//
// All of them answer which fences hold each position of vehicles that drive about, and the test says that
// they agree. The row "outrider" also tests the way between two positions and keeps the free boxes up to date.
package peers
