package geofence

import "time"

// FenceID names a fence inside its tenant.
type FenceID string

// Fence is one version of a geofence.
type Fence struct {
	ID       FenceID
	Name     string // what people call it; the engine itself does not use it
	Owner    string // whose it is alone; empty: everybody's; the engine itself does not use it
	Revision uint64 // of this version; grows with every change of any fence
	Shape    Shape
	Dwell    time.Duration // a stay this long is told once per visit; 0 for never
	Tags     []string      // what people group it by; the engine itself does not use them
	Watch    *Watch        // what else is told; nil for nothing. Not changed once the fence is in an [Index]
}
