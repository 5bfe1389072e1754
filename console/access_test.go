package console_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/identity"
)

// rights is what each operation takes, written down a second time: a new operation has to be added here, by somebody
// who thinks about it.
var rights = map[identity.Role]string{
	identity.Viewer: `get-self sign-in sign-out sign-out-everywhere change-password export-geofences list-geofences get-geofence list-vehicles get-vehicle list-owners get-owner list-pages get-page get-texts list-rules
		get-rule list-crossings list-deliveries get-delivery list-dead-letters watch-events watch-devices inspect-vehicle explain try-rule`,
	identity.Operator: `create-geofence import-geofences put-geofence patch-geofence delete-geofence put-vehicle put-owner link-owner unlink-owner create-rule put-rule
		delete-rule command-vehicle message-owner`,
	identity.Admin: `put-page connect-page put-texts list-credentials make-credential revoke-credential list-keys create-key revoke-key list-audit list-users create-user get-user patch-user delete-user`,
}

// request is one operation of the description.
type request struct{ id, method, path string }

func requests(t *testing.T, g *gateway) []request {
	t.Helper()
	var doc document
	if err := json.Unmarshal([]byte(g.must(200, "GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	var all []request
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			all = append(all, request{op.OperationID, strings.ToUpper(method), path})
		}
	}
	return all
}

// filled is a path with the ids of what alpha has.
func (r request) filled() string {
	for name, value := range map[string]string{"{id}": "secret", "{language}": "en", "{credential}": "secret"} {
		r.path = strings.ReplaceAll(r.path, name, value)
	}
	return r.path
}

// key makes a key and returns the header that carries it.
func (g *gateway) key(tenant, role string) string {
	g.t.Helper()
	a := g.must(201, "POST", "/api/v1/keys", `{"role":"`+role+`","name":"`+role+`"}`, "Outrider-Tenant: "+tenant)
	return "Authorization: Bearer " + a.member(g.t, "key").(string)
}

func TestEveryOperationTakesItsRole(t *testing.T) {
	t.Parallel()
	g := setup(t)
	headers := map[identity.Role]string{}
	for _, role := range identity.RoleNames() {
		headers[role] = g.key("default", string(role))
	}
	takes := map[string]identity.Role{}
	for role, ids := range rights {
		for _, id := range strings.Fields(ids) {
			takes[id] = role
		}
	}
	for _, r := range requests(t, g) {
		need, known := takes[r.id]
		if !known {
			t.Errorf("operation %s is not in the table of this test: decide which role it takes", r.id)
			continue
		}
		for _, role := range identity.RoleNames() {
			if role.May(need) {
				if r.id == "watch-events" || role == identity.Admin {
					continue // a stream without end; what an admin may, all other tests do
				}
			}
			a := g.call(r.method, r.filled(), body(r), headers[role])
			if refused := a.StatusCode == http.StatusForbidden; refused == role.May(need) {
				t.Errorf("%s by a %s: %d, it takes %s", r.id, role, a.StatusCode, need)
			}
		}
	}
}

// body is something that the operation can read.
func body(r request) string {
	if r.method == "GET" || r.method == "DELETE" {
		return ""
	}
	return `{}`
}

// What one tenant has, no key of another tenant shows, changes or deletes, whichever operation it tries.
func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	t.Parallel()
	g := setup(t)
	alpha := "Outrider-Tenant: alpha"
	g.must(201, "PUT", "/api/v1/owners/secret", `{"name":"ALPHA-owner"}`, alpha)
	g.must(201, "PUT", "/api/v1/vehicles/secret", `{"name":"ALPHA-vehicle","owner":"secret"}`, alpha)
	g.must(201, "PUT", "/api/v1/pages/777", `{"name":"ALPHA-page","access_token":"t"}`, alpha)
	g.must(201, "PUT", "/api/v1/geofences/secret", strings.NewReplacer(`"id":"depot",`, "", "Depot", "ALPHA-fence").Replace(depot), alpha)
	g.must(201, "PUT", "/api/v1/rules/secret", `{"name":"ALPHA-rule","events":["enter"]}`, alpha)
	g.must(200, "PUT", "/api/v1/texts/en", `{"texts":{"enter":"ALPHA {vehicle} {fence} {time}"}}`, alpha)
	g.must(201, "POST", "/api/v1/users", `{"id":"secret","name":"ALPHA-person","role":"admin","password":"a password of alpha"}`, alpha)
	g.key("alpha", "viewer")
	mine := g.key("beta", "admin")

	before := state(g, alpha)
	for _, r := range requests(t, g) {
		if r.id == "watch-events" {
			continue // has a test of its own
		}
		path := r.filled()
		switch r.id {
		case "explain":
			path += "?vehicle=secret&at=2026-11-24T08:00:00Z"
		case "get-page", "put-page", "connect-page":
			path = strings.ReplaceAll(path, "secret", "777")
		}
		for _, tenant := range []string{"", "Outrider-Tenant: alpha"} {
			headers := []string{mine}
			if tenant != "" {
				headers = append(headers, tenant)
			}
			a := g.call(r.method, path, body(r), headers...)
			if strings.Contains(a.body, "ALPHA") {
				t.Errorf("%s shows another tenant's: %s", r.id, a.body)
			}
			if tenant != "" && a.StatusCode != http.StatusForbidden {
				t.Errorf("%s with a key of beta in the name of alpha: %d", r.id, a.StatusCode)
			}
		}
	}
	if after := state(g, alpha); after != before {
		t.Errorf("alpha has changed:\n%s\nwas\n%s", after, before)
	}
}

// state is all that a tenant has, as it sees it.
func state(g *gateway, tenant string) string {
	var all strings.Builder
	for _, list := range []string{"owners", "vehicles", "pages", "geofences", "rules", "keys", "users", "texts/en"} {
		fmt.Fprintln(&all, g.must(200, "GET", "/api/v1/"+list, "", tenant).body)
	}
	return all.String()
}

func TestAKeyIsShownOnceAndEnds(t *testing.T) {
	t.Parallel()
	g := setup(t)
	expires := g.clock().Add(time.Hour).Format(time.RFC3339)
	a := g.must(201, "POST", "/api/v1/keys", `{"name":"CI","role":"operator","expires":"`+expires+`"}`)
	key, id := a.member(t, "key").(string), a.member(t, "id").(string)
	if !strings.HasPrefix(key, "or_"+id+"_") {
		t.Errorf("key %s of id %s", key, id)
	}
	with := "Authorization: Bearer " + key
	if a := g.must(200, "GET", "/api/v1/self", "", with); a.member(t, "role") != "operator" || a.member(t, "tenant") != "default" || a.member(t, "name") != "CI" {
		t.Errorf("self: %s", a.body)
	}
	list := g.must(200, "GET", "/api/v1/keys", "")
	if strings.Contains(list.body, key) || strings.Contains(list.body, identity.HashAPIKey(key)) || !strings.Contains(list.body, `"last_used"`) {
		t.Errorf("list: %s", list.body)
	}
	g.must(422, "POST", "/api/v1/keys", `{"role":"king"}`)
	g.must(422, "POST", "/api/v1/keys", `{"role":"viewer","expires":"2020-01-01T00:00:00Z"}`)
	g.must(401, "GET", "/api/v1/self", "", with+"x")

	g.mu.Lock()
	g.now = g.now.Add(2 * time.Hour)
	g.mu.Unlock()
	g.must(401, "GET", "/api/v1/self", "", with)

	other := g.key("default", "viewer")
	g.must(200, "GET", "/api/v1/self", "", other)
	g.must(404, "DELETE", "/api/v1/keys/nobody", "")
	for _, k := range slices.Clone(g.store.keys) {
		g.must(204, "DELETE", "/api/v1/keys/"+k.ID, "")
	}
	g.must(401, "GET", "/api/v1/self", "", other)
	if text := g.log.String(); strings.Contains(text, key) {
		t.Error("the key is in the log")
	}
}
