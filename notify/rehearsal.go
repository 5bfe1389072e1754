package notify

import "time"

// Rehearsal is what the engine finds in positions of the past, as geofences and a rule are now.
type Rehearsal struct {
	Events   []Event   // by time
	From, To time.Time // arrival of the first and the last position looked at; zero: there was none
	Fixes    int       // positions of the tenant
	Partial  bool      // there were more than may be looked at
}
