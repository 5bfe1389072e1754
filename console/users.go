package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/internal/people"
	"outrider/store"
)

const usersPath = "/api/v1/users"

// user is a person as callers see them.
type user struct {
	ID          people.UserID     `json:"id" doc:"With what they sign in."`
	Name        string            `json:"name,omitempty"`
	Role        identity.Role     `json:"role"`
	Tenant      identity.TenantID `json:"tenant"`
	HasPassword bool              `json:"has_password"`
	Disabled    bool              `json:"disabled"`
	Created     time.Time         `json:"created"`
	Updated     time.Time         `json:"updated"`
	LastUsed    *time.Time        `json:"last_used,omitempty" doc:"Last sign-in. Absent: never."`
}

// userWish is a person to be.
type userWish struct {
	ID       string        `json:"id" minLength:"1" maxLength:"128" doc:"With what they sign in: a short name or a mail address. Capitals count as small letters."`
	Name     string        `json:"name,omitempty" maxLength:"200"`
	Role     identity.Role `json:"role" enum:"viewer,operator,admin"`
	Password secret        `json:"password,omitzero" writeOnly:"true" doc:"12 to 128 characters. They can change it when they have signed in. Absent: they sign in at the provider of single sign-on only."`
}

// Resolve implements huma.Resolver.
func (u *userWish) Resolve(huma.Context) []error {
	var f faults
	f.check("body.name", u.Name, textFault(u.Name))
	fault := idFault(u.ID)
	if fault == "" && strings.ContainsAny(u.ID, " \t") {
		fault = "expected a name without spaces"
	}
	f.check("body.id", u.ID, fault)
	if why := people.CheckPassword(u.Password.Token, userID(u.ID)); u.Password.given && why != "" {
		f.add("body.password", nil, "%s", why)
	}
	return f
}

// userPatch is what changes of a person. What is absent stays.
type userPatch struct {
	Name     *string        `json:"name,omitempty" maxLength:"200"`
	Role     *identity.Role `json:"role,omitempty" enum:"viewer,operator,admin"`
	Disabled *bool          `json:"disabled,omitempty" doc:"True ends their sessions and lets them in no more."`
	Password secret         `json:"password,omitzero" writeOnly:"true" doc:"A new one; it ends their sessions."`
}

func registerUsers(r *router, o Options, hasher *people.Hasher) {
	u := users{o.Store, hasher, o.SignOn != nil}
	handle(r, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: usersPath, Tags: []string{tagAccess},
		Summary: "List people who sign in", Description: "In order of id.",
	}, u.list)
	handle(r, huma.Operation{
		OperationID: "create-user", Method: http.MethodPost, Path: usersPath, Tags: []string{tagAccess}, DefaultStatus: http.StatusCreated,
		Summary: "Let somebody sign in", Errors: []int{http.StatusConflict},
	}, u.create)
	handle(r, huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: usersPath + "/{id}", Tags: []string{tagAccess},
		Summary: "Read a person", Errors: []int{http.StatusNotFound},
	}, u.get)
	handle(r, huma.Operation{
		OperationID: "patch-user", Method: http.MethodPatch, Path: usersPath + "/{id}", Tags: []string{tagAccess},
		Summary: "Change a person", Description: "A new password, or being disabled, ends their sessions.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, u.patch)
	handle(r, huma.Operation{
		OperationID: "delete-user", Method: http.MethodDelete, Path: usersPath + "/{id}", Tags: []string{tagAccess},
		DefaultStatus: http.StatusNoContent, Summary: "Remove a person", Description: "Their sessions end.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, u.delete)
}

type users struct {
	store  People
	hasher *people.Hasher
	signOn bool // a person without password can sign in
}

func (u users) list(ctx context.Context, in *struct{ Paging }) (*listAnswer[user], error) {
	from, err := in.afterID()
	if err != nil {
		return nil, err
	}
	read, err := u.store.Users(ctx, tenantOf(ctx), people.UserID(from), in.Limit+1)
	if err != nil {
		return nil, err
	}
	page, more := cut(read, in.Limit)
	next := ""
	if more {
		next = nextID(page[len(page)-1].ID)
	}
	return newListAnswer(ctx, each(page, showUser), next), nil
}

// find returns a person of the tenant.
func (u users) find(ctx context.Context, id string) (people.User, error) {
	found, err := u.store.User(ctx, people.UserID(id))
	if err == nil && found.Tenant != tenantOf(ctx) {
		return people.User{}, store.ErrNotFound
	}
	return found, err
}

func (u users) get(ctx context.Context, in *IDPath) (*recordAnswer[user], error) {
	found, err := u.find(ctx, in.ID)
	return &recordAnswer[user]{http.StatusOK, showUser(found)}, err
}

func (u users) create(ctx context.Context, in *struct{ Body userWish }) (*recordAnswer[user], error) {
	hash := ""
	if in.Body.Password.given {
		var err error
		if hash, err = u.hasher.Hash(ctx, in.Body.Password.Token); err != nil {
			return nil, err
		}
	} else if !u.signOn {
		var f faults
		f.add("body.password", nil, "expected a password: there is no single sign-on with which somebody could sign in without one")
		return nil, f.problem()
	}
	tenant := tenantOf(ctx)
	ctx, cancel := settle(ctx)
	defer cancel()
	made, err := u.store.PutUser(ctx, people.User{
		ID: userID(in.Body.ID), Tenant: tenant, Name: in.Body.Name, Role: in.Body.Role, Password: hash,
	}, true, false)
	if errors.Is(err, store.ErrConflict) {
		return nil, problem(http.StatusConflict, fmt.Sprintf("the name %q is taken", userID(in.Body.ID)))
	}
	return &recordAnswer[user]{http.StatusCreated, showUser(made)}, err
}

func (u users) patch(ctx context.Context, in *struct {
	IDPath
	Body userPatch
}) (*recordAnswer[user], error) {
	found, err := u.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p := in.Body
	if callerIs(ctx, found) && (p.Role != nil && *p.Role != found.Role || p.Disabled != nil && *p.Disabled) {
		return nil, yourself()
	}
	var f faults
	if p.Name != nil {
		f.check("body.name", *p.Name, textFault(*p.Name))
		found.Name = *p.Name
	}
	if p.Password.given {
		if why := people.CheckPassword(p.Password.Token, found.ID); why != "" {
			f.add("body.password", nil, "%s", why)
		}
	}
	if err := f.problem(); err != nil {
		return nil, err
	}
	if p.Password.given {
		if found.Password, err = u.hasher.Hash(ctx, p.Password.Token); err != nil {
			return nil, err
		}
	}
	if p.Role != nil {
		found.Role = *p.Role
	}
	if p.Disabled != nil {
		found.Disabled = *p.Disabled
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	found, err = u.store.PutUser(ctx, found, false, p.Password.given || found.Disabled)
	return &recordAnswer[user]{http.StatusOK, showUser(found)}, err
}

func (u users) delete(ctx context.Context, in *IDPath) (*struct{}, error) {
	found, err := u.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if callerIs(ctx, found) {
		return nil, yourself()
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	return nil, u.store.DropUser(ctx, found.Tenant, found.ID)
}

func callerIs(ctx context.Context, u people.User) bool {
	return callerOf(ctx).person == u.ID
}

// yourself is the answer to who would lock themselves out.
func yourself() error {
	return problem(http.StatusConflict, "this would take your own access away; somebody else has to do it")
}

func showUser(u people.User) user {
	return user{
		ID: u.ID, Name: u.Name, Role: u.Role, Tenant: u.Tenant, HasPassword: u.Password != "",
		Disabled: u.Disabled, Created: u.Created.UTC(), Updated: u.Updated.UTC(), LastUsed: moment(u.Used),
	}
}
