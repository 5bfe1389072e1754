package geofence_test

import (
	"math"
	"testing"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/geofence/fencetest"
)

// What became of each fix is said right after it was told.
func TestAFixThatIsNotBelievedHasAReason(t *testing.T) {
	t.Parallel()
	tr := geofence.NewTracker(nil, geofence.Options{})
	van, home, nan := tr.Vehicle("van"), orb.Point{11.5, 48.1}, float32(math.NaN())
	at := int64(1_790_000_000_000)
	tell := func(east float64, speed, accuracy float32) geofence.Doubt {
		at += 10_000
		f := geofence.Fix{
			Vehicle: van, Time: at, Received: at + 300, Point: fencetest.Offset(home, east, 0),
			Speed: speed, Accuracy: accuracy, Heading: nan, HDOP: nan,
		}
		tr.Observe(nil, f)
		return tr.Doubt(&f)
	}
	for i := range 12 { // 100 m in ten seconds at 10 m/s
		if got := tell(100*float64(i), 10, 5); got != geofence.NoDoubt {
			t.Fatalf("fix %d of a quiet drive: %v", i, got)
		}
	}
	for _, step := range []struct {
		what            string
		east            float64
		speed, accuracy float32
		want            geofence.Doubt
	}{
		{"claims 400 m", 1210, 10, 400, geofence.Inaccurate},
		{"is back", 1300, 10, 5, geofence.NoDoubt},
		{"goes 5 km in 10 s", 6300, 10, 5, geofence.Unreachable},
		{"is back from there", 1500, 10, 5, geofence.NoDoubt},
		{"goes 200 m in 10 s at 10 m/s", 1700, 10, 5, geofence.Unlikely},
	} {
		if got := tell(step.east, step.speed, step.accuracy); got != step.want {
			t.Errorf("a fix that %s: got %v, want %v", step.what, got, step.want)
		}
	}
	late := geofence.Fix{Vehicle: van, Time: at - 25_000, Received: at + 400, Point: home, Speed: nan, Accuracy: 5, Heading: nan, HDOP: nan}
	tr.Observe(nil, late)
	if got := tr.Doubt(&late); got != geofence.NoDoubt {
		t.Errorf("a late fix: got %v, want none", got)
	}
}
