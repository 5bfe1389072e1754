package app_test

import (
	"net/http"
	"testing"

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
	p.Click(`.rail .foot button:last-of-type`)
	p.WaitText(".signin", "Sign in")
	p.Wait(`fetch('/api/v1/self').then(a => { window.self401 = a.status }).catch(() => {}), window.self401 === 401`)
}
