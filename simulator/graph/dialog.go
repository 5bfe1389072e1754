package graph

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// knownScopes are what the dialog accepts. Utility messages are spelled in the plural here, whatever Meta's documents
// say.
func knownScopes() []string {
	return append(scopes(), "email", scopeContact)
}

// scopeContact lets a page write to whoever logs in.
const scopeContact = "user_messenger_contact"

// dialog answers the login dialog: either with an address to go to, or with a page.
func (s *Sandbox) dialog(u *url.URL) (address string, status int, p sitePage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := u.Query()
	if fault := s.dialogFault(q); fault != "" {
		return "", http.StatusBadRequest, sitePage{Where: "Facebook's login", Title: "Sorry, something went wrong.", Texts: []string{fault}}
	}
	back, _ := url.Parse(q.Get("redirect_uri")) // checked
	switch {
	case q.Has("cancel"):
		return withQuery(back, url.Values{
			"error": {"access_denied"}, "error_code": {"200"}, "error_reason": {"user_denied"},
			"error_description": {"Permissions error"}, "state": {q.Get("state")},
		}), 0, p
	case s.users[q.Get("as")] != nil:
		return s.agreed(q, back), 0, p
	}
	return "", http.StatusOK, s.dialogPage(u, q)
}

// dialogFault says what the dialog would not accept, in its own words.
func (s *Sandbox) dialogFault(q url.Values) string {
	back, err := url.Parse(q.Get("redirect_uri"))
	allowed := s.options.RedirectURIs
	switch {
	case q.Get("client_id") != s.options.AppID:
		return "Invalid App ID: The provided app ID does not look like a valid app ID."
	case err != nil || back.Host == "" || len(allowed) > 0 && !slices.Contains(allowed, q.Get("redirect_uri")):
		return "URL blocked: This redirect failed because the redirect URI is not white-listed in the app's client OAuth settings."
	case q.Get("response_type") != "" && q.Get("response_type") != "code":
		return "This sandbox knows response_type code only."
	}
	var unknown []string
	for scope := range strings.SplitSeq(q.Get("scope"), ",") {
		if scope != "" && !slices.Contains(knownScopes(), scope) {
			unknown = append(unknown, scope)
		}
	}
	if len(unknown) > 0 {
		return "Invalid Scopes: " + strings.Join(unknown, ", ") + ". This message is only shown to developers."
	}
	return ""
}

// withQuery adds parameters to an address.
func withQuery(u *url.URL, more url.Values) string {
	c := *u
	q := c.Query()
	for name, values := range more {
		q[name] = values
	}
	c.RawQuery = q.Encode()
	return c.String()
}

// agreed lets a person agree: the code goes to the redirect address. Who lets the page write to them is told to the
// webhook, under the id by which the app knows them.
func (s *Sandbox) agreed(q url.Values, back *url.URL) string {
	asid := q.Get("as")
	asked := strings.Split(q.Get("scope"), ",")
	if q.Get("config_id") != "" {
		asked = scopes()
	}
	if q.Has("contact") && slices.Contains(asked, scopeContact) {
		s.consent(asid, q.Get("messenger_page_id"))
	}
	return withQuery(back, url.Values{"code": {s.code(asid, q.Get("redirect_uri"))}, "state": {q.Get("state")}})
}

// consent notes that a page may write to a person who has not written to it. Callers hold s.mu.
func (s *Sandbox) consent(asid, pageID string) {
	p, u := s.pages[pageID], s.users[asid]
	if p == nil || u == nil {
		return
	}
	now := s.now()
	u.consents[pageID] = now
	if p.subscribed && p.fields["messaging_optins"] {
		s.pump.push(event{
			page: pageID, thread: pageID + "/login/" + asid, field: "messaging_optins", at: now, faults: s.faults,
			messaging: object{"recipient": object{"id": pageID}, "timestamp": now.UnixMilli(), "optin": object{"login_id": asid}},
		})
	}
}

func (s *Sandbox) dialogPage(u *url.URL, q url.Values) sitePage {
	p := sitePage{Where: "Facebook's login", Title: "Log in with Facebook", Texts: []string{
		fmt.Sprintf("The app %s asks for: %s.", s.options.AppID, or(strings.ReplaceAll(q.Get("scope"), ",", ", "), "what its configuration says")),
	}}
	here := func(more url.Values) string { return withQuery(u, more) }
	for _, asid := range sortedKeys(s.users) {
		name := s.users[asid].name
		p.Links = append(p.Links, siteLink{"Continue as " + name, here(url.Values{"as": {asid}})})
		if strings.Contains(q.Get("scope"), scopeContact) {
			p.Links = append(p.Links, siteLink{"Continue as " + name + ", and let the page write to me", here(url.Values{"as": {asid}, "contact": {"1"}})})
		}
	}
	if len(s.users) == 0 {
		p.Texts = append(p.Texts, "Nobody has an account here.")
	}
	p.Links = append(p.Links, siteLink{"Cancel", here(url.Values{"cancel": {"1"}})})
	return p
}
