// Package fencejson reads and writes geofences as GeoJSON features (RFC 7946).
//
//	{"type": "Feature", "id": "depot",
//	 "geometry": {"type": "Point", "coordinates": [11.5755, 48.1374]},
//	 "properties": {"name": "Depot", "shape": "circle", "radius_m": 150}}
//
// A Point is a circle with radius_m; a Polygon or MultiPolygon is a polygon; a LineString or MultiLineString
// says in shape whether it is a corridor with width_m or a tripwire. What is told beside crossings is in
// rules, see [Rules]. Properties that this package does not
// know are kept as they are; members beside type, id, geometry and properties are let pass and not kept.
//
// Everything wrong with a feature is told as an [Error] that names the place in the document.
package fencejson
