package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
)

// Devices is the way to the trackers at the device endpoint.
type Devices interface {
	// Admit makes a credential for a vehicle's tracker and its password. ErrTooMany.
	Admit(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (identity.Credential, identity.Token, error)
	// Credentials lists those of a vehicle, oldest first.
	Credentials(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]identity.Credential, error)
	// Revoke takes a credential back and ends the connections that came in with it. store.ErrNotFound.
	Revoke(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, id identity.CredentialID) error
	// Command sends a payload to the tracker now, and returns on which topics it listens for commands, and how many
	// connections got it.
	Command(tenant identity.TenantID, vehicle identity.VehicleID, payload []byte) (topics []string, sent int)
}

// ErrTooMany says that a vehicle has as many credentials as it may have.
var ErrTooMany = errors.New("console: too many credentials")

// credential is a credential as callers see it.
type credential struct {
	ID       identity.CredentialID `json:"id"`
	Username string                `json:"username" doc:"With what the tracker signs in; the same as id."`
	Password string                `json:"password,omitempty" doc:"Shown once, in the answer that makes it."`
	Created  time.Time             `json:"created"`
	LastUsed *time.Time            `json:"last_used,omitempty" doc:"Last sign-in, to the hour. Absent: never."`
}

// command is what a tracker is to be told.
type command struct {
	Payload string `json:"payload" minLength:"1" maxLength:"8192" doc:"As the tracker understands it."`
}

// commandSent says what became of a command.
type commandSent struct {
	Topics []string `json:"topics" nullable:"false" doc:"Where the tracker listens."`
	Sent   int      `json:"sent" doc:"How many connections it was written to, with QoS 0."`
}

// CredentialPath names a credential in a path. It is exported for binding only.
type CredentialPath struct {
	IDPath
	Credential identity.CredentialID `path:"credential" maxLength:"128"`
}

func registerDevices(r *router, d Devices) {
	if d == nil {
		return
	}
	a := devices{d}
	handle(r, huma.Operation{
		OperationID: "list-credentials", Method: http.MethodGet, Path: vehiclesPath + "/{id}/credentials", Tags: []string{tagRegistry},
		Summary: "List with what a vehicle's tracker signs in", Description: "Oldest first, all of them, without passwords.",
	}, a.list)
	handle(r, huma.Operation{
		OperationID: "make-credential", Method: http.MethodPost, Path: vehiclesPath + "/{id}/credentials", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusCreated, Summary: "Make a user name and password for a vehicle's tracker",
		Description: "With them it may connect to the device endpoint from anywhere, and publish for this vehicle alone. The password is shown " +
			"in this answer and never again. The vehicle need not be registered yet.",
		Errors: []int{http.StatusConflict},
	}, a.admit)
	handle(r, huma.Operation{
		OperationID: "revoke-credential", Method: http.MethodDelete, Path: vehiclesPath + "/{id}/credentials/{credential}", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusNoContent, Summary: "Take a credential back",
		Description: "Connections that came in with it end at once.", Errors: []int{http.StatusNotFound},
	}, a.revoke)
	handle(r, huma.Operation{
		OperationID: "command-vehicle", Method: http.MethodPost, Path: vehiclesPath + "/{id}/commands", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusOK, Summary: "Send a command to a vehicle's tracker",
		Description: "To a tracker that is connected to the device endpoint and has subscribed to its own command topic. Nothing is kept for one that is away.",
		Errors:      []int{http.StatusConflict},
	}, a.command)
}

type devices struct{ Devices }

func (d devices) list(ctx context.Context, in *IDPath) (*listAnswer[credential], error) {
	all, err := d.Credentials(ctx, tenantOf(ctx), identity.VehicleID(in.ID))
	if err != nil {
		return nil, err
	}
	items := make([]credential, 0, len(all))
	for _, c := range all {
		items = append(items, showCredential(c))
	}
	return newListAnswer(ctx, items, ""), nil
}

func (d devices) admit(ctx context.Context, in *IDPath) (*recordAnswer[credential], error) {
	ctx, cancel := settle(ctx)
	defer cancel()
	c, password, err := d.Admit(ctx, tenantOf(ctx), identity.VehicleID(in.ID))
	if errors.Is(err, ErrTooMany) {
		return nil, problem(http.StatusConflict, fmt.Sprintf("vehicle %q has as many credentials as it may have: revoke one first", in.ID))
	}
	if err != nil {
		return nil, err
	}
	shown := showCredential(c)
	shown.Password = password.Reveal()
	return &recordAnswer[credential]{http.StatusCreated, shown}, nil
}

func (d devices) revoke(ctx context.Context, in *CredentialPath) (*struct{}, error) {
	ctx, cancel := settle(ctx)
	defer cancel()
	return nil, d.Revoke(ctx, tenantOf(ctx), identity.VehicleID(in.ID), in.Credential)
}

func (d devices) command(ctx context.Context, in *struct {
	IDPath
	Body command
}) (*recordAnswer[commandSent], error) {
	if !utf8.ValidString(in.Body.Payload) {
		var f faults
		f.add("body.payload", nil, "expected UTF-8")
		return nil, f.problem()
	}
	topics, sent := d.Command(tenantOf(ctx), identity.VehicleID(in.ID), []byte(in.Body.Payload))
	if sent == 0 {
		return nil, problem(http.StatusConflict, fmt.Sprintf("no tracker of vehicle %q is connected and has subscribed to %q", in.ID, topics))
	}
	return &recordAnswer[commandSent]{http.StatusOK, commandSent{topics, sent}}, nil
}

func showCredential(c identity.Credential) credential {
	return credential{ID: c.ID, Username: string(c.ID), Created: c.Created.UTC(), LastUsed: moment(c.Used)}
}
