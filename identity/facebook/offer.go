package facebook

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"outrider/identity"
)

// DefaultCodeLife is how long a link code is good when nobody says otherwise.
const DefaultCodeLife = 10 * time.Minute

// Offer makes a link through which an owner becomes reachable. The owner and the page must be of the tenant.
func (f *Flow) Offer(ctx context.Context, w identity.LinkWish) (identity.LinkOffer, error) {
	life := cmp.Or(w.ValidFor, DefaultCodeLife)
	offer, err := f.offer(ctx, ticket{Tenant: w.Tenant, Owner: w.Owner, Vehicle: w.Vehicle, Page: w.Page}, "", life)
	if err != nil {
		return offer, err
	}
	offer.LoginURL, err = f.loginURL(ticket{
		Tenant: w.Tenant, Owner: w.Owner, Vehicle: w.Vehicle, Page: w.Page, Expires: offer.Expires.Unix(),
		Offer: identity.HashCode(offer.Code.Reveal()),
	})
	return offer, err
}

// offer keeps a fresh code and returns the link that brings it.
func (f *Flow) offer(ctx context.Context, t ticket, asid identity.ASID, life time.Duration) (identity.LinkOffer, error) {
	code, now := identity.NewCode(), f.o.Now()
	kept := identity.LinkCode{
		Hash: identity.HashCode(code.Reveal()), Tenant: t.Tenant, Owner: t.Owner, Page: t.Page, Vehicle: t.Vehicle, ASID: asid, Parent: t.Offer,
		Created: now, Expires: now.Add(life).Truncate(time.Second),
	}
	if err := f.o.Store.PutLinkCode(ctx, kept); err != nil {
		return identity.LinkOffer{}, fmt.Errorf("facebook: keep link code: %w", err)
	}
	return identity.LinkOffer{Page: t.Page, URL: f.link(t.Page, code), Code: code, Expires: kept.Expires}, nil
}

// loginURL is where the way begins; empty when nobody can log in.
func (f *Flow) loginURL(t ticket) (string, error) {
	if f.o.PublicURL() == "" {
		return "", nil
	}
	sealed, err := f.seal(forStart, t)
	if err != nil {
		return "", fmt.Errorf("facebook: seal ticket: %w", err)
	}
	return f.address("start", sealed), nil
}

// Connect makes a link through which somebody who manages a page connects it: its token is stored.
func (f *Flow) Connect(tenant identity.TenantID, page identity.PageID) (url string, expires time.Time, err error) {
	if !f.canLogIn() {
		return "", time.Time{}, identity.ErrNoLogin
	}
	expires = f.o.Now().Add(time.Hour).Truncate(time.Second)
	url, err = f.loginURL(ticket{Tenant: tenant, Page: page, Expires: expires.Unix()})
	return url, expires, err
}
