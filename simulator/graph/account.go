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
	pages      []string             // administered
	psids      map[string]string    // page → PSID, where id matching knows one
	consents   map[string]time.Time // page → when the person let it write first
	logins     map[string]string    // page → PSID of the conversation that a consent began
	tasks      []string             // on the pages; nil: all
	unmatched  bool                 // lives where Meta matches no ids: Europe, Japan
}

// loginCode is what the login dialog gives for a person.
type loginCode struct {
	asid     string
	redirect string // address it was given to; empty: any
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
	s.users[asid] = &user{asid: asid, name: name, pages: pages, psids: map[string]string{}, consents: map[string]time.Time{}, logins: map[string]string{}}
}

// SetTasks limits what a user may do on the pages they administer; none given: nothing.
func (s *Sandbox) SetTasks(asid string, tasks ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[asid]
	if !ok {
		return fmt.Errorf("tasks of user %q: %w", asid, ErrUnknown)
	}
	u.tasks = append([]string{}, tasks...)
	return nil
}

// Unmatched makes ids_for_pages answer nothing about a user, whatever Link said: so it is in Europe and Japan.
func (s *Sandbox) Unmatched(asid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[asid]
	if !ok {
		return fmt.Errorf("user %q: %w", asid, ErrUnknown)
	}
	u.unmatched = true
	return nil
}

// Grant changes which permissions tokens have; none given: none.
func (s *Sandbox) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granted = append([]string{}, scopes...)
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
	return s.code(asid, ""), nil
}

// code returns a fresh login code. Callers hold s.mu.
func (s *Sandbox) code(asid, redirect string) string {
	code := s.id("AQ")
	s.codes[code] = loginCode{asid, redirect}
	return code
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
	return s.redeem(p.text("code"), p.text("redirect_uri"))
}

// redeem turns a login code into a short user token, once.
func (s *Sandbox) redeem(code, redirect string) (any, *Error) {
	c, ok := s.codes[code]
	switch {
	case !ok:
		return nil, refuse(100, 36009, "This authorization code has been used or is invalid.")
	case c.redirect != "" && c.redirect != redirect:
		return nil, refuse(100, 36008, "Error validating verification code. Please make sure your redirect_uri is identical to the one you "+
			"used in the OAuth dialog request")
	}
	delete(s.codes, code)
	return s.issue(c.asid, shortLife), nil
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
			p.grantor = u.asid
			list = append(list, object{
				"id": p.id, "name": p.name, "access_token": p.token, "tasks": u.may(),
			})
		}
	}
	return object{"data": list}, nil
}

// may lists the tasks of a user on their pages.
func (u *user) may() []string {
	if u.tasks != nil {
		return u.tasks
	}
	return []string{"MESSAGING", "MODERATE", "MANAGE"}
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
		"issued_at": unixOrZero(t.issued), "scopes": s.granted, "granular_scopes": s.granular(t),
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

// granular says for which pages a permission was granted.
func (s *Sandbox) granular(t *token) []object {
	list := []object{}
	for _, scope := range s.granted {
		o := object{"scope": scope}
		if t.kind == pageToken && strings.HasPrefix(scope, "pages_") {
			o["target_ids"] = []string{t.page}
		}
		list = append(list, o)
	}
	return list
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
	for _, id := range sortedKeys(u.psids) {
		if want := c.params.text("page"); !u.unmatched && (want == "" || want == id) {
			list = append(list, object{"id": u.psids[id], "page": object{"id": id, "name": s.pages[id].title(), "category": "Transport"}})
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
	if c.node == s.options.AppID && c.token.kind == appToken {
		return s.appNode(c), nil
	}
	p := s.pages[c.node]
	if p == nil {
		return nil, noSuchObject(c.method, c.node)
	}
	answer := object{"id": p.id, "name": p.name}
	if strings.Contains(c.params.text("fields"), "business") && p.business != "" {
		answer["business"] = object{"id": p.business, "name": "Business " + p.business}
	}
	u := s.users[c.token.user]
	mayHave := c.token.page == p.id || u != nil && slices.Contains(u.pages, p.id)
	if mayHave && strings.Contains(c.params.text("fields"), "access_token") {
		answer["access_token"] = p.token
		if u != nil {
			p.grantor = u.asid
		}
	}
	return answer, nil
}

// appNode is GET /{app}.
func (s *Sandbox) appNode(c *call) object {
	answer := object{"id": s.options.AppID, "name": "Sandbox"}
	if strings.Contains(c.params.text("fields"), "owner_business") {
		answer["owner_business"] = object{"id": s.options.Business, "name": "Business " + s.options.Business}
	}
	return answer
}

// listSubscriptions is GET /{app}/subscriptions.
func (s *Sandbox) listSubscriptions(c *call) (any, *Error) {
	if c.node != s.options.AppID {
		return nil, noSuchObject(c.method, c.node)
	}
	url := s.pump.target()
	if url == "" {
		return object{"data": []object{}}, nil
	}
	names := []object{}
	for _, f := range fields() {
		names = append(names, object{"name": f, "version": s.options.Version})
	}
	return object{"data": []object{{"object": "page", "callback_url": url, "active": true, "fields": names}}}, nil
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
	for _, f := range sortedKeys(c.page.fields) {
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
