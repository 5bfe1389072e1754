package geofence_test

import (
	"testing"

	"outrider/geofence/fencetest"
)

func TestScenarios(t *testing.T) {
	t.Parallel()
	fencetest.RunScenarios(t, "testdata")
}
