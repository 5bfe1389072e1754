package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"outrider/internal/browsertest"
)

// A person signs in at the console with name and password, sees and may what their role may, and signs out for good.
func TestAPersonSignsInAtTheConsole(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, 1280, 800)
	r := newRig(t, nil)
	r.call(t, http.MethodPut, "vehicles/van", map[string]any{"name": "Van 12"}, http.StatusOK)
	r.call(t, http.MethodPost, "users", map[string]any{"id": "olga", "name": "Olga", "role": "operator", "password": "correct horse battery"}, http.StatusOK)
	p.Go(r.url("/"))
	p.Type(`.signin input:not([type="password"])`, "Olga")
	p.Type(`input[type="password"]`, "not the password")
	p.Click(`button[type="submit"]`)
	p.WaitText(".field.bad", "the name or the password is not right")
	p.Type(`input[type="password"]`, "correct horse battery")
	p.Click(`button[type="submit"]`)
	p.WaitText(".rail .who", "Olga")
	if seen := browsertest.Eval[string](p, `document.cookie`); seen != "" {
		t.Errorf("scripts can read the session: %s", seen)
	}
	p.Go(r.url("/#/vehicles"))
	p.WaitText("main", "Van 12")
	p.Shot("signed-in-person")
	if listed := browsertest.Eval[string](p, `document.querySelector('.rail ul').textContent`); strings.Contains(listed, "Access") {
		t.Errorf("an operator is offered what only an admin may do: %s", listed)
	}

	// Another tab has the cookie and no memory of the first one.
	browsertest.Eval[bool](p, `(sessionStorage.clear(), true)`)
	p.Go(r.url("/?another#/you"))
	p.WaitText("main", "Role operator")
	p.Type(`.password .field:nth-of-type(1) input`, "correct horse battery")
	p.Type(`.password .field:nth-of-type(2) input`, "staple battery horse")
	p.Type(`.password .field:nth-of-type(3) input`, "staple battery horse")
	p.Click(`.password button`)
	p.WaitText(".toast", "Your other sessions have ended")
	p.Shot("you")

	p.Click(`.rail .foot button:last-of-type`)
	p.WaitText(".signin", "Sign in")
	p.Wait(`fetch('/api/v1/self').then(a => { window.self401 = a.status }).catch(() => {}), window.self401 === 401`)
}

// An admin lets somebody in and makes a key for a program, each works until it is taken away, and what was done is in
// the list of changes.
func TestAnAdminGivesAccess(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 800)
	p.Go(r.url("/#/access"))
	p.Click(".new-person summary")
	p.Type(`.new-person .field:nth-of-type(1) input`, "Olga")
	p.Type(`.new-person .field:nth-of-type(2) input`, "Olga Petrova")
	p.Click(".new-person .with-button button")
	password := browsertest.Eval[string](p, `document.querySelector('.new-person .with-button input').value`)
	p.Click(".new-person button.primary")
	p.WaitText("section[aria-labelledby=people] table", "Olga Petrova")
	signIn := func(want int) {
		t.Helper()
		r.call(t, http.MethodPost, "session", map[string]any{"user": "olga", "password": password}, want)
	}
	signIn(http.StatusOK)

	p.Click(".new-key summary")
	p.Type(".new-key .field:nth-of-type(1) input", "dispatch desk")
	p.Click(".new-key button.primary")
	p.WaitText(".made code", "or_")
	secret := browsertest.Eval[string](p, `document.querySelector('.made code').textContent`)
	p.Shot("access")
	ask := func(want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url("/api/v1/self"), nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+secret)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("with the key: %s, want %d", res.Status, want)
		}
	}
	ask(http.StatusOK)
	p.Click("section[aria-labelledby=keys] table button.danger")
	p.WaitText("section[aria-labelledby=keys] table", "Really revoke")
	p.Click("section[aria-labelledby=keys] table button.danger")
	p.WaitText(".toast", "opens nothing any more")
	ask(http.StatusUnauthorized)

	p.Click("section[aria-labelledby=people] table button.link")
	p.WaitText("h1", "Olga Petrova")
	p.Click(`.check input`)
	p.Wait(`!document.querySelector('.toast')`) // of what was done before
	p.Click("form button.primary")
	p.WaitText(".toast", "Saved")
	signIn(http.StatusUnauthorized)

	p.Go(r.url("/#/changes"))
	p.WaitText("table", "create user")
	p.WaitText("table", "revoke key")
	p.Click("table button.link")
	p.WaitText(".detail", "Olga Petrova")
	if text := browsertest.Eval[string](p, `document.body.textContent`); strings.Contains(text, password) || strings.Contains(text, secret) {
		t.Error("a secret is in the list of changes")
	}
	p.Shot("changes")
}

// The bootstrap key goes from one tenant to another, and sees of each only what is its own.
func TestTenantsAreSwitched(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 800)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.url("/api/v1/vehicles/lorry"), strings.NewReader(`{"name":"Lorry 7"}`))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Outrider-Tenant", "globex")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	res.Body.Close()
	p.Go(r.url("/#/vehicles"))
	p.WaitText("main table", "Van 12")
	change := func(tenant string) {
		p.Type(`.tenant input`, tenant)
		p.Press(kb.Enter)
	}
	change("globex")
	p.WaitText("main table", "Lorry 7")
	if text := browsertest.Eval[string](p, `document.querySelector('main').textContent`); strings.Contains(text, "Van 12") {
		t.Errorf("globex sees another's vehicle: %s", text)
	}
	p.Shot("tenant")
	change("no/such")
	p.WaitText(".toast", "not acceptable")
	change("default")
	p.WaitText("main table", "Van 12")
}
