package geofence

import (
	"math"
	"testing"
)

// The table of planes is as good as computing each.
func TestPlanes(t *testing.T) {
	for lat := -89.87; lat <= 89.87; lat += 0.0173 {
		got, want := planeAt(lat), planeOf(lat)
		if math.Abs(got.x-want.x) > 1e-6*want.y || math.Abs(got.y-want.y) > 1e-6*want.y {
			t.Fatalf("at %g° %v, want %v", lat, got, want)
		}
	}
}
