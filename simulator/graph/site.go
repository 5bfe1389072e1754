package graph

import (
	_ "embed" // the pages are part of the binary
	html "html/template"
	"net/http"
)

var (
	//go:embed site.html
	siteHTML string
	//go:embed site.css
	siteCSS []byte
)

// sitePage is one page that a person clicks through.
type sitePage struct {
	Where string // what of Meta's it plays
	Title string
	Texts []string
	Links []siteLink
}

type siteLink struct{ Label, URL string }

// site is what a browser sees: the login dialog, m.me links, and the settings where people remove an app. Every link
// on it is a GET, and does what it says: this is a toy for people and tests on one machine.
//
//	/{version}/dialog/oauth   the login dialog
//	/m.me/{page}?ref=         the link into a conversation
//	/settings/apps            where people remove the app, and ask for their data to be deleted
func (s *Sandbox) site() *http.ServeMux {
	pages := html.Must(html.New("site").Parse(siteHTML))
	show := func(w http.ResponseWriter, status int, p sitePage) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'")
		w.WriteHeader(status)
		_ = pages.Execute(w, p) // fails only when the browser has gone
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(siteCSS)
	})
	mux.HandleFunc("GET /"+s.options.Version+"/dialog/oauth", func(w http.ResponseWriter, r *http.Request) {
		if address, status, p := s.dialog(r.URL); address != "" {
			http.Redirect(w, r, address, http.StatusFound)
		} else {
			show(w, status, p)
		}
	})
	mux.HandleFunc("GET /m.me/{page}", func(w http.ResponseWriter, r *http.Request) {
		status, p := s.messengerLink(r.URL, r.PathValue("page"))
		show(w, status, p)
	})
	mux.HandleFunc("GET /settings/apps", func(w http.ResponseWriter, r *http.Request) {
		status, p := s.appSettings(r)
		show(w, status, p)
	})
	return mux
}
