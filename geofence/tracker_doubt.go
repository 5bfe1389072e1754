package geofence

// Doubt is why a fix was not believed when it came.
type Doubt uint8

// The doubts.
const (
	NoDoubt     Doubt = iota
	Inaccurate        // it says itself that it is far worse than this tracker's fixes usually are: it is left out
	Unlikely          // a vehicle may move like that, but not by the speeds and courses it reports: the next fix decides
	Unreachable       // no vehicle moves like that: it is kept aside until later fixes prove a way or a place, or refute it
)

// Doubt returns what became of the fix that [Tracker.Observe] was just told: it may be believed later, with the fixes that
// prove it. It says nothing of a fix that came late.
func (t *Tracker) Doubt(f *Fix) Doubt {
	s := &t.vehicles[f.Vehicle].state
	switch a := s.aside; {
	case s.newest != f.Time || s.t == f.Time:
		return NoDoubt
	case a != nil && a.fixes[a.n-1].Time == f.Time:
		if a.soft {
			return Unlikely
		}
		return Unreachable
	}
	return Inaccurate
}
