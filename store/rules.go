package store

import (
	"context"
	"time"

	"outrider/identity"
	"outrider/notify"
)

// Rules keeps who hears of what.
type Rules interface {
	// PutRule stores a rule and returns it with its Revision and Updated set. expect as in PutGeofence. ErrConflict.
	PutRule(ctx context.Context, r notify.Rule, expect uint64) (notify.Rule, error)
	// DeleteRule forgets a rule. ErrNotFound, ErrConflict.
	DeleteRule(ctx context.Context, tenant identity.TenantID, id string, expect uint64) error
	// Rules returns the rules of all tenants, by tenant and id.
	Rules(ctx context.Context) ([]notify.Rule, error)
	// RulesAt returns the rules of all tenants as they were at a revision, which is counted together with those of
	// geofences; their Updated is not told.
	RulesAt(ctx context.Context, revision uint64) ([]notify.Rule, error)
	// RulesDuring returns every version of a tenant's rules that was in force at some time from one moment to another, in
	// order of revision. They are kept as long as a crossing from their time is in the record.
	RulesDuring(ctx context.Context, tenant identity.TenantID, from, to time.Time) ([]RuleVersion, error)
}

// RuleVersion is a rule as it was for a time.
type RuleVersion struct {
	notify.Rule           // Updated is when this version was made; zero: before times were kept
	Ended       time.Time // when it was replaced or deleted; zero: it is in force
}

// InForce reports whether the version was in force at a time.
func (v *RuleVersion) InForce(at time.Time) bool {
	return !v.Updated.After(at) && (v.Ended.IsZero() || v.Ended.After(at))
}
