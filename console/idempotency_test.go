package console_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

const idem = "Idempotency-Key: "

func TestARepeatedPostIsMadeOnce(t *testing.T) {
	t.Parallel()
	g := setup(t)
	wish := `{"name":"CI","role":"viewer"}`
	first := g.must(201, "POST", "/api/v1/keys", wish, idem+"a-1")
	again := g.must(201, "POST", "/api/v1/keys", wish, idem+`"a-1"`)
	if again.body != first.body || again.Header.Get("Idempotency-Replayed") != "true" || first.Header.Get("Idempotency-Replayed") != "" ||
		again.Header.Get("Content-Type") != first.Header.Get("Content-Type") {
		t.Errorf("first %v %s\nagain %v %s", first.Header, first.body, again.Header, again.body)
	}
	if len(g.store.keys) != 1 {
		t.Errorf("%d keys were made", len(g.store.keys))
	}
	fence := strings.Replace(depot, `"id":"depot",`, "", 1)
	made := g.must(201, "POST", "/api/v1/geofences", fence, idem+"a-2")
	if same := g.must(201, "POST", "/api/v1/geofences", fence, idem+"a-2"); same.Header.Get("Location") != made.Header.Get("Location") ||
		same.Header.Get("ETag") != made.Header.Get("ETag") || made.Header.Get("Location") == "" {
		t.Errorf("repeated: %v", same.Header)
	}
	// A refusal is an answer, too; it comes again even where the request would succeed now.
	g.must(404, "POST", "/api/v1/owners/anna/links", `{}`, idem+"a-3")
	g.must(201, "PUT", "/api/v1/owners/anna", `{}`)
	g.must(404, "POST", "/api/v1/owners/anna/links", `{}`, idem+"a-3")

	for header, status := range map[string]int{"a-1": 422, "": 201, "ä": 400, `a"b`: 400, "a b": 400, strings.Repeat("x", 256): 400, `""`: 400, strings.Repeat("x", 255): 201} {
		g.must(status, "POST", "/api/v1/keys", `{"name":"other","role":"viewer"}`, idem+header)
	}
	if a := g.must(422, "POST", "/api/v1/rules", `{"events":["enter"]}`, idem+"a-1"); !strings.Contains(a.body, "another request") {
		t.Errorf("on another path: %s", a.body)
	}
	g.pass(24*time.Hour + time.Second)
	if later := g.must(201, "POST", "/api/v1/keys", wish, idem+"a-1"); later.body == first.body {
		t.Error("the answer came again after a day")
	}
}

// A key is a caller's own: another one's request is another request.
func TestIdempotencyKeysBelongToTheirCaller(t *testing.T) {
	t.Parallel()
	g := setup(t)
	wish := `{"name":"CI","role":"viewer"}`
	first := g.must(201, "POST", "/api/v1/keys", wish, idem+"a")
	for _, header := range []string{"Outrider-Tenant: other", g.key("default", "admin")} {
		if a := g.must(201, "POST", "/api/v1/keys", wish, idem+"a", header); a.body == first.body || a.Header.Get("Idempotency-Replayed") != "" {
			t.Errorf("with %s came the answer of somebody else: %s", header, a.body)
		}
	}
	g.must(401, "POST", "/api/v1/keys", wish, idem+"a", "Authorization: Bearer wrong")
}

// Of requests that come at once one is made; the others hear that it is under way, or what came of it.
func TestIdempotencyOfRequestsAtOnce(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.store.beforeWrite = func() { // the first request is in the middle of its work
		g.store.beforeWrite = nil
		if a := g.call("POST", "/api/v1/geofences", depot, idem+"a"); a.StatusCode != 409 || a.Header.Get("Retry-After") == "" {
			t.Errorf("meanwhile: %d %s", a.StatusCode, a.body)
		}
	}
	g.must(201, "POST", "/api/v1/geofences", depot, idem+"a")

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if a := g.call("POST", "/api/v1/keys", `{"role":"viewer"}`, idem+"b"); a.StatusCode != 201 && a.StatusCode != 409 {
				t.Errorf("at once: %d %s", a.StatusCode, a.body)
			}
		})
	}
	all.Wait()
	if len(g.store.keys) != 1 {
		t.Errorf("%d keys were made", len(g.store.keys))
	}
}

// After a failure of the gateway the same request may be tried again.
func TestIdempotencyAfterAFailure(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.broken = errors.New("lane is stuck")
	g.must(500, "POST", "/api/v1/geofences", strings.Replace(depot, `"id":"depot",`, "", 1), idem+"a")
	g.broken = nil
	if a := g.must(201, "POST", "/api/v1/geofences", strings.Replace(depot, `"id":"depot",`, "", 1), idem+"a"); a.Header.Get("Idempotency-Replayed") != "" {
		t.Error("a failure was repeated")
	}
}
