package console_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"outrider/console"
	"outrider/geofence"
	"outrider/identity"
	"outrider/notify"
	"outrider/store"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
	"outrider/telemetry"
)

// openSealer seals nothing: the API's answers are judged, not the file.
type openSealer struct{}

func (openSealer) Seal(plain, _ string) (string, error)  { return plain, nil }
func (openSealer) Open(sealed, _ string) (string, error) { return sealed, nil }

// The API over the store that the gateway really uses.
func TestWithTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	var kept *sqlstore.Store
	g := setup(t, func(o *console.Options) {
		var err error
		kept, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "outrider.db"), Sealer: openSealer{}, Now: o.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = kept.Close() })
		o.Store, o.Reload = kept, identity.NewFollower(o.Directory, kept).Follow
	})

	g.must(201, "PUT", "/api/v1/pages/1001", `{"access_token":"t","templates":{"enter":"arrived"}}`)
	g.must(201, "PUT", "/api/v1/owners/anna", `{"time_zone":"Europe/Berlin","contacts":[{"page":"1001","psid":"7001"}],"fallback":"smtp://host"}`)
	g.must(201, "PUT", "/api/v1/vehicles/user%2Fphone", `{"name":"Phone","owners":["anna","ben"],"tags":["a","b"],"device":"d"}`)
	g.must(200, "PUT", "/api/v1/owners/anna", `{"time_zone":"Europe/Berlin"}`)
	for path, says := range map[string]string{
		"/api/v1/pages/1001": `"templates":{"enter":"arrived"}`, "/api/v1/owners/anna": `"has_fallback":true`,
		"/api/v1/vehicles/user%2Fphone": `"owners":["anna","ben"],"tags":["a","b"],"device":"d"`,
	} {
		if a := g.must(200, "GET", path, ""); !strings.Contains(a.body, says) {
			t.Errorf("%s: %s does not say %s", path, a.body, says)
		}
	}
	g.must(409, "PUT", "/api/v1/pages/1001", `{}`, "Outrider-Tenant: other")

	tag := g.must(201, "POST", "/api/v1/geofences", depot).Header.Get("ETag")
	g.must(409, "POST", "/api/v1/geofences", depot)
	g.must(200, "PUT", "/api/v1/geofences/depot", depot, "If-Match: "+tag)
	g.must(412, "PUT", "/api/v1/geofences/depot", depot, "If-Match: "+tag)
	g.must(204, "DELETE", "/api/v1/geofences/depot", "")
	g.must(404, "GET", "/api/v1/geofences/depot", "")
	g.must(404, "DELETE", "/api/v1/geofences/depot", "")
	g.must(201, "POST", "/api/v1/geofences", depot)
	g.must(201, "PUT", "/api/v1/geofences/gate", strings.Replace(depot, `"depot"`, `"gate"`, 1), "If-None-Match: *")
	if got := g.walk("/api/v1/geofences?limit=1"); !slices.Equal(got, []string{"depot", "gate"}) {
		t.Errorf("geofences %v", got)
	}

	drive(t, kept, g)
	for path, want := range map[string][]string{
		"/api/v1/vehicles?limit=1": {"stray", "user/phone"}, "/api/v1/crossings?limit=1": {"c3", "c2", "c1"},
		"/api/v1/deliveries?limit=2&state=pending": {"d3", "d2", "d1"}, "/api/v1/crossings?fence=gate": {"c2"},
	} {
		if got := g.walk(path); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	g.must(200, "GET", "/api/v1/deliveries/d2", "")
	g.must(404, "GET", "/api/v1/deliveries/d2", "", "Outrider-Tenant: other")
	if got := g.must(200, "GET", "/api/v1/dead-letters", "").member(t, "items.0.payload_base64"); got != "/w==" {
		t.Errorf("payload %v", got)
	}
}

// drive commits what a lane would.
func drive(t *testing.T, s *sqlstore.Store, g *gateway) {
	t.Helper()
	lane, err := s.OwnLane(t.Context(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	c := store.Commit{Epoch: lane.Epoch, Next: 1, Clock: g.now}
	for i, fence := range []geofence.FenceID{"depot", "gate", "depot"} {
		id := string(rune('1' + i))
		c.Crossings = append(c.Crossings, store.Crossing{
			ID: "c" + id, Tenant: "default", Vehicle: "user/phone", Fence: fence, Kind: "enter", At: g.now, Point: orb.Point{11, 48}, Confidence: 3,
		})
		c.Deliveries = append(c.Deliveries, notify.Delivery{
			Alert: notify.Alert{ID: "d" + id, Event: "c" + id, Tenant: "default", Owner: "anna", Vehicle: "user/phone", At: g.now},
			Page:  "1001", PSID: "7001", State: notify.Pending, NextAt: g.now, Created: g.now,
		})
	}
	c.LastFixes = []telemetry.Fix{
		telemetry.NewFix("default", "user/phone", g.now, orb.Point{11, 48}), telemetry.NewFix("default", "stray", g.now, orb.Point{11, 48}),
	}
	for i := range c.LastFixes {
		c.LastFixes[i].Received = g.now
	}
	c.DeadLetters = []store.DeadLetter{{Tenant: "default", Topic: "x", Reason: telemetry.ReasonMalformed, Payload: []byte{0xff}, Size: 1, Received: g.now}}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}
