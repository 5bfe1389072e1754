package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/console"
	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	whole := console.Options{Store: newFakeStore(nil), Directory: identity.NewDirectory(), AdminKey: identity.NewToken("k")}
	if _, err := console.New(whole); err != nil {
		t.Fatalf("everything else has a default: %v", err)
	}
	for missing, change := range map[string]func(*console.Options){
		"store":     func(o *console.Options) { o.Store = nil },
		"directory": func(o *console.Options) { o.Directory = nil },
		"admin key": func(o *console.Options) { o.AdminKey = identity.Token{} },
	} {
		o := whole
		change(&o)
		if _, err := console.New(o); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

// Whatever goes wrong with a request that holds a secret, neither the answer nor the log repeats it.
func TestSecretsAreNeverRepeated(t *testing.T) {
	t.Parallel()
	const word = "EAAB-very-secret"
	bodies := map[string][]string{
		"/api/v1/pages/1001": {
			`{"access_token":"` + word + `"}`, `{"access_token":"` + word + `","nmae":"typo beside it"}`,
			`{"acces_token":"` + word + `"}`, `{"access_token":["` + word + `"]}`, `{"access_token":{"a":"` + word + `"}}`,
			`{"access_token":"` + word + `","tag":"bad tag"}`, `{"access_token":"` + word + `\u0000"}`, `{"access_token":"` + word,
			`{"access_token":"` + word + strings.Repeat("x", 2000) + `"}`, `{"access_token":"` + word + `","templates":{"enter":7}}`,
			`["` + word + `"]`, `"` + word + `"`, `{"ACCESS_TOKEN":{"x":"` + word + `"}}`,
		},
		"/api/v1/owners/anna": {
			`{"fallback":"smtp://u:` + word + `@h"}`, `{"fallback":"` + word + `"}`, `{"fallback":"%zz` + word + `"}`,
			`{"fallback":["` + word + `"]}`, `{"fallback":"smtp://` + word + `","time_zone":"Mars"}`, `{"falback":"` + word + `"}`,
		},
	}
	for path, all := range bodies {
		for _, body := range all {
			g := setup(t)
			a := g.call("PUT", path, body)
			seen := a.body + fmt.Sprint(a.Header) + g.log.String()
			for _, read := range []string{path, "/api/v1/pages", "/api/v1/owners", "/metrics"} {
				seen += g.call("GET", read, "").body
			}
			if strings.Contains(seen, word) {
				t.Errorf("%s <- %.120s repeats the secret:\n%.600s", path, body, seen)
			}
		}
	}
}

func TestTheKeyAndTheQueryStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.must(200, "GET", "/webhook/messenger?hub.verify_token=my-word&hub.challenge=1", "")
	g.must(401, "GET", "/api/v1/pages", "", "Authorization: Bearer guessed-key")
	log := g.log.String()
	if !strings.Contains(log, "/webhook/messenger") {
		t.Fatalf("nothing was logged: %s", log)
	}
	for _, secret := range []string{"my-word", adminKey, "guessed-key"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %s:\n%s", secret, log)
		}
	}
}

// A PUT that does not name a secret keeps the one that is stored, since nobody can read it to send it back.
func TestPutKeepsSecretsThatAreNotNamed(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	for _, step := range []struct{ body, want string }{
		{`{"name":"Renamed"}`, "PAGE-SECRET"}, {`{"access_token":null}`, "PAGE-SECRET"}, {`{"access_token":"NEW"}`, "NEW"}, {`{"access_token":""}`, ""},
	} {
		g.must(200, "PUT", "/api/v1/pages/1001", step.body)
		if p, _ := g.directory.Page("1001"); p.AccessToken.Reveal() != step.want {
			t.Errorf("after %s the token is %q, want %q", step.body, p.AccessToken.Reveal(), step.want)
		}
	}
	g.must(200, "PUT", "/api/v1/owners/anna", `{"name":"Anna B."}`)
	if o, _ := g.directory.Owner("default", "anna"); o.Fallback.Reveal() != "smtp://user:CHANNEL-SECRET@host" || o.Name != "Anna B." {
		t.Errorf("owner after a PUT without fallback: %q %q", o.Name, o.Fallback.Reveal())
	}
	if !slices.Equal(g.pages, []identity.PageID{"1001", "1001", "1001", "1001", "1001"}) {
		t.Errorf("PageChanged was told %v", g.pages)
	}
}

// What GET gives, PUT takes, and nothing changes by it.
func TestWhatWasReadCanBeSentBack(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	for _, path := range []string{"/api/v1/vehicles/van%2F1", "/api/v1/owners/anna", "/api/v1/pages/1001", "/api/v1/geofences/depot"} {
		before := g.must(200, "GET", path, "").body
		g.must(200, "PUT", path, before)
		if after := g.must(200, "GET", path, "").body; after != before {
			t.Errorf("%s changed:\n%s%s", path, before, after)
		}
	}
}

// A ring that was not closed is stored closed; the answer says so, may be sent back, and then has nothing to say.
func TestRepairsAreTold(t *testing.T) {
	t.Parallel()
	g := setup(t)
	first := g.must(201, "PUT", "/api/v1/geofences/a", polygon(`[[0,0],[4,0],[4,4],[0,4]]`))
	if warning, _ := first.member(t, "warnings.0").(string); !strings.Contains(warning, "not closed") {
		t.Fatalf("warnings: %s", first.body)
	}
	second := g.must(200, "PUT", "/api/v1/geofences/a", first.body)
	if strings.Contains(second.body, "not closed") {
		t.Errorf("after sending it back: %s", second.body)
	}
	kept := g.must(200, "GET", "/api/v1/geofences/a", "")
	if kept.member(t, "warnings") != nil || !strings.Contains(kept.body, "[0,4],[0,0]]") {
		t.Errorf("stored: %s", kept.body)
	}
}

// Where a created fence is said to be, it is, whatever its id.
func TestLocationLeadsToTheFence(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for _, id := range []string{`"a/b c"`, `"ü?#%2F"`, `"..."`, `null`} {
		at := g.must(201, "POST", "/api/v1/geofences", strings.Replace(depot, `"depot"`, id, 1)).Header.Get("Location")
		if got := g.must(200, "GET", at, "").member(t, "properties.name"); got != "Depot" {
			t.Errorf("id %s at %s: %v", id, at, got)
		}
		g.must(204, "DELETE", at, "")
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	g := setup(t)
	var fences, vehicles, owners, pages, crossings []string
	for i := range 7 {
		id := fmt.Sprintf("r%d", i)
		g.must(201, "PUT", "/api/v1/geofences/"+id, strings.Replace(depot, `"depot"`, `"`+id+`"`, 1))
		g.must(201, "PUT", "/api/v1/owners/"+id, `{}`)
		g.must(201, "PUT", fmt.Sprintf("/api/v1/pages/100%d", i), `{}`)
		if i%2 == 0 {
			g.must(201, "PUT", "/api/v1/vehicles/"+id, `{}`)
		}
		if i%3 != 1 {
			g.store.fixes = append(g.store.fixes, telemetry.NewFix("default", telemetry.VehicleID(id), g.now, [2]float64{}))
		}
		if i%2 == 0 || i%3 != 1 {
			vehicles = append(vehicles, id)
		}
		g.store.crossings = append(g.store.crossings, store.Crossing{Seq: uint64(i + 1), ID: id, Tenant: "default", Vehicle: "v"})
		fences, owners, pages = append(fences, id), append(owners, id), append(pages, fmt.Sprintf("100%d", i))
		crossings = append([]string{id}, crossings...)
	}
	for path, want := range map[string][]string{
		"/api/v1/geofences": fences, "/api/v1/vehicles": vehicles, "/api/v1/owners": owners, "/api/v1/pages": pages,
		"/api/v1/crossings": crossings,
	} {
		for limit := range 9 {
			first := fmt.Sprintf("%s?limit=%d", path, limit+1)
			if got := g.walk(first); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", first, got, want)
			}
		}
	}
	if next := g.must(200, "GET", "/api/v1/crossings?limit=2&vehicle=v", "").Header.Get("Link"); !strings.Contains(next, "vehicle=v") || !strings.HasSuffix(next, `>; rel="next"`) {
		t.Errorf("the next page forgets what was asked: %s", next)
	}
}

// walk follows the Link headers from a list's first page and returns the ids in order.
func (g *gateway) walk(path string) []string {
	g.t.Helper()
	var ids []string
	for range 50 {
		a := g.must(200, "GET", path, "")
		var body struct {
			Items, Features []struct{ ID string }
			Next            string
		}
		if err := json.Unmarshal([]byte(a.body), &body); err != nil {
			g.t.Fatal(err)
		}
		for _, r := range append(body.Items, body.Features...) {
			ids = append(ids, r.ID)
		}
		link := a.Header.Get("Link")
		if (link == "") != (body.Next == "") {
			g.t.Fatalf("Link %q beside next %q", link, body.Next)
		}
		if link == "" {
			return ids
		}
		path = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	}
	g.t.Fatalf("%s never ends", path)
	return nil
}

// Ids that begin alike stand between a vehicle and the place where the search for its last fix begins.
func TestLastFixAmongVehiclesThatBeginAlike(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for i := range 200 {
		g.store.fixes = append(g.store.fixes, telemetry.NewFix("default", telemetry.VehicleID(fmt.Sprintf("car%03d", i)), g.now, [2]float64{float64(i) / 10, 1}))
	}
	g.store.fixes = append(g.store.fixes, telemetry.NewFix("default", "carö", g.now, [2]float64{99, 1}))
	for id, lon := range map[string]float64{"car000": 0, "car130": 13, "car199": 19.9, "car%C3%B6": 99} {
		if got := g.must(200, "GET", "/api/v1/vehicles/"+id, "").member(t, "last_fix.lon"); got != lon {
			t.Errorf("%s: lon %v, want %v", id, got, lon)
		}
	}
	g.must(404, "GET", "/api/v1/vehicles/car", "")
	g.must(404, "GET", "/api/v1/vehicles/car1999", "")
}

// Nothing of one tenant is seen or changed from another.
func TestTenantsAreIsolated(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	const other = "Outrider-Tenant: other"
	for _, path := range []string{"geofences/depot", "vehicles/van%2F1", "vehicles/stray", "owners/anna", "pages/1001", "deliveries/d1"} {
		g.must(404, "GET", "/api/v1/"+path, "", other)
	}
	for _, path := range []string{"vehicles", "owners", "pages", "crossings", "deliveries", "dead-letters", "geofences"} {
		a := g.must(200, "GET", "/api/v1/"+path, "", other)
		if !strings.Contains(a.body, `[]`) {
			t.Errorf("%s of another tenant: %s", path, a.body)
		}
	}
	g.must(404, "DELETE", "/api/v1/geofences/depot", "", other)
	g.must(201, "PUT", "/api/v1/geofences/depot", strings.Replace(depot, "Depot", "Theirs", 1), other)
	theirs := g.must(201, "PUT", "/api/v1/owners/anna", `{"name":"Another Anna","contacts":[{"page":"1001","psid":"1"}]}`, other)
	if !strings.Contains(theirs.body, "not registered yet") {
		t.Errorf("a page of another tenant counts as registered: %s", theirs.body)
	}
	if a := g.must(200, "GET", "/api/v1/owners/anna", "", other); a.member(t, "has_fallback") != false {
		t.Errorf("a secret came over from another tenant: %s", a.body)
	}
	if name := g.must(200, "GET", "/api/v1/geofences/depot", "").member(t, "properties.name"); name != "Depot" {
		t.Errorf("the fence became %v", name)
	}
}

// The answer to a write comes after the change is in force.
func TestWritesAreInForceBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	fences, reloads := g.fences, g.reloads
	g.must(200, "PUT", "/api/v1/geofences/depot", depot)
	g.must(204, "DELETE", "/api/v1/geofences/depot", "")
	g.must(201, "POST", "/api/v1/geofences", depot)
	if g.fences != fences+3 {
		t.Errorf("FencesChanged was called %d times for 3 writes", g.fences-fences)
	}
	g.must(200, "PUT", "/api/v1/vehicles/van%2F1", `{}`)
	g.must(200, "PUT", "/api/v1/owners/anna", `{}`)
	g.must(200, "PUT", "/api/v1/pages/1001", `{}`)
	if g.reloads != reloads+3 {
		t.Errorf("Reload was called %d times for 3 writes", g.reloads-reloads)
	}
	g.must(409, "POST", "/api/v1/geofences", depot)
	g.must(422, "PUT", "/api/v1/owners/anna", `{"time_zone":"Mars"}`)
	if g.fences != fences+3 || g.reloads != reloads+3 {
		t.Error("a refused write was announced")
	}
	g.broken = errors.New("lane is stuck")
	g.must(500, "PUT", "/api/v1/geofences/depot", depot)
	g.must(500, "PUT", "/api/v1/owners/anna", `{}`)
}

// A client that goes away cannot leave a change stored but not in force.
func TestAWriteIsFinishedWhenTheClientHasGone(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for _, c := range []struct{ path, body string }{{"/api/v1/geofences/depot", depot}, {"/api/v1/owners/anna", `{}`}} {
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "PUT", c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+adminKey)
		cancel()
		g.do(r)
	}
	if g.fences != 1 || g.reloads != 1 {
		t.Errorf("%d fence changes and %d reloads were announced, want 1 and 1", g.fences, g.reloads)
	}
}

// Of reloads at the same time the older must not win: whatever was answered as done is in the directory.
func TestConcurrentWritesAllReachTheDirectory(t *testing.T) {
	t.Parallel()
	g := setup(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			id := identity.OwnerID(fmt.Sprintf("o%d", i))
			g.must(201, "PUT", "/api/v1/owners/"+string(id), `{}`)
			if _, ok := g.directory.Owner("default", id); !ok {
				t.Errorf("owner %s was answered as done and is not in the directory", id)
			}
			g.must(201, "PUT", fmt.Sprintf("/api/v1/geofences/f%d", i), strings.Replace(depot, `"id":"depot",`, "", 1))
			g.must(200, "GET", "/openapi.json", "")
		})
	}
	all.Wait()
	if n := len(slices.Collect(g.directory.OwnerList("default", ""))); n != 40 {
		t.Errorf("%d owners in the directory, want 40", n)
	}
}

// A change reads what it changed, and not everybody, whatever else there is.
func TestAChangeReadsOnlyItsRecord(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	before := g.store.whole
	g.must(200, "PUT", "/api/v1/vehicles/van%2F1", `{"name":"Renamed"}`)
	g.must(200, "PUT", "/api/v1/owners/anna", `{"name":"Renamed"}`)
	g.must(200, "PUT", "/api/v1/pages/1001", `{"name":"Renamed"}`)
	g.must(200, "PUT", "/api/v1/texts/en", `{"texts":{"enter":"{vehicle} is at {fence}, {time}."}}`)
	for _, path := range []string{"/api/v1/vehicles/van%2F1", "/api/v1/owners/anna", "/api/v1/pages/1001"} {
		if name := g.must(200, "GET", path, "").member(t, "name"); name != "Renamed" {
			t.Errorf("%s has the name %v", path, name)
		}
	}
	if text := g.must(200, "GET", "/api/v1/texts/en", "").member(t, "texts.enter"); text == nil {
		t.Error("the text is not in the directory")
	}
	if g.store.whole != before {
		t.Errorf("everybody was read %d times for 4 changes", g.store.whole-before)
	}
}

// Whoever puts a record at the same time as others takes none of their changes back: what a PUT does not name stays as it is
// when the PUT is stored, not as it was when it came.
func TestConcurrentPutsLoseNothing(t *testing.T) {
	t.Parallel()
	g := seed(setup(t))
	for round := range 30 {
		token := fmt.Sprintf("TOKEN-%d", round)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() { g.must(200, "PUT", "/api/v1/pages/1001", fmt.Sprintf(`{"name":"n%d"}`, i)) })
			all.Go(func() { g.must(200, "PUT", "/api/v1/owners/anna", fmt.Sprintf(`{"name":"n%d"}`, i)) })
		}
		all.Go(func() { g.must(200, "PUT", "/api/v1/pages/1001", `{"access_token":"`+token+`"}`) })
		all.Go(func() { g.must(200, "PUT", "/api/v1/owners/anna", `{"fallback":"smtp://`+token+`"}`) })
		all.Wait()
		p, _ := g.directory.Page("1001")
		o, _ := g.directory.Owner("default", "anna")
		if p.AccessToken.Reveal() != token || o.Fallback.Reveal() != "smtp://"+token {
			t.Fatalf("round %d: the page has %q, the owner %q", round, p.AccessToken.Reveal(), o.Fallback.Reveal())
		}
	}
}

// Of two edits of the same version one wins, and the other is told.
func TestOfTwoEditsOfOneVersionOneWins(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		g := seed(setup(t))
		codes := make([]int, 16)
		var all, checked sync.WaitGroup
		checked.Add(len(codes))
		g.store.beforeWrite = func() { // every request has found that its condition holds
			checked.Done()
			checked.Wait()
		}
		for i := range codes {
			all.Go(func() {
				body, media := depot, "Content-Type: application/merge-patch+json"
				if method == "PUT" {
					media = "Content-Type: application/json"
				}
				codes[i] = g.call(method, "/api/v1/geofences/depot", body, `If-Match: "1"`, media).StatusCode
			})
		}
		all.Wait()
		slices.Sort(codes)
		if codes[0]/100 != 2 || codes[1] != 412 || codes[15] != 412 {
			t.Errorf("%s: answers %v, want one that is done and the rest 412", method, codes)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.checks = map[string]error{"store": nil, "mqtt": errors.New("no route to broker.internal")}
	a := g.must(503, "GET", "/readyz", "", "Authorization:")
	if a.member(t, "checks.store") != "ok" || a.member(t, "checks.mqtt") != "failing" || !strings.Contains(a.body, "not ready: mqtt") {
		t.Errorf("to everyone: %s", a.body)
	}
	if strings.Contains(a.body, "broker.internal") {
		t.Errorf("the cause is told without a key: %s", a.body)
	}
	if a = g.must(503, "GET", "/readyz", ""); a.member(t, "checks.mqtt") != "no route to broker.internal" {
		t.Errorf("with a key: %s", a.body)
	}
	g.checks = map[string]error{"store": nil}
	if a = g.must(200, "GET", "/readyz", ""); a.member(t, "checks.store") != "ok" {
		t.Errorf("ready: %s", a.body)
	}
}

func TestAPanicIsAnAnswerAndACount(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) {
		o.Webhook = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("begun") {
				_, _ = w.Write([]byte("half"))
			}
			panic("a bug")
		})
	})
	a := g.must(500, "POST", "/webhook/messenger", "{}", "X-Request-Id: r-9")
	checkAnswer(t, "POST", a)
	if log := g.log.String(); !strings.Contains(log, "a bug") || !strings.Contains(log, "request=r-9") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("an answer that had begun was not cut")
			}
		}()
		g.call("POST", "/webhook/messenger?begun", "{}")
	}()
	g.count(`outrider_http_panics_total`, nil, 2)
	g.count(`outrider_http_requests_total`, prometheus.Labels{"route": "/webhook/messenger", "method": "POST", "code": "500"}, 1)
}

// count expects a counter's value.
func (g *gateway) count(name string, labels prometheus.Labels, want float64) {
	g.t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			match := f.GetName() == name
			for _, l := range m.GetLabel() {
				match = match && labels[l.GetName()] == l.GetValue()
			}
			if match {
				if got := m.GetCounter().GetValue(); got != want {
					g.t.Errorf("%s%v is %v, want %v", name, labels, got, want)
				}
				return
			}
		}
	}
	g.t.Errorf("there is no %s%v", name, labels)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	g := setup(t)
	zero := prometheus.Labels{"route": "/api/v1/geofences/{id}", "method": "PUT", "code": "412"}
	g.count("outrider_http_requests_total", zero, 0)
	for i := range 50 {
		g.call("GET", fmt.Sprintf("/api/v1/vehicles/v%d", i), "")
		g.call("GET", fmt.Sprintf("/scan/%d", i), "")
		g.call(fmt.Sprintf("VERB%d", i), "/healthz", "")
	}
	g.count("outrider_http_requests_total", prometheus.Labels{"route": "/api/v1/vehicles/{id}", "method": "GET", "code": "404"}, 50)
	g.count("outrider_http_requests_total", prometheus.Labels{"route": "unmatched", "method": "GET", "code": "404"}, 50)
	g.count("outrider_http_requests_total", prometheus.Labels{"route": "unmatched", "method": "other", "code": "405"}, 50)
	problems, err := testutil.GatherAndLint(g.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	g := setup(t)
	if got := g.call("GET", "/healthz", "", "X-Request-Id: proxy-1.a_B").Header.Get("X-Request-Id"); got != "proxy-1.a_B" {
		t.Errorf("a good id became %q", got)
	}
	seen := map[string]bool{}
	for _, bad := range []string{"", "a b", "a\tb", `"><script>`, strings.Repeat("x", 65), "ü"} {
		got := g.call("GET", "/healthz", "", "X-Request-Id: "+bad).Header.Get("X-Request-Id")
		if got == bad || len(got) < 16 || seen[got] {
			t.Errorf("%q became %q", bad, got)
		}
		seen[got] = true
	}
}

func TestHeadAnswersLikeGet(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(seed(setup(t)).handler)
	t.Cleanup(server.Close)
	for _, path := range []string{"/", "/healthz", "/openapi.json", "/api/v1/geofences/depot", "/api/v1/vehicles"} {
		r, err := http.NewRequestWithContext(t.Context(), "HEAD", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+adminKey)
		a, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != 200 || a.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s: %d %v", path, a.StatusCode, a.Header)
		}
	}
}
