package console

import (
	"context"
	"time"

	"outrider/identity"
)

// PageHealths tells what the last checks of a page at Meta found out.
type PageHealths interface {
	PageHealth(ctx context.Context, page identity.PageID) (identity.PageHealth, error)
}

// pageHealth is that as callers see it.
type pageHealth struct {
	Checked     *time.Time `json:"checked,omitempty" doc:"When the token was last checked; absent: not yet."`
	TokenValid  bool       `json:"token_valid"`
	Expires     *time.Time `json:"token_expires,omitempty" doc:"Absent: never."`
	DataExpires *time.Time `json:"data_access_expires,omitempty" doc:"When somebody who manages the page must log in again; absent: never."`
	Missing     []string   `json:"missing_permissions,omitempty" nullable:"false"`
	Problem     string     `json:"problem,omitempty" doc:"Why the token does not work."`

	Subscribed   *time.Time `json:"subscribed,omitempty" doc:"When the page was last seen subscribed to its webhook as it should be."`
	Subscription string     `json:"subscription_problem,omitempty"`
}

// health returns what is known of a page's standing; nil when nobody looks after pages.
func (g *registry) health(ctx context.Context, page identity.PageID) (*pageHealth, error) {
	if g.healths == nil {
		return nil, nil
	}
	h, err := g.healths.PageHealth(ctx, page)
	if err != nil || h.Checked.IsZero() && h.Subscribed.IsZero() && h.Subscription == "" {
		return nil, err
	}
	return &pageHealth{
		Checked: moment(h.Checked), TokenValid: h.Valid, Expires: moment(h.Expires), DataExpires: moment(h.DataExpires), Missing: h.Missing,
		Problem: h.Problem, Subscribed: moment(h.Subscribed), Subscription: h.Subscription,
	}, nil
}
