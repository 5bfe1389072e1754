package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/console"
	"outrider/internal/people"
)

const annsPassword = "correct horse battery"

// staffed is a gateway where ann, an operator of acme, may sign in.
func staffed(t *testing.T) *gateway {
	t.Helper()
	g := setup(t)
	g.must(201, "POST", "/api/v1/users", `{"id":"Ann@Example.org","name":"Ann","role":"operator","password":"`+annsPassword+`"}`, "Outrider-Tenant: acme")
	return g
}

const noKey = "Authorization:"

// try tries to sign in.
func (g *gateway) try(user, password string) answer {
	return g.call("POST", "/api/v1/session", `{"user":"`+user+`","password":"`+password+`"}`, noKey)
}

// signIn signs in and returns the header with the session.
func (g *gateway) signIn(user, password string) string {
	g.t.Helper()
	a := g.try(user, password)
	if a.StatusCode != 200 || len(a.Cookies()) != 1 {
		g.t.Fatalf("sign in: %d %s", a.StatusCode, a.body)
	}
	return "Cookie: " + a.Cookies()[0].Name + "=" + a.Cookies()[0].Value
}

// with is a request of somebody with a session.
func (g *gateway) with(session, method, path, body string, headers ...string) int {
	return g.call(method, path, body, append([]string{noKey, session}, headers...)...).StatusCode
}

func TestPeopleSignIn(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	a := g.try(" ann@example.ORG ", annsPassword)
	if a.StatusCode != 200 || a.member(t, "person") != "ann@example.org" || a.member(t, "role") != "operator" || a.member(t, "tenant") != "acme" {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	c := a.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
		t.Errorf("cookie: %+v", c)
	}
	session := "Cookie: " + c.Name + "=" + c.Value
	if me := g.must(200, "GET", "/api/v1/self", "", noKey, session); me.member(t, "name") != "Ann" || me.member(t, "key") != nil {
		t.Errorf("self: %s", me.body)
	}
	for _, s := range g.store.sessions {
		if s.Hash == c.Value || s.Hash != people.HashToken(c.Value) {
			t.Errorf("the session is kept as %q", s.Hash)
		}
	}
	for request, want := range map[string]int{"PUT /api/v1/vehicles/van": 201, "POST /api/v1/keys": 403, "GET /api/v1/users": 403, "GET /api/v1/vehicles": 200} {
		method, path, _ := strings.Cut(request, " ")
		body := ""
		if method != "GET" {
			body = `{}`
		}
		if got := g.with(session, method, path, body); got != want {
			t.Errorf("%s: %d, want %d", request, got, want)
		}
	}
	if got := g.with(session, "GET", "/api/v1/vehicles", "", "Outrider-Tenant: default"); got != 403 {
		t.Errorf("in another tenant: %d", got)
	}
	if e := g.store.entries[len(g.store.entries)-1]; e.Actor != "ann@example.org" || e.Name != "Ann" || e.Operation != "put-vehicle" {
		t.Errorf("the audit log says %+v", e)
	}
	if got := g.with("Cookie: outrider_session=guessed", "GET", "/api/v1/self", ""); got != 401 {
		t.Errorf("with a guessed session: %d", got)
	}
	if text := g.log.String(); strings.Contains(text, annsPassword) || strings.Contains(text, c.Value) {
		t.Error("a secret is in the log")
	}
}

// Behind TLS the cookie travels over TLS only.
func TestCookiesAreSecureBehindTLS(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) { o.SecureCookies = true })
	g.must(201, "POST", "/api/v1/users", `{"id":"ann","role":"viewer","password":"`+annsPassword+`"}`)
	if a := g.try("ann", annsPassword); !a.Cookies()[0].Secure {
		t.Errorf("%+v", a.Cookies()[0])
	}
}

// Whether the name or the password is wrong, or the person may no more: the answer is the same.
func TestNobodyLearnsWhoExists(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	g.must(201, "POST", "/api/v1/users", `{"id":"gone","role":"viewer","password":"`+annsPassword+`"}`)
	g.must(200, "PATCH", "/api/v1/users/gone", `{"disabled":true}`)
	first := g.try("nobody", annsPassword)
	for _, c := range [][2]string{{"ann@example.org", "wrong"}, {"gone", annsPassword}, {"ann@example.org", ""}} {
		if a := g.try(c[0], c[1]); a.StatusCode != 401 || a.body != first.body || len(a.Cookies()) != 0 {
			t.Errorf("%v: %d %s, for nobody %s", c, a.StatusCode, a.body, first.body)
		}
	}
}

// Guessing ends soon, for a name and for an address, and says for how long.
func TestGuessingIsThrottled(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	for range 10 {
		if a := g.try("ann@example.org", "wrong"); a.StatusCode != 401 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	a := g.try("ann@example.org", annsPassword)
	if a.StatusCode != 429 || a.Header.Get("Retry-After") != "10" {
		t.Errorf("the eleventh: %d %v", a.StatusCode, a.Header)
	}
	if a := g.try("somebody", "wrong"); a.StatusCode != 401 {
		t.Errorf("another name: %d", a.StatusCode)
	}
	g.pass(10 * time.Second)
	g.signIn("ann@example.org", annsPassword)
	g.signIn("ann@example.org", annsPassword) // a right password makes the name free again
	for i := range 100 {
		if a = g.try("name"+strings.Repeat("x", i), "wrong"); a.StatusCode == 429 {
			break
		}
	}
	if a.StatusCode != 429 {
		t.Error("an address may guess names without end")
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	self := func(session string) int { return g.with(session, "GET", "/api/v1/self", "") }
	expect := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	one, two := g.signIn("ann@example.org", annsPassword), g.signIn("ann@example.org", annsPassword)
	expect("sign out", g.with(one, "DELETE", "/api/v1/session", ""), 204)
	expect("signed out", self(one), 401)
	expect("another session", self(two), 200)
	three := g.signIn("ann@example.org", annsPassword)
	expect("sign out everywhere", g.with(three, "DELETE", "/api/v1/sessions", ""), 204)
	expect("everywhere", self(two)+self(three), 802)

	idle := g.signIn("ann@example.org", annsPassword)
	g.pass(people.SessionIdle - time.Minute)
	expect("in use", self(idle), 200)
	g.pass(people.SessionIdle - time.Minute)
	expect("still in use", self(idle), 200)
	g.pass(people.SessionIdle)
	expect("unused", self(idle), 401)

	for change, body := range map[string]string{"PATCH": `{"disabled":true}`, "DELETE": ""} {
		g.must(200, "PATCH", "/api/v1/users/ann@example.org", `{"disabled":false}`, "Outrider-Tenant: acme")
		session := g.signIn("ann@example.org", annsPassword)
		g.must(map[string]int{"PATCH": 200, "DELETE": 204}[change], change, "/api/v1/users/ann@example.org", body, "Outrider-Tenant: acme")
		expect("after "+change, self(session), 401)
		if change == "DELETE" {
			g.must(201, "POST", "/api/v1/users", `{"id":"ann@example.org","role":"viewer","password":"`+annsPassword+`"}`, "Outrider-Tenant: acme")
		}
	}
}

// A changed password ends all other sessions, and the old one opens nothing.
func TestChangingOnesPassword(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	mine, other := g.signIn("ann@example.org", annsPassword), g.signIn("ann@example.org", annsPassword)
	body := func(current, next string) string { return `{"current":"` + current + `","new":"` + next + `"}` }
	for _, bad := range []string{body("wrong", "a new long password"), body(annsPassword, "short"), body(annsPassword, "ANN@example.org")} {
		if got := g.with(mine, "POST", "/api/v1/session/password", bad); got != 422 {
			t.Errorf("%s: %d", bad, got)
		}
	}
	a := g.must(200, "POST", "/api/v1/session/password", body(annsPassword, "a new long password"), noKey, mine)
	fresh := "Cookie: " + a.Cookies()[0].Name + "=" + a.Cookies()[0].Value
	if g.with(other, "GET", "/api/v1/self", "") != 401 || g.with(fresh, "GET", "/api/v1/self", "") != 200 {
		t.Error("the other session goes on, or the own one does not")
	}
	if e := g.store.entries[len(g.store.entries)-1]; e.Operation != "change-password" || e.Status != 200 || strings.Contains(string(e.After), "password") {
		t.Errorf("the audit log says %+v", e)
	}
	if g.try("ann@example.org", annsPassword).StatusCode != 401 {
		t.Error("the old password opens")
	}
	g.signIn("ann@example.org", "a new long password")
	g.must(409, "POST", "/api/v1/session/password", body("x", "a new long password"))
}

// A page of another site can do nothing with the browser's session, nor sign its user in.
func TestOtherSitesCanDoNothing(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	session := g.signIn("ann@example.org", annsPassword)
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example"} {
		if got := g.with(session, "PUT", "/api/v1/vehicles/van", `{}`, header); got != 403 {
			t.Errorf("change with %s: %d", header, got)
		}
		if a := g.call("POST", "/api/v1/session", `{"user":"ann@example.org","password":"`+annsPassword+`"}`, noKey, header); a.StatusCode != 403 {
			t.Errorf("sign-in with %s: %d", header, a.StatusCode)
		}
		if a := g.call("PUT", "/api/v1/vehicles/van", `{}`, header); a.StatusCode >= 300 {
			t.Errorf("a key is no browser's, with %s: %d", header, a.StatusCode)
		}
	}
	if got := g.with(session, "PUT", "/api/v1/vehicles/van", `{}`, "Sec-Fetch-Site: same-origin"); got >= 300 {
		t.Errorf("from the console itself: %d", got)
	}
}

func TestAdminsLookAfterPeople(t *testing.T) {
	t.Parallel()
	g := staffed(t)
	acme := "Outrider-Tenant: acme"
	g.must(409, "POST", "/api/v1/users", `{"id":"ANN@example.org","role":"viewer","password":"`+annsPassword+`"}`)
	for _, bad := range []string{
		`{"id":"x","role":"viewer","password":"short"}`, `{"id":"x y","role":"viewer","password":"` + annsPassword + `"}`,
		`{"id":"x","role":"king","password":"` + annsPassword + `"}`, `{"id":"x","role":"viewer"}`,
	} {
		if a := g.must(422, "POST", "/api/v1/users", bad); strings.Contains(a.body, "short\"") || strings.Contains(a.body, annsPassword) {
			t.Errorf("the password is repeated: %s", a.body)
		}
	}
	list := g.must(200, "GET", "/api/v1/users", "", acme).body
	if !strings.Contains(list, `"has_password":true`) || strings.Contains(list, "argon2id") {
		t.Errorf("list: %s", list)
	}
	g.must(404, "GET", "/api/v1/users/ann@example.org", "") // of another tenant
	g.must(404, "PATCH", "/api/v1/users/ann@example.org", `{"role":"admin"}`)
	g.must(404, "DELETE", "/api/v1/users/ann@example.org", "")
	g.must(200, "PATCH", "/api/v1/users/ann@example.org", `{"role":"admin"}`, acme)
	session := g.signIn("ann@example.org", annsPassword)
	for method, body := range map[string]string{"PATCH": `{"role":"viewer"}`, "DELETE": ""} {
		if got := g.with(session, method, "/api/v1/users/ann@example.org", body); got != 409 {
			t.Errorf("%s of oneself: %d", method, got)
		}
	}
	if got := g.with(session, "PATCH", "/api/v1/users/ann@example.org", `{"name":"Anna"}`); got != 200 {
		t.Errorf("one's own name: %d", got)
	}
}
