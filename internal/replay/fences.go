package replay

import (
	"errors"
	"fmt"
	"io"

	"outrider/geofence"
	"outrider/internal/fencejson"
)

// mostFaults bounds how many faults of a collection are told at once.
const mostFaults = 20

// readFences reads a GeoJSON Feature or FeatureCollection. Every feature must be good: a replay without one
// of the fences would answer another question than the one asked.
func readFences(r io.Reader) ([]geofence.Fence, error) {
	var fences []geofence.Fence
	var faults []error
	at := map[geofence.FenceID]int{}
	for item := range fencejson.ParseCollection(r) {
		if len(faults) == mostFaults {
			faults = append(faults, errors.New("and more"))
			break
		}
		fence, err := fenceOf(item)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if first, twice := at[fence.ID]; twice {
			faults = append(faults, fmt.Errorf("features[%d]: id %q is taken by features[%d]", item.Index, fence.ID, first))
			continue
		}
		at[fence.ID] = item.Index
		fences = append(fences, fence)
	}
	return fences, errors.Join(faults...)
}

// fenceOf turns a feature into a fence; the revision is its place in the file, from 1.
func fenceOf(item fencejson.Item) (geofence.Fence, error) {
	if item.Err != nil {
		return geofence.Fence{}, item.Err
	}
	fence, err := item.Feature.Fence(uint64(item.Index + 1))
	if err != nil {
		return geofence.Fence{}, fmt.Errorf("features[%d]: %w", item.Index, err)
	}
	if fence.ID == "" {
		return geofence.Fence{}, fmt.Errorf("features[%d]: id is missing", item.Index)
	}
	return fence, nil
}
