package app

import (
	"errors"
	"fmt"

	"outrider/console"
	"outrider/identity"
	"outrider/internal/oidc"
)

// signOn is the provider at which people sign in; nil when there is none.
func (a *App) signOn() (*console.SignOn, error) {
	c := a.o.Config.OIDC
	if c.Issuer == "" {
		return nil, nil
	}
	if c.ClientID == "" {
		return nil, errors.New("app: oidc.client_id: expected the id under which the provider of oidc.issuer knows this gateway")
	}
	provider, err := oidc.New(oidc.Options{
		Issuer: c.Issuer, ClientID: c.ClientID, Secret: c.Secret, Claim: c.Claim, Sealer: a.sealer, Now: a.o.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("app: oidc: %w", err)
	}
	return &console.SignOn{Provider: provider, Name: c.Name, Role: identity.Role(c.Role), Tenant: identity.TenantID(c.Tenant)}, nil
}
