package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
)

// Links makes the links through which people become reachable.
type Links interface {
	// Offer makes a link for an owner of the tenant and one of its pages.
	Offer(ctx context.Context, w identity.LinkWish) (identity.LinkOffer, error)
	// Connect makes a link through which somebody who manages a page connects it.
	Connect(tenant identity.TenantID, page identity.PageID) (url string, expires time.Time, err error)
}

// linkWish is what a caller may say about the link they want.
type linkWish struct {
	Page    identity.PageID    `json:"page,omitempty" pattern:"^[0-9]{1,32}$" patternDescription:"the digits of a page's id" doc:"The page that is to reach the owner. It may be left out when the tenant has one only."`
	Vehicle identity.VehicleID `json:"vehicle,omitempty" doc:"A vehicle that becomes the owner's together with the link; others of its owners stay."`
	Seconds int                `json:"valid_for_s,omitempty" minimum:"60" maximum:"604800" doc:"How long the link is good. Absent: ten minutes."`
}

// linkOffer is a link as callers get it, once.
type linkOffer struct {
	Page     identity.PageID `json:"page"`
	URL      string          `json:"url" doc:"Opens the conversation in Messenger and brings the code. Show it as a link or as a QR code, to the owner alone: whoever follows it first is the owner from then on."`
	Code     string          `json:"code" doc:"The code inside the link, for a ref of your own or a plugin's."`
	Expires  time.Time       `json:"expires"`
	LoginURL string          `json:"login_url,omitempty" doc:"A page that explains, offers to log in with Facebook, and leads to Messenger. Send the owner's browser there. Absent when http.public_url is not set."`
}

// pageConnection is a link that connects a page.
type pageConnection struct {
	LoginURL string    `json:"login_url" doc:"Send somebody there who manages the page. After they have logged in with Facebook, the page's token is stored."`
	Expires  time.Time `json:"expires"`
}

func (g *registry) registerLinks(r *router) {
	if g.links == nil {
		return
	}
	handle(r, huma.Operation{
		OperationID: "link-owner", Method: http.MethodPost, Path: ownersPath + "/{id}/links", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusCreated, Summary: "Make a link through which an owner becomes reachable",
		Description: "The link works once. When the owner follows it into Messenger, the person they are on that page becomes their contact, " +
			"and alerts that were held because there was none go out.",
		Errors: []int{http.StatusNotFound},
	}, g.linkOwner)
	handle(r, huma.Operation{
		OperationID: "unlink-owner", Method: http.MethodDelete, Path: ownersPath + "/{id}/links", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusNoContent, Summary: "Forget who an owner is in Messenger",
		Description: "Removes the owner's contacts, links and open codes, and the page-scoped ids in their deliveries. Alerts that were not sent " +
			"yet are held until the owner is linked again. The owner, their vehicles and the record of crossings stay.",
		Errors: []int{http.StatusNotFound},
	}, g.unlinkOwner)
	handle(r, huma.Operation{
		OperationID: "connect-page", Method: http.MethodPost, Path: pagesPath + "/{page_id}/connect", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusCreated, Summary: "Make a link through which a page is connected",
		Description: "Instead of putting an access_token: somebody who manages the page logs in, and the gateway gets and stores the token itself.",
		Errors:      []int{http.StatusConflict},
	}, g.connectPage)
}

func (g *registry) linkOwner(ctx context.Context, in *struct {
	IDPath
	Body linkWish
}) (*recordAnswer[linkOffer], error) {
	tenant, id := tenantOf(ctx), identity.OwnerID(in.ID)
	if _, ok := g.directory.Owner(tenant, id); !ok {
		return nil, problem(http.StatusNotFound, fmt.Sprintf("there is no owner %q in this tenant", in.ID))
	}
	page, err := g.linkPage(ctx, in.Body.Page)
	if err != nil {
		return nil, err
	}
	offer, err := g.links.Offer(ctx, identity.LinkWish{
		Tenant: tenant, Owner: id, Page: page, Vehicle: in.Body.Vehicle, ValidFor: time.Duration(in.Body.Seconds) * time.Second,
	})
	if err != nil {
		return nil, err
	}
	return &recordAnswer[linkOffer]{http.StatusCreated, linkOffer{
		Page: offer.Page, URL: offer.URL, Code: offer.Code.Reveal(), Expires: offer.Expires.UTC(), LoginURL: offer.LoginURL,
	}}, nil
}

func (g *registry) unlinkOwner(ctx context.Context, in *IDPath) (*struct{}, error) {
	tenant, id := tenantOf(ctx), identity.OwnerID(in.ID)
	return nil, g.change(ctx, identity.OwnerRef(tenant, id), func(ctx context.Context) error {
		_, err := g.store.Unlink(ctx, tenant, id)
		return err
	})
}

// linkPage is the page that was named, or the tenant's only one.
func (g *registry) linkPage(ctx context.Context, named identity.PageID) (identity.PageID, error) {
	var f faults
	pages := g.directory.Pages(tenantOf(ctx))
	_, known := g.page(ctx, named)
	switch {
	case known:
		return named, nil
	case named != "":
		f.add("body.page", string(named), "there is no such page in this tenant")
	case len(pages) == 1:
		return pages[0].ID, nil
	case len(pages) == 0:
		f.add("body.page", nil, "expected a page, and the tenant has none yet: put one first")
	default:
		f.add("body.page", nil, "expected a page: the tenant has %d", len(pages))
	}
	return "", f.problem()
}

// Resolve implements huma.Resolver.
func (w *linkWish) Resolve(huma.Context) []error {
	var f faults
	if w.Vehicle != "" {
		f.check("body.vehicle", string(w.Vehicle), idFault(string(w.Vehicle)))
	}
	return f
}

func (g *registry) connectPage(ctx context.Context, in *PageIDPath) (*recordAnswer[pageConnection], error) {
	tenant := tenantOf(ctx)
	if p, ok := g.directory.Page(in.ID); ok && p.Tenant != tenant {
		return nil, problem(http.StatusConflict, fmt.Sprintf("page %q is registered in another tenant", in.ID))
	}
	url, expires, err := g.links.Connect(tenant, in.ID)
	if errors.Is(err, identity.ErrNoLogin) {
		return nil, problem(http.StatusConflict, "nobody can log in: facebook.app_id, facebook.app_secret and http.public_url must be set")
	}
	if err != nil {
		return nil, err
	}
	return &recordAnswer[pageConnection]{http.StatusCreated, pageConnection{url, expires.UTC()}}, nil
}
