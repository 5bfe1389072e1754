package app_test

import (
	"net/http"
	"testing"

	"outrider/internal/app"
	"outrider/internal/config"
)

// A key that is made beside a running gateway opens its API, as far as its role goes, until it is revoked.
func TestAKeyMadeBesideARunningGateway(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	k, err := app.OpenKeys(t.Context(), c)
	must(t, err)
	defer k.Close()
	made, secret, err := k.Create(t.Context(), app.KeyWish{Tenant: "default", Role: "viewer", Name: "dashboard"})
	must(t, err)
	status := func(method, path string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, r.url("/api/v1/"+path), nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+secret.Reveal())
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, res.Body.Close())
		return res.StatusCode
	}
	if got := status(http.MethodGet, "vehicles"); got != http.StatusOK {
		t.Errorf("reading with the key: %d", got)
	}
	if got := status(http.MethodDelete, "geofences/yard"); got != http.StatusForbidden {
		t.Errorf("deleting with a viewer's key: %d", got)
	}
	must(t, k.Revoke(t.Context(), "default", made.ID))
	eventually(t, "the key is no longer good", func() bool { return status(http.MethodGet, "vehicles") == http.StatusUnauthorized })
}
