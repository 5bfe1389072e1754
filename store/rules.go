package store

import (
	"context"

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
}
