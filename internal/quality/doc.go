// Package quality measures the geofence engine's alerts on worlds whose truth it does not know.
// Its tests hold the figures; make quality prints them.
package quality
