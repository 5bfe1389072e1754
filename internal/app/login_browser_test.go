package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"outrider/internal/browsertest"
)

// A person walks the whole way in a real browser, by keyboard alone: no script, nothing from elsewhere, nothing that the
// page's policy forbids (the browser would complain), and nothing that axe-core finds fault with.
func TestLoginInABrowser(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, 412, 860)
	r := newRig(t, nil)
	r.sandbox.AddUser("4200", "Ann")
	r.call(t, http.MethodPut, "owners/ann", map[string]any{"name": "Ann", "locale": "de_DE"}, http.StatusOK)
	p.Go(r.offer(t, `{}`)["login_url"].(string))
	p.Arrive("h1", "Meldungen von Fleet in Messenger")
	p.Shot("login-start")
	accessible(t, p)
	p.Press(kb.Tab)
	p.Wait(`document.activeElement.textContent === 'Messenger öffnen'`)
	p.Press(kb.Tab)
	p.Wait(`document.activeElement.textContent === 'Weiter mit Facebook'`)
	p.Press(kb.Enter)
	p.Arrive("h1", "Log in with Facebook")
	p.Click("li a") // Ann
	p.Arrive("h1", "Noch ein Schritt")
	p.Shot("login-link")
	accessible(t, p)
	p.Press(kb.Tab)
	p.Press(kb.Enter)
	p.Arrive("h1", "Open a conversation with Fleet")
	p.Click("li:last-child a") // somebody new
	p.Arrive("h1", "The conversation is open")
	eventually(t, "linked", func() bool { return r.reached(t) != "" })

	p.Go(r.url("/auth/facebook/start?t=v1.forged"))
	p.Arrive("h1", "That did not work")
	p.Shot("login-failed")
	accessible(t, p)
	if n := browsertest.Eval[int](p, `document.scripts.length`); n != 0 {
		t.Errorf("the page has %d scripts", n)
	}
	if wide := browsertest.Eval[bool](p, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the page is wider than a phone")
	}
}

// accessible lets axe-core look at the page, where it is installed. The console's tests bring it.
func accessible(t *testing.T, p *browsertest.Page) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "console", "ui", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return
	}
	browsertest.Eval[bool](p, string(source)+"; true")
	browsertest.Eval[bool](p, `(window.axeResult = undefined, axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => { window.axeResult = r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | ')) }), true)`)
	p.Wait(`window.axeResult !== undefined`)
	for _, v := range browsertest.Eval[[]string](p, `window.axeResult`) {
		t.Errorf("accessibility: %s", v)
	}
}
