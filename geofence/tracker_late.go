package geofence

// past holds recent fixes, so that late ones can be put in their place.
type past struct{}

func (v *vehicle) record(t *Tracker, f *Fix) {}

func (t *Tracker) remember(dst []Crossing, f *Fix) []Crossing { return dst }

func (t *Tracker) catchUp(dst []Crossing, v Vehicle, now int64) []Crossing { return dst }

func (t *Tracker) fire(dst []Crossing, x timer) []Crossing { return dst }

func (v *vehicle) codePast(c *coder) {}
