package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/internal/people"
	"outrider/store"
)

const (
	keysPath  = "/api/v1/keys"
	tagAccess = "Access"
)

// apiKey is a key as callers see and make it.
type apiKey struct {
	ID      string        `json:"id" readOnly:"true"`
	Name    string        `json:"name,omitempty" maxLength:"200" doc:"What people call it."`
	Role    identity.Role `json:"role" enum:"viewer,operator,admin" doc:"viewer reads; operator changes geofences, vehicles, owners and rules, too; admin does everything in the tenant."`
	Expires *time.Time    `json:"expires,omitempty" doc:"Absent: never."`
	Created time.Time     `json:"created" readOnly:"true"`
	Used    *time.Time    `json:"last_used,omitempty" readOnly:"true" doc:"To the hour."`
	Key     string        `json:"key,omitempty" readOnly:"true" doc:"The key itself, in the answer to its making and never again."`
}

// self is who calls.
type self struct {
	Tenant identity.TenantID `json:"tenant"`
	Role   identity.Role     `json:"role"`
	Key    string            `json:"key,omitempty" doc:"The id of the key. Neither key nor person: the bootstrap key, which may act on any tenant."`
	Person people.UserID     `json:"person,omitempty" doc:"With what the person signs in."`
	Name   string            `json:"name,omitempty"`
}

// access serves who may call.
type access struct {
	store  APIKeys
	now    func() time.Time
	forget func() // what is remembered of keys
}

func (a *access) register(r *router) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Tags: []string{tagAccess}, Summary: summary, Errors: errors}
	}
	handle(r, op("get-self", http.MethodGet, "/api/v1/self", "See who you are"), a.self)
	handle(r, op("list-keys", http.MethodGet, keysPath, "List API keys"), a.list)
	create := op("create-key", http.MethodPost, keysPath, "Make an API key")
	create.Description = "It belongs to the tenant of the request. The key is in the answer, and is not kept."
	create.DefaultStatus = http.StatusCreated
	handle(r, create, a.create)
	revoke := op("revoke-key", http.MethodDelete, keysPath+"/{id}", "Revoke an API key", http.StatusNotFound)
	revoke.DefaultStatus = http.StatusNoContent
	handle(r, revoke, a.revoke)
}

func (a *access) self(ctx context.Context, _ *struct{}) (*recordAnswer[self], error) {
	who := callerOf(ctx)
	out := self{Tenant: who.tenant, Role: who.role, Key: who.id, Name: who.name}
	if who.person != "" {
		out.Key, out.Person = "", who.person
	}
	return &recordAnswer[self]{http.StatusOK, out}, nil
}

func showKey(k identity.APIKey) apiKey {
	return apiKey{ID: k.ID, Name: k.Name, Role: k.Role, Expires: moment(k.Expires), Created: k.Created.UTC(), Used: moment(k.Used)}
}

func (a *access) list(ctx context.Context, _ *struct{}) (*listAnswer[apiKey], error) {
	all, err := a.store.APIKeys(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	return newListAnswer(ctx, each(all, showKey), ""), nil
}

func (a *access) create(ctx context.Context, in *struct{ Body apiKey }) (*recordAnswer[apiKey], error) {
	now, life := a.now(), time.Duration(0)
	if e := in.Body.Expires; e != nil {
		if life = e.Sub(now); life <= 0 {
			var f faults
			f.add("body.expires", e, "expected a time to come")
			return nil, f.problem()
		}
	}
	k, secret := identity.NewAPIKey(tenantOf(ctx), in.Body.Name, in.Body.Role, now, life)
	ctx, cancel := settle(ctx)
	defer cancel()
	if err := a.store.PutAPIKey(ctx, k); err != nil {
		return nil, err
	}
	body := showKey(k)
	body.Key = secret.Reveal()
	return &recordAnswer[apiKey]{http.StatusCreated, body}, nil
}

func (a *access) revoke(ctx context.Context, in *IDPath) (*struct{}, error) {
	tenant := tenantOf(ctx)
	ctx, cancel := settle(ctx)
	defer cancel()
	err := a.store.DropAPIKey(ctx, tenant, in.ID)
	a.forget()
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem(http.StatusNotFound, fmt.Sprintf("there is no key %q in this tenant", in.ID))
	}
	return nil, err
}
