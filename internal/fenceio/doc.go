// Package fenceio reads and writes geofences in the files that people have: GeoJSON, KML and KMZ, GPX, WKT, CSV of
// circles, and what other products export (Traccar's WKT, Tile38's SETHOOK and SETCHAN, the GeoJSON circles of Azure
// Maps and TomTom).
//
// [Read] yields one [Found] for each geofence of a file, good or not, with its place and what is wrong or was repaired.
// Every format is turned into a GeoJSON feature first, so that the rules are those of package fencejson. Input is
// bounded: archives by what they unpack to, documents by the depth and size of what is read at once.
package fenceio
