package codec

import (
	"math"
	"time"
)

// role is what a field means for a fix.
type role byte

// The roles.
const (
	vehicleRole role = iota
	timeRole
	latRole
	lonRole
	placeRole // latitude and longitude in one text, "48.1,11.5"
	accuracyRole
	speedRole
	headingRole
	altitudeRole
	hdopRole
	batteryRole
	ignitionRole
	validRole      // the tracker's own word on whether it has a position
	satellitesRole // how many satellites the position stands on
	otherRole      // what a format looks at by itself
	roles
)

// field says where a payload holds something, and in which form.
type field struct {
	role  role
	path  string
	unit  string         // "": the SI unit, or degrees
	clock clock          // of timeRole
	zone  *time.Location // of timeRole in a form that names no zone
}

// source is a field made ready for reading.
type source struct {
	slot     int
	path     string
	name     string // the path, as refusals tell it
	quantity quantity
	clock    clock
	zone     *time.Location
}

// perUnit says how many SI units, or degrees, one unit is; false when a role has no such unit.
func perUnit(r role, unit string) (float64, bool) {
	if unit == "" {
		return 1, true
	}
	known := map[role]map[string]float64{
		latRole:      {"deg": 1, "1e-5 deg": 1e-5, "1e-6 deg": 1e-6, "1e-7 deg": 1e-7},
		lonRole:      {"deg": 1, "1e-5 deg": 1e-5, "1e-6 deg": 1e-6, "1e-7 deg": 1e-7},
		accuracyRole: lengths, altitudeRole: lengths,
		speedRole:   {"m/s": 1, "km/h": 1 / 3.6, "0.1 km/h": 1 / 36.0, "knots": 1852.0 / 3600, "mph": 1609.344 / 3600, "cm/s": 0.01},
		headingRole: {"deg": 1, "0.1 deg": 0.1, "rad": 180 / math.Pi, "1e-5 deg": 1e-5},
		hdopRole:    {"1": 1, "0.1": 0.1, "0.01": 0.01},
		batteryRole: {"%": 1, "0-1": 100},
	}
	factor, ok := known[r][unit]
	return factor, ok
}

var lengths = map[string]float64{"m": 1, "km": 1000, "dm": 0.1, "cm": 0.01, "mm": 0.001, "ft": 0.3048}

// quantityOf says which numbers a field of a role may hold.
func quantityOf(r role, name, unit string, factor float64) quantity {
	q := quantity{name: name, unit: unit, perUnit: factor}
	switch r {
	case latRole:
		q.unit, q.min, q.max = "degrees", -90, 90
	case lonRole:
		q.unit, q.min, q.max = "degrees", -180, 180
	case accuracyRole:
		q.max, q.unsigned = 1e7, true
	case speedRole:
		q.max, q.unsigned, q.zeroMeans0 = 1e4, true, true
	case headingRole:
		q.max, q.unsigned, q.zeroMeans0 = 360, true, true
	case altitudeRole:
		q.min, q.max, q.zeroMeans0 = -12e3, 1e6, true
	case hdopRole:
		q.max, q.unsigned = 1e4, true
	case batteryRole:
		q.max, q.unsigned, q.zeroMeans0 = 100, true, true
	case satellitesRole:
		q.unit, q.max, q.unsigned, q.zeroMeans0 = "satellites", 1e3, true, true
	}
	if q.unit == "" {
		q.unit = map[role]string{accuracyRole: "metres", speedRole: "metres per second", headingRole: "degrees", altitudeRole: "metres", hdopRole: "a ratio", batteryRole: "percent"}[r]
	}
	if r != latRole && r != lonRole { // their limits are in degrees, whatever they are sent in
		q.min, q.max = q.min/factor, q.max/factor
	}
	return q
}
