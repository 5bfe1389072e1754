package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
)

const ownersPath = "/api/v1/owners"

// owner is an owner as callers see and write them.
type owner struct {
	ID       identity.OwnerID `json:"id" readOnly:"true"`
	Name     string           `json:"name,omitempty" maxLength:"200"`
	Locale   string           `json:"locale,omitempty" pattern:"^[A-Za-z]{2,3}([_-][A-Za-z]{4})?([_-]([A-Za-z]{2}|[0-9]{3}))?$" patternDescription:"a language such as de, de-AT or de_DE" doc:"Language of messages, as in BCP 47 or in Facebook's form. Absent: en."`
	TimeZone string           `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name of the zone in which messages tell the time. Absent: UTC."`
	Contacts []contact        `json:"contacts,omitempty" maxItems:"20" nullable:"false" doc:"Where messages go, in order."`
	Fallback secret           `json:"fallback,omitzero" writeOnly:"true" maxLength:"2000" doc:"URL of another channel; never shown. Absent: what is stored stays; empty: it is removed."`

	HasFallback bool       `json:"has_fallback" readOnly:"true"`
	Updated     *time.Time `json:"updated,omitempty" readOnly:"true"`
	Warnings    []string   `json:"warnings,omitempty" readOnly:"true" nullable:"false" doc:"In the answer to a write: what is accepted, but may not be meant."`
}

// contact is a way to a person through a page.
type contact struct {
	Page identity.PageID `json:"page" pattern:"^[0-9]{1,32}$" patternDescription:"the digits of a page's id" doc:"The Facebook page's id."`
	PSID identity.PSID   `json:"psid" pattern:"^[0-9]{1,32}$" patternDescription:"the digits of a page-scoped id" doc:"The id under which this page reaches the person."`
}

func (g *registry) registerOwners(r *router) {
	handle(r, huma.Operation{
		OperationID: "list-owners", Method: http.MethodGet, Path: ownersPath, Tags: []string{tagRegistry},
		Summary: "List owners", Description: "In order of id.",
	}, g.listOwners)
	handle(r, huma.Operation{
		OperationID: "get-owner", Method: http.MethodGet, Path: ownersPath + "/{id}", Tags: []string{tagRegistry},
		Summary: "Read an owner", Errors: []int{http.StatusNotFound},
	}, g.getOwner)
	handle(r, putting(huma.Operation{
		OperationID: "put-owner", Path: ownersPath + "/{id}", Summary: "Register or replace an owner",
	}, "Owner"), g.putOwner)
}

func (g *registry) listOwners(ctx context.Context, in *struct{ Paging }) (*listAnswer[owner], error) {
	from, err := in.afterID()
	if err != nil {
		return nil, err
	}
	page, more := cut(some(g.directory.OwnerList(tenantOf(ctx), identity.OwnerID(from)), in.Limit), in.Limit)
	next := ""
	if more {
		next = nextID(page[len(page)-1].ID)
	}
	return newListAnswer(ctx, each(page, showOwner), next), nil
}

func (g *registry) getOwner(ctx context.Context, in *IDPath) (*recordAnswer[owner], error) {
	o, ok := g.directory.Owner(tenantOf(ctx), identity.OwnerID(in.ID))
	if !ok {
		return nil, problem(http.StatusNotFound, fmt.Sprintf("there is no owner %q in this tenant", in.ID))
	}
	return &recordAnswer[owner]{http.StatusOK, showOwner(o)}, nil
}

func (g *registry) putOwner(ctx context.Context, in *struct {
	IDPath
	Body owner
}) (*recordAnswer[owner], error) {
	o := identity.Owner{
		Tenant: tenantOf(ctx), ID: identity.OwnerID(in.ID), Name: in.Body.Name, Locale: in.Body.Locale, TimeZone: in.Body.TimeZone,
		Contacts: in.Body.contacts(),
	}
	if channel := in.Body.Fallback; !channel.Empty() {
		if err := g.checkURL(channel.Token); err != nil {
			var f faults
			f.add("body.fallback", nil, "%s", err.Error())
			return nil, f.problem()
		}
	}
	var existed bool
	err := g.change(ctx, identity.OwnerRef(o.Tenant, o.ID), func(ctx context.Context) error {
		var old identity.Owner
		old, existed = g.directory.Owner(o.Tenant, o.ID)
		o.Fallback = in.Body.Fallback.over(old.Fallback)
		return g.store.PutOwner(ctx, o)
	})
	if err != nil {
		return nil, err
	}
	if fresh, ok := g.directory.Owner(o.Tenant, o.ID); ok {
		o = fresh
	}
	body := showOwner(o)
	body.Warnings = g.ownerWarnings(o)
	return stored(body, existed), nil
}

// Resolve implements huma.Resolver: what is wrong with an owner beyond what the schema says.
func (o *owner) Resolve(ctx huma.Context) []error {
	var f faults
	id := identity.OwnerID(ctx.Param("id"))
	sameID(&f, "id", o.ID, id)
	f.check("body.name", o.Name, textFault(o.Name))
	if !isZone(o.TimeZone) {
		f.add("body.time_zone", o.TimeZone, "expected the IANA name of a time zone, such as Europe/Berlin")
	}
	for i, c := range o.Contacts {
		if slices.Contains(o.Contacts[:i], c) {
			f.add(fmt.Sprintf("body.contacts[%d]", i), nil, "expected another page or person than in an earlier contact")
		}
	}
	if !isChannel(o.Fallback) {
		f.add("body.fallback", nil, "expected the URL of a channel, such as smtp://… or telegram://…")
	}
	return f
}

// isZone reports whether name is empty or an IANA name; "Local" would be the machine's zone, not the owner's.
func isZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "Local"
}

// isChannel reports whether s is no URL or a whole one.
func isChannel(s secret) bool {
	if s.Empty() {
		return true
	}
	u, err := url.Parse(s.Reveal())
	return err == nil && u.Scheme != ""
}

func (o owner) contacts() []identity.Contact {
	return each(o.Contacts, func(c contact) identity.Contact { return identity.Contact(c) })
}

// ownerWarnings says which contacts do not work yet, and what is told otherwise than a person may expect.
// Records may come in any order, so that is no error.
func (g *registry) ownerWarnings(o identity.Owner) []string {
	var warnings []string
	if o.TimeZone == "" {
		warnings = append(warnings, "time_zone is absent: messages to this owner tell the time in UTC")
	}
	for _, c := range o.Contacts {
		if p, ok := g.directory.Page(c.Page); !ok || p.Tenant != o.Tenant {
			warnings = append(warnings, fmt.Sprintf("page %q is not registered yet: messages through it are held until it is", c.Page))
		}
	}
	return warnings
}

func showOwner(o identity.Owner) owner {
	return owner{
		ID: o.ID, Name: o.Name, Locale: o.Locale, TimeZone: o.TimeZone,
		Contacts:    each(o.Contacts, func(c identity.Contact) contact { return contact(c) }),
		HasFallback: !o.Fallback.Empty(), Updated: moment(o.Updated),
	}
}
