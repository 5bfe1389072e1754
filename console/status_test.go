package console_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// seed fills a gateway with one record of each kind, and with a vehicle that nobody registered.
func seed(g *gateway) *gateway {
	g.t.Helper()
	g.must(201, "PUT", "/api/v1/pages/1001", `{"name":"Fleet","access_token":"PAGE-SECRET","tag":"ACCOUNT_UPDATE","templates":{"enter":"arrived"}}`)
	g.must(201, "PUT", "/api/v1/owners/anna", `{"name":"Anna","locale":"de_DE","time_zone":"Europe/Berlin","contacts":[{"page":"1001","psid":"7001"}],"fallback":"smtp://user:CHANNEL-SECRET@host"}`)
	g.must(201, "PUT", "/api/v1/vehicles/van%2F1", `{"name":"Van","owner":"anna","tags":["north"],"device":"imei-1"}`)
	g.must(201, "POST", "/api/v1/geofences", depot)
	at := g.now.In(time.FixedZone("somewhere", 3600))
	g.store.fixes = []telemetry.Fix{telemetry.NewFix("default", "stray", at, orb.Point{11.5, 48.1}), telemetry.NewFix("default", "van/1", at, orb.Point{11.6, 48.2})}
	g.store.fixes[1].Speed, g.store.fixes[1].Ignition = 12.5, telemetry.Yes
	g.store.crossings = []store.Crossing{{
		Seq: 1, ID: "c1", Tenant: "default", Vehicle: "van/1", Fence: "depot", FenceRev: 1, FenceName: "Depot", Kind: "enter",
		At: at, Point: orb.Point{11.6, 48.2}, Confidence: 3, Received: at,
	}}
	g.store.deliveries = []store.DeliveryRecord{{Seq: 1, Delivery: notify.Delivery{
		Alert: notify.Alert{ID: "d1", Event: "c1", Tenant: "default", Owner: "anna", Vehicle: "van/1", Fence: "depot", Kind: notify.Enter, At: at},
		Page:  "1001", PSID: "7001", State: notify.Sent, Route: notify.RouteWindow, Attempts: 1, SentAt: at,
	}}}
	g.store.letters = []store.DeadLetter{{
		Seq: 1, Tenant: "default", Vehicle: "van/1", Topic: "fleet/default/van/fix", Reason: telemetry.ReasonRange, Field: "lat",
		Detail: "91 is outside -90 to 90", Payload: []byte(`{"lat":91}`), Size: 10, Received: at,
	}}
	return g
}

// statusCase is a request and what must come of it, on a seeded gateway.
type statusCase struct {
	request string // method and path
	body    string
	header  string
	status  int
	at      string // location of the first error
	says    string // part of the body
}

// Every endpoint with every answer it documents.
var statusCases = []statusCase{
	// No key is needed.
	{request: "GET /", status: 200, header: "Authorization:", says: `<div id="app">`},
	{request: "GET /api", status: 200, header: "Authorization:", says: "<h1>Outrider</h1>"},
	{request: "GET /console/map.json", status: 200, header: "Authorization:", says: "{}"},
	{request: "GET /home.css", status: 200, header: "Authorization:", says: "color-scheme"},
	{request: "GET /healthz", status: 200, header: "Authorization:", says: `"ok"`},
	{request: "GET /livez", status: 200, header: "Authorization:"},
	{request: "GET /readyz", status: 200, header: "Authorization:", says: `"ready"`},
	{request: "GET /metrics", status: 200, header: "Authorization:", says: "outrider_http_requests_total"},
	{request: "GET /openapi.json", status: 200, header: "Authorization:", says: `"openapi":"3.1`},
	{request: "GET /webhook/messenger?hub.verify_token=x", status: 200, header: "Authorization:", says: "webhook GET"},
	{request: "POST /webhook/messenger", body: "{}", status: 200, header: "Authorization:", says: "webhook POST"},

	// Paths and methods that nobody serves.
	{request: "GET /nothing", status: 404, says: "/openapi.json"},
	{request: "GET /api/v1/vehicles/", status: 404},
	{request: "GET /api//v1/vehicles", status: 404},
	{request: "GET /api/v1/../v1/vehicles", status: 404},
	{request: "GET /api/v1/vehicles/a/b", status: 404},
	{request: "PATCH /api/v1/vehicles/a", body: "{}", status: 405, says: "GET, HEAD, PUT"},
	{request: "DELETE /healthz", status: 405},
	{request: "PURGE /api/v1/vehicles", status: 405},
	{request: "OPTIONS /api/v1/geofences/depot", status: 204, header: "Authorization:"},

	// Keys and tenants.
	{request: "GET /api/v1/geofences", header: "Authorization:", status: 401, says: "Bearer"},
	{request: "GET /api/v1/geofences", header: "Authorization: Bearer wrong", status: 401},
	{request: "GET /api/v1/geofences", header: "Authorization: Basic " + adminKey, status: 401},
	{request: "GET /api/v1/geofences", header: "Authorization: " + adminKey, status: 401},
	{request: "GET /api/v1/geofences", header: "Authorization: Bearer", status: 401},
	{request: "GET /api/v1/geofences", header: "Authorization: bearer " + adminKey, status: 200},
	{request: "GET /api/v1/geofences", header: "Outrider-Tenant: other", status: 200, says: `"features":[]`},
	{request: "GET /api/v1/geofences", header: "Outrider-Tenant: a/b", status: 422, at: "header.Outrider-Tenant"},
	{request: "PUT /api/v1/vehicles/a", body: "{}", header: "Authorization:", status: 401},

	// Bodies in general.
	{request: "PUT /api/v1/vehicles/a", status: 400, says: "required"},
	{request: "PUT /api/v1/vehicles/a", body: `{"name":`, status: 400, at: "body", says: "not JSON"},
	{request: "PUT /api/v1/vehicles/a", body: `{} {}`, status: 400, at: "body"},
	{request: "PUT /api/v1/vehicles/a", body: `[]`, status: 422, at: "body"},
	{request: "PUT /api/v1/vehicles/a", body: `name=a`, header: "Content-Type: application/x-www-form-urlencoded", status: 415, says: "application/json"},
	{request: "PUT /api/v1/vehicles/a", body: `{}`, header: "Content-Type: ;", status: 415},
	{request: "PUT /api/v1/vehicles/a", body: `{}`, header: "Content-Type: application/json; charset=utf-8", status: 201},
	{request: "PUT /api/v1/vehicles/a", body: `{}`, header: "Content-Type:", status: 201},
	{request: "PUT /api/v1/vehicles/a", body: `{}`, header: "Content-Encoding: gzip", status: 415},
	{request: "PUT /api/v1/vehicles/a", body: `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, status: 413},
	{request: "POST /api/v1/geofences", body: `{"x":"` + strings.Repeat("x", 4<<20) + `"}`, status: 413},

	// Lists in general.
	{request: "GET /api/v1/vehicles?limit=0", status: 422, at: "query.limit", says: ">= 1"},
	{request: "GET /api/v1/vehicles?limit=1001", status: 422, at: "query.limit"},
	{request: "GET /api/v1/vehicles?limit=ten", status: 422, at: "query.limit"},
	{request: "GET /api/v1/vehicles?limitt=1", status: 422, at: "query.limitt", says: "unknown query parameter"},
	{request: "GET /api/v1/vehicles?cursor=x", status: 422, at: "query.cursor"},
	{request: "GET /api/v1/owners?cursor=" + strings.Repeat("x", 300), status: 422, at: "query.cursor"},
	{request: "GET /api/v1/crossings?cursor=aTph", status: 422, at: "query.cursor", says: "of this list"}, // i:a, a cursor of ids
	{request: "GET /api/v1/crossings?cursor=czow", status: 422, at: "query.cursor"},                       // s:0
	{request: "GET /api/v1/geofences?cursor=czox", status: 422, at: "query.cursor"},                       // s:1, a cursor of a record

	// Geofences.
	{request: "GET /api/v1/geofences", status: 200, says: `"FeatureCollection"`},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"id":"depot",`, "", 1), status: 201, says: `"id":"`},
	{request: "POST /api/v1/geofences", body: depot, header: "Content-Type: application/geo+json", status: 409, says: "depot"},
	{request: "POST /api/v1/geofences", body: `{"type":"Feature"`, status: 400, at: "body", says: "not JSON"},
	{request: "GET /api/v1/geofences/depot", status: 200, says: `"Depot"`},
	{request: "GET /api/v1/geofences/depot", header: `If-None-Match: "1"`, status: 304},
	{request: "GET /api/v1/geofences/depot", header: `If-None-Match: W/"1"`, status: 304},
	{request: "GET /api/v1/geofences/depot", header: `If-Match: "2"`, status: 412},
	{request: "GET /api/v1/geofences/none", status: 404, says: "none"},
	{request: "GET /api/v1/geofences/none", header: `If-None-Match: *`, status: 404},
	{request: "GET /api/v1/geofences/%ff", status: 422, at: "path.id", says: "UTF-8"},
	{request: "GET /api/v1/geofences/" + strings.Repeat("x", 129), status: 422, at: "path.id"},
	{request: "PUT /api/v1/geofences/depot", body: depot, status: 200},
	{request: "PUT /api/v1/geofences/depot", body: depot, header: `If-Match: "1"`, status: 200},
	{request: "PUT /api/v1/geofences/depot", body: depot, header: `If-Match: "7", "1"`, status: 200},
	{request: "PUT /api/v1/geofences/depot", body: depot, header: `If-Match: *`, status: 200},
	{request: "PUT /api/v1/geofences/depot", body: depot, header: `If-Match: W/"1"`, status: 412},
	{request: "PUT /api/v1/geofences/depot", body: depot, header: `If-Match: "2"`, status: 412, says: `\"1\"`},
	{request: "PUT /api/v1/geofences/depot", body: depot, header: `If-None-Match: *`, status: 412},
	{request: "PUT /api/v1/geofences/new", body: strings.Replace(depot, `"id":"depot",`, "", 1), status: 201},
	{request: "PUT /api/v1/geofences/new", body: strings.Replace(depot, `"id":"depot",`, "", 1), header: `If-None-Match: *`, status: 201},
	{request: "PUT /api/v1/geofences/new", body: strings.Replace(depot, `"id":"depot",`, "", 1), header: `If-Match: *`, status: 412},
	{request: "PUT /api/v1/geofences/new", body: depot, status: 422, at: "body.id", says: `\"new\"`},
	{request: "PATCH /api/v1/geofences/depot", body: `{"properties":{"name":"Yard"}}`, header: "Content-Type: application/merge-patch+json", status: 200, says: `"radius_m":150`},
	{request: "PATCH /api/v1/geofences/depot", body: `{"geometry":null}`, header: "Content-Type: application/merge-patch+json", status: 422, at: "body.geometry"},
	{request: "PATCH /api/v1/geofences/depot", body: `{"id":"other"}`, header: "Content-Type: application/merge-patch+json", status: 422, at: "body.id"},
	{request: "PATCH /api/v1/geofences/depot", body: `[]`, header: "Content-Type: application/merge-patch+json", status: 422, at: "body"},
	{request: "PATCH /api/v1/geofences/depot", body: `{"properties":`, header: "Content-Type: application/merge-patch+json", status: 400, at: "body"},
	{request: "PATCH /api/v1/geofences/depot", body: `{}`, header: "Content-Type: application/json", status: 415, says: "merge-patch"},
	{request: "PATCH /api/v1/geofences/none", body: `{}`, header: "Content-Type: application/merge-patch+json", status: 404},
	{request: "DELETE /api/v1/geofences/depot", status: 204},
	{request: "DELETE /api/v1/geofences/depot", header: `If-Match: "1"`, status: 204},
	{request: "DELETE /api/v1/geofences/depot", header: `If-Match: "2"`, status: 412},
	{request: "DELETE /api/v1/geofences/none", status: 404},
	{request: "DELETE /api/v1/geofences/none", header: `If-Match: "2"`, status: 412},

	// What can be wrong with a feature, and what is put right.
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[4,0],[4,4],[0,4],[0,0]]`), status: 201},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[4,0],[4,4],[0,4]]`), status: 201, says: "not closed"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[4,4],[4,0],[0,4],[0,0]]`), status: 422, at: "body.geometry.coordinates[0][0]", says: "crosses the edge"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[4,4]]`), status: 422, at: "body.geometry.coordinates[0]", says: "3 different corners"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[4,0],[8,0],[0,0]]`), status: 422, at: "body.geometry.coordinates[0]"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[4,91],[4,4],[0,0]]`), status: 422, at: "body.geometry.coordinates[0][1]", says: "91"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],["4",0],[4,4],[0,0]]`), status: 422, at: "body.geometry.coordinates[0][1][0]"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[[0,0],[NaN,0],[4,4],[0,0]]`), status: 400, at: "body", says: "not JSON"},
	{request: "PUT /api/v1/geofences/a", body: polygon(`[]`), status: 422, at: "body.geometry.coordinates[0]"},
	{request: "PUT /api/v1/geofences/a", body: feature(`null`, `{}`), status: 422, at: "body.geometry"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Cube","coordinates":[]}`, `{}`), status: 422, at: "body.geometry.type", says: "Cube"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Point","coordinates":[1,2]}`, `{}`), status: 422, at: "body.properties.radius_m", says: "metres"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Point","coordinates":[1,2]}`, `{"radius_m":-5}`), status: 422, at: "body.properties.radius_m", says: "above 0"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Point","coordinates":[1,2]}`, `{"radius_m":"5"}`), status: 422, at: "body.properties.radius_m"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Point","coordinates":[1,2]}`, `{"radius_m":5,"shape":"polygon"}`), status: 422, at: "body.properties.shape"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Point","coordinates":[1,2]}`, `{"radius_m":5,"name":"a\u0000b"}`), status: 422, at: "body.properties.name", says: "control"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"Point","coordinates":[1,2]}`, `{"radius_m":5,"colour":"red"}`), status: 201, says: `"colour":"red"`},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"LineString","coordinates":[[0,0],[1,1]]}`, `{}`), status: 422, at: "body.properties.shape", says: "tripwire"},
	{request: "PUT /api/v1/geofences/a", body: feature(`{"type":"LineString","coordinates":[[0,0],[1,1]]}`, `{"shape":"corridor","width_m":40}`), status: 201},
	{request: "PUT /api/v1/geofences/a", body: `{"type":"FeatureCollection","features":[]}`, status: 422, at: "body.type", says: "Feature"},
	{request: "PUT /api/v1/geofences/a", body: `[]`, status: 422, at: "body"},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"depot"`, `{"a":1}`, 1), status: 422, at: "body.id"},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"depot"`, `"a\nb"`, 1), status: 422, at: "body.id", says: "control"},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"depot"`, `"`+strings.Repeat("x", 129)+`"`, 1), status: 422, at: "body.id", says: "128"},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"depot"`, `".."`, 1), status: 422, at: "body.id"},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"depot"`, `7`, 1), status: 201, says: `"id":"7"`},
	{request: "POST /api/v1/geofences", body: strings.Replace(depot, `"depot"`, `"a/b c"`, 1), status: 201, says: `"id":"a/b c"`},

	// Vehicles.
	{request: "GET /api/v1/vehicles", status: 200, says: `"stray"`},
	{request: "GET /api/v1/vehicles/van%2F1", status: 200, says: `"spd":12.5`},
	{request: "GET /api/v1/vehicles/stray", status: 200, says: `"claimed":false`},
	{request: "GET /api/v1/vehicles/none", status: 404, says: "never seen"},
	{request: "GET /api/v1/vehicles/a%0Ab", status: 422, at: "path.id", says: "control"},
	{request: "PUT /api/v1/vehicles/van%2F1", body: `{"owner":"anna"}`, status: 200},
	{request: "PUT /api/v1/vehicles/new", body: `{"owner":"nobody"}`, status: 201, says: "not registered yet"},
	{request: "PUT /api/v1/vehicles/new", body: `{"device":"imei-1"}`, status: 201, says: `also registered for vehicle \"van/1\"`},
	{request: "PUT /api/v1/vehicles/new", body: `{"owners":["anna","ben"],"owner":"ben"}`, status: 201},
	{request: "PUT /api/v1/vehicles/new", body: `{"owners":["anna"],"owner":"ben"}`, status: 422, at: "body.owner"},
	{request: "PUT /api/v1/vehicles/new", body: `{"owners":["anna",""]}`, status: 422, at: "body.owners[1]"},
	{request: "PUT /api/v1/vehicles/new", body: `{"id":"old"}`, status: 422, at: "body.id", says: `\"new\"`},
	{request: "PUT /api/v1/vehicles/new", body: `{"ownr":"anna"}`, status: 422, at: "body.ownr", says: "expected one of device, name, owner, owners, tags"},
	{request: "PUT /api/v1/vehicles/new", body: `{"name":5}`, status: 422, at: "body.name", says: "expected string"},
	{request: "PUT /api/v1/vehicles/new", body: `{"name":"a\u0007"}`, status: 422, at: "body.name", says: "control"},
	{request: "PUT /api/v1/vehicles/new", body: `{"name":"` + strings.Repeat("x", 201) + `"}`, status: 422, at: "body.name", says: "200"},
	{request: "PUT /api/v1/vehicles/new", body: `{"tags":"north"}`, status: 422, at: "body.tags", says: "expected array"},
	{request: "PUT /api/v1/vehicles/new", body: `{"tags":["a","a"]}`, status: 422, at: "body.tags"},
	{request: "PUT /api/v1/vehicles/new", body: `{"tags":[""]}`, status: 422, at: "body.tags[0]"},

	// Owners.
	{request: "GET /api/v1/owners", status: 200, says: `"anna"`},
	{request: "GET /api/v1/owners/anna", status: 200, says: `"has_fallback":true`},
	{request: "GET /api/v1/owners/none", status: 404, says: "none"},
	{request: "PUT /api/v1/owners/anna", body: `{"locale":"de","time_zone":"Asia/Kolkata"}`, status: 200},

	// Links.
	{request: "GET /api/v1/vehicles/van%2F1/credentials", status: 200, says: `"last_used":"2026-11-24T07:00:00Z"`},
	{request: "GET /api/v1/vehicles/%01/credentials", status: 422, at: "path.id"},
	{request: "POST /api/v1/vehicles/stray/credentials", status: 201, says: `"password":`},
	{request: "DELETE /api/v1/vehicles/van%2F1/credentials/d-1", status: 204},
	{request: "DELETE /api/v1/vehicles/van%2F1/credentials/d-2", status: 404},
	{request: "POST /api/v1/vehicles/van%2F1/commands", body: `{"payload":"reboot"}`, status: 200, says: `"sent":6`},
	{request: "POST /api/v1/vehicles/van%2F1/commands", body: `{"payload":""}`, status: 422, at: "body.payload"},
	{request: "POST /api/v1/vehicles/stray/commands", body: `{"payload":"reboot"}`, status: 409, says: "fleet/default/stray/cmd"},
	{request: "GET /api/v1/inspect/van%2F1", status: 200, says: "91 is outside -90 to 90"},
	{request: "GET /api/v1/inspect", status: 200, says: `"seq":7,"received":"0001-01-01T00:00:00Z","vehicle":"van/1","topic":"fleet/default/imei-1/fix","format":"native","how":"by the topic"`},
	{request: "GET /api/v1/inspect?after=7&limit=5", status: 200, says: `"items":[]`},
	{request: "GET /api/v1/inspect?after=yesterday", status: 422, at: "query.after"},
	{request: "GET /api/v1/inspect/nobody", status: 404, says: "dead-letters"},
	{request: "POST /api/v1/owners/anna/links", body: `{}`, status: 201, says: `"url":"https://m.me/1001?ref=C0DE","code":"C0DE","expires":"2026-11-24T08:10:00Z","login_url":"https://gw.test/anna//"`},
	{request: "POST /api/v1/owners/anna/links", body: `{"page":"1001","vehicle":"van/1","valid_for_s":3600}`, status: 201, says: `"expires":"2026-11-24T09:00:00Z","login_url":"https://gw.test/anna/van/1/"`},
	{request: "DELETE /api/v1/owners/anna/links", status: 204},
	{request: "DELETE /api/v1/owners/nobody/links", status: 404},
	{request: "POST /api/v1/owners/nobody/links", body: `{}`, status: 404, says: "no owner"},
	{request: "POST /api/v1/owners/anna/links", body: `{"page":"1002"}`, status: 422, at: "body.page", says: "no such page"},
	{request: "POST /api/v1/owners/anna/links", body: `{"page":"x"}`, status: 422, at: "body.page"},
	{request: "POST /api/v1/owners/anna/links", body: `{"valid_for_s":59}`, status: 422, at: "body.valid_for_s"},
	{request: "POST /api/v1/owners/anna/links", body: `{"valid_for_s":604801}`, status: 422, at: "body.valid_for_s"},
	{request: "POST /api/v1/owners/anna/links", body: `{"vehicle":".."}`, status: 422, at: "body.vehicle"},
	{request: "POST /api/v1/owners/anna/links", header: "Outrider-Tenant: other", body: `{}`, status: 404},
	{request: "POST /api/v1/pages/1001/connect", status: 201, says: `"login_url":"https://gw.test/connect/1001","expires":"2026-11-24T09:00:00Z"`},
	{request: "POST /api/v1/pages/2002/connect", status: 201},
	{request: "POST /api/v1/pages/404/connect", status: 409, says: "http.public_url must be set"},
	{request: "POST /api/v1/pages/1001/connect", header: "Outrider-Tenant: other", status: 409, says: "another tenant"},
	{request: "GET /auth/facebook/start", header: "Authorization:", status: 200, says: "login GET /auth/facebook/start"},
	{request: "GET /api/v1/pages/1001", status: 200, says: `"health":{"checked":"2026-11-24T08:00:00Z","token_valid":false,"missing_permissions":["pages_messaging"],"problem":"dead","subscribed":"2026-11-24T08:00:00Z"}`},
	{request: "PUT /api/v1/owners/ben", body: `{"locale":"zh-Hant-TW"}`, status: 201},
	{request: "PUT /api/v1/owners/ben", body: `{"contacts":[{"page":"42","psid":"1"}]}`, status: 201, says: "not registered yet"},
	{request: "PUT /api/v1/owners/cy", body: `{"name":"Cy"}`, status: 201, says: "tell the time in UTC"},
	{request: "PUT /api/v1/owners/ben", body: `{"time_zone":"Mars/Base"}`, status: 422, at: "body.time_zone", says: "IANA"},
	{request: "PUT /api/v1/owners/ben", body: `{"time_zone":"Local"}`, status: 422, at: "body.time_zone"},
	{request: "PUT /api/v1/owners/ben", body: `{"time_zone":"../../etc/passwd"}`, status: 422, at: "body.time_zone"},
	{request: "PUT /api/v1/owners/ben", body: `{"locale":"germanish"}`, status: 422, at: "body.locale", says: "de_DE"},
	{request: "PUT /api/v1/owners/ben", body: `{"contacts":[{"page":"1001"}]}`, status: 422, at: "body.contacts[0]", says: "psid"},
	{request: "PUT /api/v1/owners/ben", body: `{"contacts":[{"page":"1001","psid":""}]}`, status: 422, at: "body.contacts[0].psid", says: "digits"},
	{request: "PUT /api/v1/owners/ben", body: `{"contacts":[{"page":"fleet","psid":"1"}]}`, status: 422, at: "body.contacts[0].page"},
	{request: "PUT /api/v1/owners/ben", body: `{"contacts":[{"page":"1","psid":"1","x":1}]}`, status: 422, at: "body.contacts[0].x", says: "expected one of page, psid"},
	{request: "PUT /api/v1/owners/ben", body: `{"contacts":[{"page":"1","psid":"1"},{"page":"1","psid":"1"}]}`, status: 422, at: "body.contacts[1]"},
	{request: "PUT /api/v1/owners/ben", body: `{"fallback":"no url"}`, status: 422, at: "body.fallback"},
	{request: "PUT /api/v1/owners/ben", body: `{"id":"anna"}`, status: 422, at: "body.id"},
	{request: "PUT /api/v1/owners/a%7Fb", body: `{}`, status: 422, at: "path.id"},

	// Pages.
	{request: "GET /api/v1/pages", status: 200, says: `"has_token":true`},
	{request: "GET /api/v1/pages/1001", status: 200, says: `"templates":{"enter":"arrived"}`},
	{request: "GET /api/v1/pages/1002", status: 404},
	{request: "GET /api/v1/pages/fleet", status: 422, at: "path.page_id", says: "digits"},
	{request: "PUT /api/v1/pages/1001", body: `{"name":"Fleet"}`, status: 200, says: `"has_token":true`},
	{request: "PUT /api/v1/pages/1001", body: `{"access_token":""}`, status: 200, says: "held until it has"},
	{request: "PUT /api/v1/pages/1001", body: `{}`, header: "Outrider-Tenant: other", status: 409, says: "another tenant"},
	{request: "GET /api/v1/pages/1001", header: "Outrider-Tenant: other", status: 404},
	{request: "PUT /api/v1/pages/1002", body: `{}`, status: 201, says: `"has_token":false`},
	{request: "PUT /api/v1/pages/1002", body: `{"tag":"account update"}`, status: 422, at: "body.tag"},
	{request: "PUT /api/v1/pages/1002", body: `{"routes":["tag","utility"]}`, status: 201, says: `"routes":["tag","utility"]`},
	{request: "PUT /api/v1/pages/1002", body: `{"routes":["pigeon"]}`, status: 422, at: "body.routes[0]"},
	{request: "PUT /api/v1/pages/1002", body: `{"routes":["tag","tag"]}`, status: 422, at: "body.routes[1]", says: "once"},
	{request: "GET /api/v1/texts/de", status: 200, says: `"exit":"{vehicle} hat {fence} um {time} verlassen."`},
	{request: "GET /api/v1/texts/fr", status: 422, at: "path.language"},
	{request: "PUT /api/v1/texts/de", body: `{"texts":{"exit":"{vehicle} weg von {fence}!"}}`, status: 200, says: `"texts":{"exit":"{vehicle} weg von {fence}!"}`},
	{request: "PUT /api/v1/texts/de", body: `{"texts":{"exit":"{vehicle} {speed}"}}`, status: 422, at: "body.texts.exit", says: "unknown place"},
	{request: "PUT /api/v1/texts/de", body: `{"texts":{"bye":"x"}}`, status: 422, at: "body.texts.bye", says: "expected one of"},
	{request: "PUT /api/v1/pages/1002", body: `{"tag":"HUMAN_AGENT"}`, status: 422, at: "body.tag", says: "a person typed"},
	{request: "PUT /api/v1/pages/1002", body: `{"templates":{"arrive":"a"}}`, status: 422, at: "body.templates.arrive", says: "expected one of enter, exit, pass, dwell"},
	{request: "PUT /api/v1/pages/1002", body: `{"templates":{"enter":"My Template"}}`, status: 422, at: "body.templates.enter"},
	{request: "PUT /api/v1/pages/fleet", body: `{}`, status: 422, at: "path.page_id"},

	// The record.
	{request: "GET /api/v1/crossings", status: 200, says: `"fence_name":"Depot"`},
	{request: "GET /api/v1/crossings?vehicle=van/1&fence=depot", status: 200, says: `"c1"`},
	{request: "GET /api/v1/crossings?vehicle=none", status: 200, says: `"items":[]`},
	{request: "GET /api/v1/crossings?fence=none", status: 200, says: `"items":[]`},
	{request: "GET /api/v1/crossings?vehicle=%00", status: 422, at: "query.vehicle"},
	{request: "GET /api/v1/deliveries", status: 200, says: `"route":"window"`},
	{request: "GET /api/v1/deliveries?state=held", status: 200, says: `"items":[]`},
	{request: "GET /api/v1/deliveries?state=lost", status: 422, at: "query.state", says: "pending"},
	{request: "GET /api/v1/deliveries/d1", status: 200, says: `"state":"sent"`},
	{request: "GET /api/v1/deliveries/none", status: 404},
	{request: "GET /api/v1/dead-letters", status: 200, says: "91 is outside"},
	{request: "GET /api/v1/dead-letters?vehicle=none", status: 200, says: `"items":[]`},
}

func feature(geometry, properties string) string {
	return `{"type":"Feature","geometry":` + geometry + `,"properties":` + properties + `}`
}

func polygon(ring string) string {
	return feature(`{"type":"Polygon","coordinates":[`+ring+`]}`, `{}`)
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range statusCases {
		name := c.request
		if len(name) > 80 {
			name = name[:80]
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := seed(setup(t))
			method, path, _ := strings.Cut(c.request, " ")
			var headers []string
			if c.header != "" {
				headers = []string{c.header}
			}
			a := g.call(method, path, c.body, headers...)
			if a.StatusCode != c.status {
				t.Fatalf("%d, want %d\n%.500s", a.StatusCode, c.status, a.body)
			}
			if !strings.Contains(a.body, c.says) {
				t.Errorf("the answer does not say %q:\n%.500s", c.says, a.body)
			}
			if c.at != "" && a.member(t, "errors.0.location") != c.at {
				t.Errorf("first error at %v, want %s:\n%.500s", a.member(t, "errors.0.location"), c.at, a.body)
			}
			checkAnswer(t, method, a)
		})
	}
}

// checkAnswer judges what every answer has in common.
func checkAnswer(t *testing.T, method string, a answer) {
	t.Helper()
	for _, name := range []string{"X-Request-Id", "X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy"} {
		if a.Header.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}
	if a.StatusCode < 400 {
		return
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q of an error", got)
	}
	if a.member(t, "status") != float64(a.StatusCode) || a.member(t, "detail") == nil || a.member(t, "title") != http.StatusText(a.StatusCode) {
		t.Errorf("not a problem document: %s", a.body)
	}
	if a.StatusCode == http.StatusMethodNotAllowed && (a.Header.Get("Allow") == "" || strings.Contains(a.Header.Get("Allow"), method)) {
		t.Errorf("Allow: %q after %s", a.Header.Get("Allow"), method)
	}
	if a.StatusCode == http.StatusUnauthorized && a.Header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
}

// A store that fails is the gateway's fault: the caller learns nothing of it but where to look.
func TestStoreFailures(t *testing.T) {
	t.Parallel()
	for _, request := range []string{
		"GET /api/v1/geofences", "POST /api/v1/geofences", "GET /api/v1/geofences/depot", "PUT /api/v1/geofences/depot",
		"DELETE /api/v1/geofences/depot", "GET /api/v1/vehicles", "GET /api/v1/vehicles/van%2F1", "PUT /api/v1/vehicles/van%2F1",
		"PUT /api/v1/owners/anna", "PUT /api/v1/pages/1001", "GET /api/v1/crossings", "GET /api/v1/deliveries",
		"GET /api/v1/deliveries/d1", "GET /api/v1/dead-letters",
	} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			g := seed(setup(t))
			g.store.fail = errors.New("disk on fire at /var/lib/db")
			method, path, _ := strings.Cut(request, " ")
			body := ""
			if method == "PUT" || method == "POST" {
				body = "{}"
				if strings.Contains(path, "geofences") {
					body = depot
				}
			}
			a := g.must(500, method, path, body, "X-Request-Id: r-1")
			checkAnswer(t, method, a)
			if strings.Contains(a.body, "fire") || !strings.Contains(a.body, "r-1") {
				t.Errorf("the answer should name the request and not the cause: %s", a.body)
			}
			if log := g.log.String(); !strings.Contains(log, "disk on fire") || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "request=r-1") {
				t.Errorf("the log should name the request and the cause:\n%s", log)
			}
		})
	}
}

func TestAnswersInTime(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	want := g.now.Format(time.RFC3339)
	for path, member := range map[string]string{
		"/api/v1/vehicles/van%2F1": "last_fix.t", "/api/v1/owners/anna": "updated", "/api/v1/crossings": "items.0.at",
		"/api/v1/deliveries/d1": "sent_at", "/api/v1/dead-letters": "items.0.received",
	} {
		if got := g.must(200, "GET", path, "").member(t, member); got != want {
			t.Errorf("%s: %s is %v, want %s", path, member, got, want)
		}
	}
}
