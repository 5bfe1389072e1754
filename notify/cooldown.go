package notify

import (
	"context"
	"sync"
	"time"

	"outrider/identity"
)

// RecentFunc returns the newest deliveries of a vehicle, for what was told before a restart.
type RecentFunc func(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]Delivery, error)

// cooldowns remembers when people were last told of what rules tell seldom. It is safe for many goroutines.
type cooldowns struct {
	mu    sync.Mutex // guards the rest
	told  map[told]time.Time
	known map[vehicleOf]bool // the record was asked
}

type vehicleOf struct {
	tenant  identity.TenantID
	vehicle identity.VehicleID
}

// told is something that a person was told because of a rule.
type told struct {
	vehicleOf
	rule, fence string
	kind        Kind
	owner       identity.OwnerID
}

func toldOf(a *Alert) told {
	return told{vehicleOf{a.Tenant, a.Vehicle}, a.Rule, a.Fence, a.Kind, a.Owner}
}

// forgetTold is after how long a time is of no interest: the longest cooldown is shorter.
const forgetTold = 8 * 24 * time.Hour

// last returns when the same was told last, by event time.
func (c *cooldowns) last(a *Alert, recent RecentFunc) time.Time {
	c.ask(vehicleOf{a.Tenant, a.Vehicle}, recent)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told[toldOf(a)]
}

// ask reads the record of a vehicle, once. What cannot be read is as if nothing had been told.
func (c *cooldowns) ask(v vehicleOf, recent RecentFunc) {
	c.mu.Lock()
	known := c.known[v]
	c.mu.Unlock()
	if known || recent == nil {
		return
	}
	deliveries, err := recent(context.Background(), v.tenant, v.vehicle)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[v] = err == nil
	for i := range deliveries {
		if d := &deliveries[i]; d.Reason != ReasonCooldown && d.Reason != ReasonMuted {
			c.noted(&d.Alert)
		}
	}
}

// forget drops what is known of vehicles: other processes may have told of them meanwhile.
func (c *cooldowns) forget(these func(identity.TenantID, identity.VehicleID) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for v := range c.known {
		if these(v.tenant, v.vehicle) {
			delete(c.known, v)
		}
	}
	for t := range c.told {
		if these(t.tenant, t.vehicle) {
			delete(c.told, t)
		}
	}
}

// note remembers that something is told.
func (c *cooldowns) note(a *Alert) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noted(a)
	if len(c.told) > 100_000 {
		for t, at := range c.told {
			if a.At.Sub(at) > forgetTold {
				delete(c.told, t)
			}
		}
	}
}

// noted is note with c.mu held.
func (c *cooldowns) noted(a *Alert) {
	if key := toldOf(a); a.At.After(c.told[key]) {
		c.told[key] = a.At
	}
}
