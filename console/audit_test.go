package console_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// change is a request that changes something on a seeded gateway, the media type of its body if it is not JSON.
type change struct{ path, body, media string }

// changes has a request for every operation that changes something. A new operation needs a line here, or in
// unaudited of audit.go and below.
var changes = map[string]change{
	"create-geofence":   {"/api/v1/geofences", strings.Replace(depot, `"depot"`, `"new"`, 1), ""},
	"import-geofences":  {"/api/v1/geofences/import", `{"type":"FeatureCollection","features":[` + depot + `]}`, "application/geo+json"},
	"delete-geofence":   {"/api/v1/geofences/depot", "", ""},
	"patch-geofence":    {"/api/v1/geofences/depot", `{"properties":{"name":"Changed"}}`, "application/merge-patch+json"},
	"put-geofence":      {"/api/v1/geofences/depot", strings.Replace(depot, "Depot", "Changed", 1), ""},
	"create-rule":       {"/api/v1/rules", `{"id":"new","name":"New","events":["enter"]}`, ""},
	"delete-rule":       {"/api/v1/rules/night", "", ""},
	"put-rule":          {"/api/v1/rules/night", `{"name":"Changed","events":["enter"]}`, ""},
	"link-owner":        {"/api/v1/owners/anna/links", `{}`, ""},
	"unlink-owner":      {"/api/v1/owners/anna/links", "", ""},
	"message-owner":     {"/api/v1/owners/anna/messages", `{"text":"We are on our way","operator":"Olga"}`, ""},
	"put-owner":         {"/api/v1/owners/anna", `{"name":"Changed","fallback":"smtp://user:NEW-SECRET@host"}`, ""},
	"put-vehicle":       {"/api/v1/vehicles/van%2F1", `{"name":"Changed"}`, ""},
	"command-vehicle":   {"/api/v1/vehicles/van%2F1/commands", `{"payload":"x"}`, ""},
	"make-credential":   {"/api/v1/vehicles/van%2F1/credentials", `{}`, ""},
	"revoke-credential": {"/api/v1/vehicles/van%2F1/credentials/d-1", "", ""},
	"connect-page":      {"/api/v1/pages/1001/connect", `{}`, ""},
	"put-page":          {"/api/v1/pages/1001", `{"name":"Changed","access_token":"NEW-SECRET"}`, ""},
	"put-texts":         {"/api/v1/texts/en", `{"texts":{}}`, ""},
	"create-key":        {"/api/v1/keys", `{"name":"new","role":"viewer"}`, ""},
	"create-user":       {"/api/v1/users", `{"id":"new","role":"viewer","password":"NEW-SECRET of somebody"}`, ""},
	"patch-user":        {"/api/v1/users/ann", `{"password":"NEW-SECRET of somebody"}`, ""},
	"delete-user":       {"/api/v1/users/ann", "", ""},
	"revoke-key":        {"/api/v1/keys/{key}", "", ""},
}

// silent are operations with the method of a change that change nothing which the log tells of; a change of a password
// has a test of its own, since a key has none.
var silent = map[string]bool{"try-rule": true, "sign-in": true, "sign-out": true, "sign-out-everywhere": true, "change-password": true}

// changeable is a seeded gateway on which every one of changes can be made.
func changeable(t *testing.T) (g *gateway, key string) {
	t.Helper()
	g = seed(setup(t))
	g.must(201, "PUT", "/api/v1/rules/night", `{"name":"Night","events":["enter"]}`)
	g.must(201, "POST", "/api/v1/users", `{"id":"ann","role":"viewer","password":"ann's old password"}`)
	return g, g.must(201, "POST", "/api/v1/keys", `{"name":"old","role":"viewer"}`).member(t, "id").(string)
}

// Whatever operation changes something, the log says who did it, on what, and with which outcome; and no secret.
func TestEveryChangeIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	for _, r := range requests(t, setup(t)) {
		if r.method == "GET" || silent[r.id] {
			continue
		}
		t.Run(r.id, func(t *testing.T) {
			t.Parallel()
			c, ok := changes[r.id]
			if !ok {
				t.Fatalf("%s %s has no request in changes", r.method, r.path)
			}
			g, key := changeable(t)
			path := strings.ReplaceAll(c.path, "{key}", key)
			headers := []string{}
			if c.media != "" {
				headers = append(headers, "Content-Type: "+c.media)
			}
			a := g.call(r.method, path, c.body, headers...)
			if a.StatusCode >= 300 {
				t.Fatalf("%s %s: %d\n%s", r.method, path, a.StatusCode, a.body)
			}
			log := g.must(200, "GET", "/api/v1/audit", "")
			if log.member(t, "items.0.operation") != r.id || log.member(t, "items.0.target") != path ||
				log.member(t, "items.0.status") != float64(a.StatusCode) || log.member(t, "items.0.name") != "bootstrap key" ||
				log.member(t, "items.0.request") != a.Header.Get("X-Request-Id") {
				t.Errorf("the newest entry after %d: %s", a.StatusCode, log.body)
			}
			var shown map[string]any
			_ = json.Unmarshal([]byte(a.body), &shown)
			for _, name := range []string{"key", "password", "code", "url", "login_url"} {
				if secret, _ := shown[name].(string); secret != "" && (strings.Contains(log.body, secret) || !strings.Contains(log.body, "REDACTED")) {
					t.Errorf("the log repeats %s, which is shown once: %s", name, log.body)
				}
			}
			if strings.Contains(log.body, "SECRET") {
				t.Errorf("the log holds a secret: %s", log.body)
			}
		})
	}
}

func TestAuditEntriesShowBeforeAndAfter(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	with := g.key("default", "operator")
	g.must(200, "PUT", "/api/v1/vehicles/van%2F1", `{"name":"Lorry"}`, with)
	g.must(204, "DELETE", "/api/v1/geofences/depot", "", with, "If-Match: *")
	log := g.must(200, "GET", "/api/v1/audit?limit=2", "")
	for path, want := range map[string]any{
		"items.0.operation": "delete-geofence", "items.0.before.properties.name": "Depot", "items.0.after": nil, "items.0.name": "operator",
		"items.1.operation": "put-vehicle", "items.1.before.name": "Van", "items.1.after.name": "Lorry", "items.1.actor": g.store.keys[0].ID,
	} {
		if got := log.member(t, path); got != want {
			t.Errorf("%s is %v, want %v\n%s", path, got, want, log.body)
		}
	}
	next, _ := log.member(t, "next").(string)
	if a := g.must(200, "GET", "/api/v1/audit?cursor="+next, ""); a.member(t, "items.0.operation") != "create-key" {
		t.Errorf("the second page: %s", a.body)
	}
	if a := g.must(200, "GET", "/api/v1/audit", "", "Outrider-Tenant: other"); a.member(t, "items.0") != nil {
		t.Errorf("another tenant's log: %s", a.body)
	}
	g.must(403, "GET", "/api/v1/audit", "", with)
	g.must(422, "GET", "/api/v1/audit?cursor=aTph", "")
}

// What was refused changed nothing and is not in the log; what may have changed something is, also when it failed.
func TestOnlyWhatMayHaveChangedIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	entries := len(g.store.entries)
	g.must(422, "PUT", "/api/v1/owners/anna", `{"time_zone":"Mars"}`)
	g.must(404, "DELETE", "/api/v1/geofences/none", "")
	g.must(200, "POST", "/api/v1/rules/dry-run", `{"events":["enter"]}`)
	if len(g.store.entries) != entries {
		t.Errorf("entries: %+v", g.store.entries[entries:])
	}
	g.broken = errors.New("lane is stuck")
	g.must(500, "PUT", "/api/v1/owners/anna", `{}`)
	if len(g.store.entries) != entries+1 || g.store.entries[entries].Status != 500 {
		t.Errorf("entries: %+v", g.store.entries[entries:])
	}
}

// Without an entry no change is made.
func TestNoChangeWithoutAnAuditEntry(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	g.store.auditFail = errors.New("disk is full")
	g.must(500, "PUT", "/api/v1/vehicles/van%2F1", `{"name":"Lorry"}`)
	if v, _ := g.directory.Vehicle("default", "van/1"); v.Name != "Van" {
		t.Errorf("the vehicle became %q", v.Name)
	}
	if !strings.Contains(g.log.String(), "disk is full") {
		t.Error("the log does not say why")
	}
}

// A long state is told by its length and hash.
func TestALongStateIsNotKeptInTheAuditLog(t *testing.T) {
	t.Parallel()
	g := setup(t)
	ring := strings.Repeat("[11.1,48.1],", 3000)
	body := `{"type":"Feature","properties":{"name":"Long"},"geometry":{"type":"Polygon","coordinates":[[` +
		strings.Replace(ring, "[11.1,48.1]", "[11.0,48.0]", 1) + `[11.2,48.0],[11.0,48.0]]]}}`
	g.must(201, "PUT", "/api/v1/geofences/long", body)
	g.must(204, "DELETE", "/api/v1/geofences/long", "")
	for _, e := range g.store.entries {
		if len(e.Before)+len(e.After) > 64<<10 {
			t.Errorf("%s keeps %d and %d bytes", e.Operation, len(e.Before), len(e.After))
		}
	}
}

// What GIS programs change is in the log, too.
func TestChangesByOGCAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	const items, geo = "/ogc/collections/geofences/items", "Content-Type: application/geo+json"
	for _, c := range []struct{ method, path, body, before string }{
		{"POST", items, strings.Replace(depot, `"depot"`, `"new"`, 1), ""},
		{"PUT", items + "/depot", strings.Replace(depot, "Depot", "Changed", 1), "Depot"},
		{"DELETE", items + "/depot", "", "Changed"},
	} {
		if a := g.call(c.method, c.path, c.body, geo); a.StatusCode >= 300 {
			t.Fatalf("%s: %d %s", c.method, a.StatusCode, a.body)
		}
		e := g.store.entries[len(g.store.entries)-1]
		if e.Operation != "ogc-"+strings.ToLower(c.method) || e.Target != c.path || !strings.Contains(string(e.Before), c.before) || e.Status == 0 {
			t.Errorf("%s: %+v before %s", c.method, e, e.Before)
		}
	}
	entries := len(g.store.entries)
	g.must(200, "GET", items, "")
	if len(g.store.entries) != entries {
		t.Error("reading is in the log")
	}
}
