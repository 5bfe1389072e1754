package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

const pagesPath = "/api/v1/pages"

// page is a Facebook page as callers see and write it.
type page struct {
	ID          identity.PageID   `json:"id" readOnly:"true"`
	Name        string            `json:"name,omitempty" maxLength:"200"`
	AccessToken secret            `json:"access_token,omitzero" writeOnly:"true" maxLength:"2000" doc:"The page's access token; never shown. Absent: what is stored stays; empty: it is removed."`
	Tag         string            `json:"tag,omitempty" pattern:"^[A-Z][A-Z0-9_]{0,63}$" patternDescription:"a message tag such as ACCOUNT_UPDATE" doc:"Message tag to try outside the 24 hour window, where Graph still accepts one."`
	Templates   map[string]string `json:"templates,omitempty" doc:"The page's own utility templates by kind of event: enter, exit, pass, dwell, overspeed, overspeed_end, stopped, silent, absent. A kind without one uses the gateway's own."`
	Routes      []notify.Route    `json:"routes,omitempty" maxItems:"5" nullable:"false" enum:"window,utility,tag,human,fallback" doc:"The order in which ways of sending are tried; one that is left out is not used. Absent: window, utility, tag, human, fallback."`

	HasToken bool        `json:"has_token" readOnly:"true"`
	Blocked  *time.Time  `json:"blocked,omitempty" readOnly:"true" doc:"Since when Meta's policy enforcement stops the page; messages through it are held meanwhile."`
	Reason   string      `json:"block_reason,omitempty" readOnly:"true" doc:"Meta's word for why."`
	Health   *pageHealth `json:"health,omitempty" readOnly:"true" doc:"How the page stands at Meta, when one page is read: looked at daily and hourly."`
	Updated  *time.Time  `json:"updated,omitempty" readOnly:"true"`
	Warnings []string    `json:"warnings,omitempty" readOnly:"true" nullable:"false" doc:"In the answer to a write: what is accepted, but may not be meant."`
}

func (g *registry) registerPages(r *router) {
	handle(r, huma.Operation{
		OperationID: "list-pages", Method: http.MethodGet, Path: pagesPath, Tags: []string{tagRegistry},
		Summary: "List pages", Description: "In order of id, without their tokens.",
	}, g.listPages)
	handle(r, huma.Operation{
		OperationID: "get-page", Method: http.MethodGet, Path: pagesPath + "/{page_id}", Tags: []string{tagRegistry},
		Summary: "Read a page", Description: "Without its token.", Errors: []int{http.StatusNotFound},
	}, g.getPage)
	handle(r, putting(huma.Operation{
		OperationID: "put-page", Path: pagesPath + "/{page_id}", Summary: "Register or replace a page",
		Errors: []int{http.StatusConflict},
	}, "Page"), g.putPage)
}

// PageIDPath names a page in a path. It is exported for binding only.
type PageIDPath struct {
	ID identity.PageID `path:"page_id" pattern:"^[0-9]{1,32}$" patternDescription:"the digits of a page's id" doc:"Facebook's id of the page."`
}

func (g *registry) listPages(ctx context.Context, in *struct{ Paging }) (*listAnswer[page], error) {
	from, err := in.afterID()
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(slices.Clone(g.directory.Pages(tenantOf(ctx))), func(p identity.Page) bool { return p.ID <= identity.PageID(from) })
	page, more := cut(all, in.Limit)
	next := ""
	if more {
		next = nextID(page[len(page)-1].ID)
	}
	return newListAnswer(ctx, each(page, showPage), next), nil
}

func (g *registry) getPage(ctx context.Context, in *PageIDPath) (*recordAnswer[page], error) {
	p, ok := g.page(ctx, in.ID)
	if !ok {
		return nil, problem(http.StatusNotFound, fmt.Sprintf("there is no page %q in this tenant", in.ID))
	}
	body := showPage(p)
	var err error
	body.Health, err = g.health(ctx, p.ID)
	return &recordAnswer[page]{http.StatusOK, body}, err
}

// page returns a page of the request's tenant.
func (g *registry) page(ctx context.Context, id identity.PageID) (identity.Page, bool) {
	p, ok := g.directory.Page(id)
	if !ok || p.Tenant != tenantOf(ctx) {
		return identity.Page{}, false
	}
	return p, true
}

func (g *registry) putPage(ctx context.Context, in *struct {
	PageIDPath
	Body page
}) (*recordAnswer[page], error) {
	p := identity.Page{Tenant: tenantOf(ctx), ID: in.ID, Name: in.Body.Name, Tag: in.Body.Tag, Templates: in.Body.Templates,
		Routes: each(in.Body.Routes, func(r notify.Route) string { return string(r) })}
	var existed bool
	err := g.change(ctx, identity.PageRef(p.ID), func(ctx context.Context) error {
		var old identity.Page
		old, existed = g.page(ctx, p.ID)
		p.AccessToken = in.Body.AccessToken.over(old.AccessToken)
		return g.store.PutPage(ctx, p)
	})
	if errors.Is(err, store.ErrConflict) {
		return nil, problem(http.StatusConflict, fmt.Sprintf("page %q is registered in another tenant", in.ID))
	}
	if err != nil {
		return nil, err
	}
	g.pageChanged(p.ID)
	if fresh, ok := g.page(ctx, p.ID); ok {
		p = fresh
	}
	body := showPage(p)
	if p.AccessToken.Empty() {
		body.Warnings = []string{"the page has no access_token: messages through it are held until it has"}
	}
	return stored(body, existed), nil
}

// Resolve implements huma.Resolver: what is wrong with a page beyond what the schema says.
func (p *page) Resolve(ctx huma.Context) []error {
	var f faults
	id := identity.PageID(ctx.Param("page_id"))
	sameID(&f, "id", p.ID, id)
	f.check("body.name", p.Name, textFault(p.Name))
	if fault := textFault(p.AccessToken.Reveal()); fault != "" {
		f.add("body.access_token", nil, "%s", fault)
	}
	if p.Tag == "HUMAN_AGENT" {
		f.add("body.tag", p.Tag, "expected a tag for automatic messages; HUMAN_AGENT is for what a person typed")
	}
	for i, route := range p.Routes {
		if slices.Contains(p.Routes[:i], route) {
			f.add(fmt.Sprintf("body.routes[%d]", i), route, "expected each way of sending once")
		}
	}
	kinds := each(notify.Kinds(), func(k notify.Kind) string { return string(k) })
	for kind, template := range p.Templates {
		if !slices.Contains(kinds, kind) {
			f.add("body.templates."+kind, nil, "unknown kind of event; expected one of %s", strings.Join(kinds, ", "))
		}
		if !isTemplate(template) {
			f.add("body.templates."+kind, template, "expected the name of a template: small letters, digits and underscores")
		}
	}
	return f
}

// isTemplate reports whether Meta would take name for a template.
func isTemplate(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= 512
}

func showPage(p identity.Page) page {
	return page{
		ID: p.ID, Name: p.Name, Tag: p.Tag, Templates: p.Templates, Routes: each(p.Routes, func(r string) notify.Route { return notify.Route(r) }), HasToken: !p.AccessToken.Empty(), Blocked: moment(p.Blocked), Reason: p.BlockReason, Updated: moment(p.Updated),
	}
}
