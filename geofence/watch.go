package geofence

import (
	"slices"
	"time"
)

// Watch is what is told of vehicles inside a fence beside their crossing its boundary, and when the fence ends.
// Every part stands for itself; its zero tells nothing. Tripwires have no inside: only Expires means something
// to them.
type Watch struct {
	// Limit is a speed in metres per second. Faster than that for at least LimitFor is told as Overspeed, its end
	// as OverspeedEnd. It takes two fixes in a row, or, of a tracker that reports no speed, a way that is too long
	// for the limit by more than the noise.
	Limit    float64
	LimitFor time.Duration

	Stopped time.Duration // standing in one place inside for so long is told, once per stop
	Silent  time.Duration // being inside with no news for so long is told, once per silence
	Absent  *Absence      // who has to be inside at a time of day

	// Expires is when the fence ceases to be, Unix milliseconds; 0 for never. It is the same as deleting it then.
	Expires int64
}

// Absence asks of vehicles to be inside at a time of day. A vehicle of which nothing is known is not told.
type Absence struct {
	By       time.Duration  // since midnight by the clock on the wall, below 24 hours
	Zone     *time.Location // whose clock; nil for UTC
	Days     []time.Weekday // none for every day
	Vehicles []string       // who; none for everyone heard of within a day before
}

// timed reports whether something is to be done at a time that does not depend on vehicles.
func (w *Watch) timed() bool { return w != nil && (w.Absent != nil || w.Expires != 0) }

// watches reports whether there is something to look for while a vehicle is inside.
func (w *Watch) watches() bool { return w != nil && (w.Limit > 0 || w.Stopped > 0 || w.Silent > 0) }

// next returns the first moment after a time at which vehicles have to be inside, in Unix milliseconds. On
// days on which the clock on the wall skips that time it is as much later as the clock skips.
func (a *Absence) next(after int64) int64 {
	zone := a.Zone
	if zone == nil {
		zone = time.UTC
	}
	local := time.UnixMilli(after).In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day()-1, 12, 0, 0, 0, zone)
	for {
		if at := wallTime(day, a.By, zone); at.UnixMilli() > after && a.on(at.Weekday()) {
			return at.UnixMilli()
		}
		day = day.AddDate(0, 0, 1)
	}
}

// wallTime returns when the clock on the wall shows by on a day.
func wallTime(day time.Time, by time.Duration, zone *time.Location) time.Time {
	h, rest := by/time.Hour, by%time.Hour
	m, rest := rest/time.Minute, rest%time.Minute
	return time.Date(day.Year(), day.Month(), day.Day(), int(h), int(m), int(rest/time.Second), int(rest%time.Second), zone)
}

// on reports whether the day of the week counts.
func (a *Absence) on(d time.Weekday) bool { return len(a.Days) == 0 || slices.Contains(a.Days, d) }

// noteTimed keeps the list of timed fences.
func (t *fenceTable) noteTimed(r Ref, w *Watch) {
	i, had := slices.BinarySearch(t.timed, r)
	switch {
	case w.timed() && !had:
		t.timed = slices.Insert(t.timed, i, r)
	case !w.timed() && had:
		t.timed = slices.Delete(t.timed, i, i+1)
	}
}
