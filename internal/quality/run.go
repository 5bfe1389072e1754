package quality

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/simulator/quality"
)

// nan is a number a tracker did not send.
var nan = float32(math.NaN())

// Engine plays a world to a tracker and returns what it told.
func Engine(w *quality.World, preset geofence.Preset) ([]quality.Told, error) {
	fences, err := fencesOf(w)
	if err != nil {
		return nil, err
	}
	t := geofence.NewTracker(geofence.NewIndex(fences), geofence.Options{Preset: preset})
	var told []quality.Told
	var buf []geofence.Crossing
	for _, x := range w.Fixes {
		buf = t.Observe(buf[:0], geofence.Fix{
			Vehicle: t.Vehicle(x.Vehicle), Time: x.Time.UnixMilli(), Received: x.Received.UnixMilli(), Point: x.Point,
			Accuracy: float32(x.Accuracy), Speed: float32(x.Speed), Heading: float32(x.Heading), HDOP: nan,
		})
		told = appendTold(told, buf, x.Received)
	}
	end := w.Fixes[len(w.Fixes)-1].Received.Add(time.Hour)
	return appendTold(told, t.Advance(buf[:0], end.UnixMilli()), end), nil
}

// InsideOutside is the rule everybody begins with: a crossing whenever a fix lies on the other side.
func InsideOutside(w *quality.World) ([]quality.Told, error) { return agreed(w, 1) }

// Band is a fixed hysteresis: a crossing once a fix lies so many metres beyond the boundary.
func Band(w *quality.World, metres float64) ([]quality.Told, error) {
	fences, err := fencesOf(w)
	if err != nil {
		return nil, err
	}
	var told []quality.Told
	for _, f := range fences {
		inside := f.Shape.Contains(w.Fixes[0].Point)
		for _, x := range w.Fixes {
			d := f.Shape.Distance(x.Point)
			if inside && d < -metres || !inside && d >= metres {
				inside = !inside
				told = append(told, quality.Told{Fence: string(f.ID), Enter: inside, At: x.Time, Emitted: x.Received})
			}
		}
	}
	return told, nil
}

// TwoFixes is the rule everybody tries next: a crossing once two fixes in a row lie on the other side.
func TwoFixes(w *quality.World) ([]quality.Told, error) { return agreed(w, 2) }

// agreed tells a crossing once n fixes in a row lie on the other side, at the time of the first of them.
func agreed(w *quality.World, n int) ([]quality.Told, error) {
	fences, err := fencesOf(w)
	if err != nil {
		return nil, err
	}
	var told []quality.Told
	for _, f := range fences {
		inside, other := f.Shape.Contains(w.Fixes[0].Point), 0
		for i := range w.Fixes {
			if f.Shape.Contains(w.Fixes[i].Point) == inside {
				other = 0
				continue
			}
			if other++; other == n {
				inside, other = !inside, 0
				told = append(told, quality.Told{
					Fence: string(f.ID), Enter: inside, At: w.Fixes[i-n+1].Time, Emitted: w.Fixes[i].Received,
				})
			}
		}
	}
	return told, nil
}

func appendTold(told []quality.Told, cs []geofence.Crossing, now time.Time) []quality.Told {
	for _, c := range cs {
		if c.Kind == geofence.Enter || c.Kind == geofence.Exit {
			told = append(told, quality.Told{
				Fence: string(c.Fence), Enter: c.Kind == geofence.Enter, At: time.UnixMilli(c.Time), Emitted: now, Late: c.Late,
			})
		}
	}
	return told
}

// fencesOf turns the fences of a world into those of the engine.
func fencesOf(w *quality.World) ([]geofence.Fence, error) {
	var fences []geofence.Fence
	for i, f := range w.Fences {
		shape, err := shapeOf(f)
		if err != nil {
			return nil, fmt.Errorf("quality: fence %q of %s/%d: %w", f.ID, w.Kind, w.Seed, err)
		}
		fences = append(fences, geofence.Fence{ID: geofence.FenceID(f.ID), Revision: uint64(i + 1), Shape: shape})
	}
	return fences, nil
}

func shapeOf(f *quality.Fence) (geofence.Shape, error) {
	if f.Radius > 0 {
		return geofence.NewCircle(f.Center, f.Radius)
	}
	shape, _, err := geofence.NewPolygon(orb.MultiPolygon{orb.Polygon(f.Rings)})
	return shape, err
}
