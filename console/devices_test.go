package console_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/console"
	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

// fakeDevices keeps credentials in memory; of all trackers only van/1's listens. A vehicle may have three.
type fakeDevices struct {
	g   *gateway
	all []identity.Credential
}

func newFakeDevices(g *gateway) *fakeDevices {
	used := g.now.Add(-time.Hour).In(time.FixedZone("somewhere", 3600))
	return &fakeDevices{g: g, all: []identity.Credential{
		{ID: "d-1", Tenant: "default", Vehicle: "van/1", Hash: "HASH", Created: used, Used: used},
		{ID: "d-2", Tenant: "other", Vehicle: "van/1", Hash: "HASH", Created: used},
	}}
}

func (d *fakeDevices) Admit(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (identity.Credential, identity.Token, error) {
	if of, _ := d.Credentials(ctx, tenant, vehicle); len(of) >= 3 {
		return identity.Credential{}, identity.Token{}, console.ErrTooMany
	}
	c, password := identity.NewCredential(tenant, vehicle, d.g.clock())
	d.all = append(d.all, c)
	return c, password, d.g.store.fail
}

func (d *fakeDevices) Credentials(_ context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]identity.Credential, error) {
	of := slices.DeleteFunc(slices.Clone(d.all), func(c identity.Credential) bool { return c.Tenant != tenant || c.Vehicle != vehicle })
	return of, d.g.store.fail
}

func (d *fakeDevices) Revoke(_ context.Context, tenant identity.TenantID, vehicle identity.VehicleID, id identity.CredentialID) error {
	before := len(d.all)
	d.all = slices.DeleteFunc(d.all, func(c identity.Credential) bool { return c.ID == id && c.Tenant == tenant && c.Vehicle == vehicle })
	if len(d.all) == before {
		return cmp.Or(d.g.store.fail, store.ErrNotFound)
	}
	return d.g.store.fail
}

func (d *fakeDevices) Command(_ identity.TenantID, vehicle identity.VehicleID, payload []byte) ([]string, int) {
	if vehicle != "van/1" {
		return []string{"fleet/default/" + string(vehicle) + "/cmd"}, 0
	}
	return []string{"fleet/default/imei-1/cmd"}, len(payload)
}

// inspectVan remembers one refused message of van/1.
func inspectVan(_ identity.TenantID, vehicle identity.VehicleID) (console.Inspection, bool) {
	if vehicle != "van/1" {
		return console.Inspection{}, false
	}
	return console.Inspection{Messages: []console.Inspected{{
		Vehicle: "van/1", Topic: "fleet/default/imei-1/fix", Format: "native", How: "by the topic", Raw: []byte(`{"lat":91}`), Size: 10,
		Refusals: []*telemetry.Refusal{telemetry.Refuse(telemetry.ReasonRange, "lat", "91 is outside -90 to 90")},
	}}, Verdicts: map[string]uint64{"admitted": 3}}, true
}

// watchVan is the same for all vehicles; it is the seventh message.
func watchVan(tenant identity.TenantID, after uint64, limit int) []console.Inspected {
	found, _ := inspectVan(tenant, "van/1")
	messages := found.Messages
	messages[0].Seq = 7
	if after >= 7 || tenant != "default" {
		return nil
	}
	return messages[:min(limit, 1)]
}

// The password of a tracker is in the answer that makes it, and nowhere else.
func TestACredentialIsShownOnce(t *testing.T) {
	t.Parallel()
	g := setup(t)
	var made struct{ ID, Username, Password string }
	r := g.must(201, "POST", "/api/v1/vehicles/bus/credentials", "")
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || made.Password == "" || made.ID == "" || made.Username != made.ID {
		t.Fatalf("%v: %s", err, r.body)
	}
	for range 2 {
		g.must(201, "POST", "/api/v1/vehicles/bus/credentials", "{}")
	}
	g.must(409, "POST", "/api/v1/vehicles/bus/credentials", "{}")
	list := g.must(200, "GET", "/api/v1/vehicles/bus/credentials", "").body
	if strings.Count(list, `"username"`) != 3 || strings.Contains(list, "password") || strings.Contains(list, "hash") {
		t.Errorf("listed: %s", list)
	}
	if strings.Contains(g.log.String(), made.Password) {
		t.Error("the password is in the log")
	}
	g.must(204, "DELETE", "/api/v1/vehicles/bus/credentials/"+made.ID, "")
	g.must(404, "DELETE", "/api/v1/vehicles/bus/credentials/"+made.ID, "")
	if list := g.must(200, "GET", "/api/v1/vehicles/bus/credentials", "").body; strings.Contains(list, made.ID) {
		t.Errorf("listed after it was revoked: %s", list)
	}
}

// A gateway without device endpoint has no such operations.
func TestNoDevices(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) { o.Devices = nil })
	g.must(404, "GET", "/api/v1/vehicles/van/credentials", "")
	g.must(404, "POST", "/api/v1/vehicles/van/commands", `{"payload":"x"}`)
}
