package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// user is a Facebook account that can log in.
type user struct {
	asid, name string
	pages      []string          // administered
	psids      map[string]string // page → PSID, where id matching knows one
}

// Lives of user tokens.
const (
	shortLife = time.Hour
	longLife  = 5183944 * time.Second
)

// AddUser adds a Facebook account, by its app-scoped id, that administers the pages.
func (s *Sandbox) AddUser(asid, name string, pages ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[asid] = &user{asid: asid, name: name, pages: pages, psids: map[string]string{}}
}

// Link makes ids_for_pages know that a user is a person of a page. Without it the answer is empty, as it
// mostly is.
func (s *Sandbox) Link(asid, page, psid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[asid]
	if !ok {
		return fmt.Errorf("link user %q: %w", asid, ErrUnknown)
	}
	u.psids[page] = psid
	return nil
}

// Login returns a one-time code, as the login dialog hands to the redirect address.
func (s *Sandbox) Login(asid string) (code string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.users[asid]; !ok {
		return "", fmt.Errorf("log in user %q: %w", asid, ErrUnknown)
	}
	code = s.id("AQ")
	s.codes[code] = asid
	return code, nil
}

// exchange is GET /oauth/access_token: code → short token → long token, or the app's own token.
func (s *Sandbox) exchange(c *call) (any, *Error) {
	p := c.params
	if p.text("client_id") != s.options.AppID {
		return nil, refuse(101, 0, "Error validating application. Cannot get application info due to a system error.")
	}
	if p.text("client_secret") != s.options.AppSecret {
		return nil, refuse(1, 0, "Error validating client secret.")
	}
	switch p.text("grant_type") {
	case "client_credentials":
		return map[string]string{"access_token": s.options.AppID + "|" + s.options.AppSecret, "token_type": "bearer"}, nil
	case "fb_exchange_token":
		return s.lengthen(p.text("fb_exchange_token"))
	}
	return s.redeem(p.text("code"))
}

// redeem turns a login code into a short user token, once.
func (s *Sandbox) redeem(code string) (any, *Error) {
	asid, ok := s.codes[code]
	if !ok {
		return nil, refuse(100, 36009, "This authorization code has been used or is invalid.")
	}
	delete(s.codes, code)
	return s.issue(asid, shortLife), nil
}

// lengthen turns a living user token into a long one.
func (s *Sandbox) lengthen(value string) (any, *Error) {
	t, ok := s.tokens[value]
	if !ok || t.kind != userToken {
		return nil, tokenInvalid(0)
	}
	if e := t.refusal(s.now()); e != nil {
		return nil, e
	}
	return s.issue(t.user, longLife), nil
}

func (s *Sandbox) issue(asid string, life time.Duration) any {
	now := s.now()
	t := &token{value: s.id("EAAuser"), kind: userToken, user: asid, issued: now, expires: now.Add(life)}
	s.tokens[t.value] = t
	return map[string]any{"access_token": t.value, "token_type": "bearer", "expires_in": int(life.Seconds())}
}

// accounts is GET /me/accounts.
func (s *Sandbox) accounts(c *call) (any, *Error) {
	u := s.users[c.token.user]
	if u == nil || c.node != u.asid {
		return nil, noSuchObject(c.method, c.node)
	}
	list := []object{}
	for _, id := range u.pages {
		if p := s.pages[id]; p != nil {
			list = append(list, object{
				"id": p.id, "name": p.name, "access_token": p.token, "tasks": []string{"MESSAGING", "MODERATE", "MANAGE"},
			})
		}
	}
	return object{"data": list}, nil
}

// scopes are what the app was granted.
func scopes() []string {
	return []string{
		"pages_show_list", "pages_manage_metadata", "pages_messaging", "pages_read_engagement",
		"business_management", "pages_utility_messaging", "public_profile",
	}
}

// debugToken is GET /debug_token.
func (s *Sandbox) debugToken(c *call) (any, *Error) {
	input := c.params.text("input_token")
	t, ok := s.tokens[input]
	if input == "" || !ok {
		return object{"data": object{
			"is_valid": false, "scopes": []string{},
			"error": object{"code": 190, "message": "Invalid OAuth access token."},
		}}, nil
	}
	data := object{
		"app_id": s.options.AppID, "application": "Sandbox", "type": string(t.kind), "is_valid": true,
		"expires_at": unixOrZero(t.expires), "data_access_expires_at": s.now().Add(90 * 24 * time.Hour).Unix(),
		"scopes": scopes(),
	}
	if t.kind == pageToken {
		data["profile_id"] = t.page
	} else if t.kind == userToken {
		data["user_id"] = t.user
	}
	if e := t.refusal(s.now()); e != nil {
		data["is_valid"], data["error"] = false, object{"code": 190, "subcode": e.Subcode, "message": e.Message}
	}
	return object{"data": data}, nil
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// idsForPages is GET /{asid}/ids_for_pages, whose proof is mandatory.
func (s *Sandbox) idsForPages(c *call) (any, *Error) {
	if c.params.text("appsecret_proof") == "" {
		return nil, proofMissing()
	}
	u := s.users[c.node]
	if u == nil {
		return nil, noSuchObject(c.method, c.node)
	}
	list := []object{}
	for id, psid := range u.psids {
		if want := c.params.text("page"); want == "" || want == id {
			list = append(list, object{"id": psid, "page": object{"id": id, "name": s.pages[id].title()}})
		}
	}
	return object{"data": list}, nil
}

func (p *page) title() string {
	if p == nil {
		return ""
	}
	return p.name
}

// node is GET /{id}: a page's or the caller's own name, and the page's token for those who may have it.
func (s *Sandbox) node(c *call) (any, *Error) {
	if u := s.users[c.node]; u != nil && c.token.user == u.asid {
		return object{"id": u.asid, "name": u.name}, nil
	}
	p := s.pages[c.node]
	if p == nil {
		return nil, noSuchObject(c.method, c.node)
	}
	answer := object{"id": p.id, "name": p.name}
	u := s.users[c.token.user]
	mayHave := c.token.page == p.id || u != nil && slices.Contains(u.pages, p.id)
	if mayHave && strings.Contains(c.params.text("fields"), "access_token") {
		answer["access_token"] = p.token
	}
	return answer, nil
}

// subscribeApp is POST /{app}/subscriptions. The handshake with the callback is VerifyWebhook's.
func (s *Sandbox) subscribeApp(c *call) (any, *Error) {
	switch {
	case c.node != s.options.AppID:
		return nil, noSuchObject(http.MethodPost, c.node)
	case c.params.text("object") != "page":
		return nil, badParam("Param object must be one of {PAGE}")
	case c.params.text("verify_token") == "" || !webAddress(c.params.text("callback_url")):
		return nil, refuse(2200, 0, "callback verification failed")
	}
	s.pump.aim(c.params.text("callback_url"))
	return object{"success": true}, nil
}

// listSubscribed is GET /{page}/subscribed_apps.
func (s *Sandbox) listSubscribed(c *call) (any, *Error) {
	if !c.page.subscribed {
		return object{"data": []object{}}, nil
	}
	names := []string{}
	for _, f := range fields() {
		if c.page.fields[f] {
			names = append(names, f)
		}
	}
	return object{"data": []object{{"id": s.options.AppID, "name": "Sandbox", "subscribed_fields": names}}}, nil
}

// subscribe is POST /{page}/subscribed_apps: the fields given replace the old ones.
func (s *Sandbox) subscribe(c *call) (any, *Error) {
	wanted := c.params.list("subscribed_fields")
	if len(wanted) == 0 {
		return nil, badParam("The parameter subscribed_fields is required.")
	}
	for _, f := range wanted {
		if !slices.Contains(fields(), f) && f != "feed" && f != "response_feedback" {
			return nil, badParam("Param subscribed_fields[0] must be one of {%s} - got %q.", strings.Join(fields(), ", "), f)
		}
	}
	clear(c.page.fields)
	c.page.subscribe(wanted)
	return object{"success": true}, nil
}

// unsubscribe is DELETE /{page}/subscribed_apps.
func (s *Sandbox) unsubscribe(c *call) (any, *Error) {
	c.page.subscribed = false
	clear(c.page.fields)
	return object{"success": true}, nil
}
