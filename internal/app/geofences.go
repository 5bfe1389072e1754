package app

import (
	"errors"
	"fmt"
	"io"

	"outrider/internal/fencejson"
)

// GeofenceFinding is what was found about one feature of a file.
type GeofenceFinding struct {
	Index   int      // of the feature, from 0
	ID      string   // empty if it has none, or could not be read
	Kind    string   // circle, polygon, corridor or tripwire; empty if it could not be read
	Repairs []string // what was put right, in sentences
	Field   string   // where the fault is, as in "geometry.coordinates[0][3]"; empty for the whole
	Fault   string   // what is wrong, in a sentence; empty for nothing
}

// CheckGeofences reads a GeoJSON Feature or FeatureCollection and calls report for each feature, good or not,
// and once more for a fault of the document itself. It returns how many features are good and how many
// findings are faults.
func CheckGeofences(r io.Reader, report func(GeofenceFinding)) (good, faults int) {
	first := map[string]int{}
	for item := range fencejson.ParseCollection(r) {
		f := findingOf(item)
		switch at, twice := first[f.ID]; {
		case f.Fault != "":
		case f.ID == "":
			f.Field, f.Fault = "id", "is missing"
		case twice:
			f.Field, f.Fault = "id", fmt.Sprintf("%q is taken by features[%d]", f.ID, at)
		default:
			first[f.ID] = item.Index
		}
		if f.Fault == "" {
			good++
		} else {
			faults++
		}
		report(f)
	}
	return good, faults
}

// findingOf checks one feature.
func findingOf(item fencejson.Item) GeofenceFinding {
	f := GeofenceFinding{Index: item.Index}
	err := item.Err
	if err == nil {
		f.ID, f.Kind = string(item.Feature.ID), string(item.Feature.Kind)
		_, f.Repairs, err = item.Feature.Shape()
	}
	if e, ok := errors.AsType[*fencejson.Error](err); ok {
		f.Field, f.Fault = e.Field, e.Detail
	} else if err != nil {
		f.Fault = err.Error()
	}
	return f
}
