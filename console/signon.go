package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"outrider/identity"
	"outrider/internal/oidc"
	"outrider/internal/people"
	"outrider/store"
)

const (
	signOnPath     = "/auth/oidc/"
	signOnCallback = signOnPath + "callback"
	waysPath       = "/auth/ways"

	// attemptCookie keeps the half of a sign-on that the browser carries to the provider and back. It must survive the
	// provider's redirect, so it is Lax.
	attemptCookie = "outrider_signon"
	attemptAge    = 600 // seconds
)

// SignOn is a provider at which people sign in, instead of with a password here.
type SignOn struct {
	Provider *oidc.Provider
	Name     string // of the provider, for its button

	// Role is that of somebody whom no admin let in; they are let in at their first sign-on. Empty: nobody is.
	Role   identity.Role
	Tenant identity.TenantID // of those
}

// signOns is the way of a browser to the provider and back.
type signOns struct {
	SignOn
	o         Options
	sessions  sessions
	publicURL string
}

// registerSignOn opens the paths of single sign-on; without a provider only the list of ways in.
func registerSignOn(mux *http.ServeMux, o Options, s sessions, slow throttles) {
	mux.HandleFunc("GET "+waysPath, func(w http.ResponseWriter, r *http.Request) {
		ways := map[string]string{}
		if o.SignOn != nil {
			ways["oidc"] = o.SignOn.Name
		}
		text, err := json.Marshal(ways)
		if err != nil {
			writeProblem(w, unexpected(r.Context()))
			return
		}
		writeText(w, mediaJSON, text)
	})
	if o.SignOn == nil {
		return
	}
	on := &signOns{SignOn: *o.SignOn, o: o, sessions: s, publicURL: strings.TrimSuffix(o.PublicURL, "/")}
	mux.Handle("GET "+signOnPath+"{$}", slow.wrap(signOnPath, loginPace, http.HandlerFunc(on.begin)))
	mux.Handle("GET "+signOnCallback, slow.wrap(signOnPath, loginPace, http.HandlerFunc(on.end)))
}

// redirect is where the provider sends people back to.
func (s *signOns) redirect(r *http.Request) string {
	base := s.publicURL
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	return base + signOnCallback
}

func (s *signOns) begin(w http.ResponseWriter, r *http.Request) {
	address, kept, err := s.Provider.Begin(r.Context(), s.redirect(r))
	if err != nil {
		s.back(w, r, "unreachable", err)
		return
	}
	http.SetCookie(w, s.attempt(r, kept, attemptAge))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *signOns) attempt(r *http.Request, kept string, age int) *http.Cookie {
	return &http.Cookie{
		Name: attemptCookie, Value: kept, Path: signOnPath, MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.o.SecureCookies || r.TLS != nil,
	}
}

func (s *signOns) end(w http.ResponseWriter, r *http.Request) {
	kept := ""
	if c, err := r.Cookie(attemptCookie); err == nil {
		kept = c.Value
	}
	http.SetCookie(w, s.attempt(r, "", -1)) // once
	q := r.URL.Query()
	person, err := s.Provider.End(r.Context(), s.redirect(r), kept, q.Get("state"), q.Get("code"))
	switch {
	case errors.Is(err, oidc.ErrAttempt):
		s.back(w, r, "stale", err)
		return
	case errors.Is(err, oidc.ErrCancelled):
		s.back(w, r, "cancelled", err)
		return
	case errors.Is(err, oidc.ErrClaim):
		s.back(w, r, "unknown", err)
		return
	case err != nil:
		s.back(w, r, "unreachable", err)
		return
	}
	u, refusal, err := s.letIn(r.Context(), person)
	if err != nil || refusal != "" {
		s.back(w, r, refusal, err)
		return
	}
	signed, err := s.sessions.begin(r.Context(), u)
	if err != nil {
		s.back(w, r, "failed", err)
		return
	}
	w.Header().Add("Set-Cookie", signed.Cookie)
	s.back(w, r, "done", nil)
}

// letIn finds whom the provider named, or makes them if whoever it names is let in.
func (s *signOns) letIn(ctx context.Context, p oidc.Person) (u people.User, refusal string, err error) {
	id := userID(p.ID)
	if idFault(string(id)) != "" || strings.ContainsAny(string(id), " \t") {
		return u, "unknown", nil
	}
	u, err = s.o.Store.User(ctx, id)
	switch {
	case err == nil && u.Disabled:
		return u, "shut_out", nil
	case err == nil:
		return u, "", nil
	case !errors.Is(err, store.ErrNotFound):
		return u, "failed", err
	case s.Role == "":
		return u, "not_let_in", nil
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	name := p.Name
	if textFault(name) != "" {
		name = ""
	}
	u, err = s.o.Store.PutUser(ctx, people.User{ID: id, Tenant: s.Tenant, Name: name, Role: s.Role}, true, false)
	if errors.Is(err, store.ErrConflict) { // made at the same moment, in another tab
		u, err = s.o.Store.User(ctx, id)
	}
	if err != nil {
		return u, "failed", err
	}
	return u, "", nil
}

// back leads to the console, which says in words what became of it.
func (s *signOns) back(w http.ResponseWriter, r *http.Request, outcome string, err error) {
	if outcome == "" {
		outcome = "failed"
	}
	if outcome != "done" {
		s.o.Logger.WarnContext(r.Context(), "single sign-on refused", "request", requestOf(r.Context()).id,
			"address", requestOf(r.Context()).address, "outcome", outcome, "cause", err)
	}
	http.Redirect(w, r, "/?"+url.Values{"signon": {outcome}}.Encode(), http.StatusSeeOther)
}
