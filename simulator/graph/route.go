package graph

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one request on its way through the sandbox.
type call struct {
	method  string
	node    string // id in the path, "me" resolved
	token   *token
	params  params
	arrived time.Time

	page    *page    // of the node, when the route wants one
	message *Message // accepted by this call
	cut     bool     // the answer must be lost
}

// route is one row of the API: what may be called, and by whom.
type route struct {
	method string
	edge   string // after the version; {id} is a node
	auth   []tokenKind
	paged  bool // the node is a page, and the token must be that page's
	handle func(*Sandbox, *call) (any, *Error)
}

// routes is the part of the Graph API the sandbox knows.
func routes() []route {
	pageOnly := []tokenKind{pageToken}
	return []route{
		{"POST", "{id}/messages", pageOnly, true, (*Sandbox).send},
		{"GET", "{id}/message_templates", pageOnly, true, (*Sandbox).listTemplates},
		{"POST", "{id}/message_templates", pageOnly, true, (*Sandbox).createTemplate},
		{"DELETE", "{id}/message_templates", pageOnly, true, (*Sandbox).deleteTemplate},
		{"GET", "{id}/subscribed_apps", pageOnly, true, (*Sandbox).listSubscribed},
		{"POST", "{id}/subscribed_apps", pageOnly, true, (*Sandbox).subscribe},
		{"DELETE", "{id}/subscribed_apps", pageOnly, true, (*Sandbox).unsubscribe},
		{"GET", "{id}/messenger_profile", pageOnly, true, (*Sandbox).getProfile},
		{"POST", "{id}/messenger_profile", pageOnly, true, (*Sandbox).setProfile},
		{"DELETE", "{id}/messenger_profile", pageOnly, true, (*Sandbox).clearProfile},
		{"GET", "{id}/subscriptions", []tokenKind{appToken}, false, (*Sandbox).listSubscriptions},
		{"POST", "{id}/subscriptions", []tokenKind{appToken}, false, (*Sandbox).subscribeApp},
		{"GET", "{id}/ids_for_pages", []tokenKind{appToken, pageToken}, false, (*Sandbox).idsForPages},
		{"GET", "{id}/accounts", []tokenKind{userToken}, false, (*Sandbox).accounts},
		{"GET", "oauth/access_token", nil, false, (*Sandbox).exchange},
		{"POST", "oauth/access_token", nil, false, (*Sandbox).exchange},
		{"GET", "debug_token", []tokenKind{appToken, userToken, pageToken}, false, (*Sandbox).debugToken},
		{"GET", "{id}", []tokenKind{appToken, userToken, pageToken}, false, (*Sandbox).node},
	}
}

// matches reports whether the route is meant by the path, and the node's id.
func (r route) matches(method, path string) (string, bool) {
	if r.method != method {
		return "", false
	}
	if rest, ok := strings.CutPrefix(r.edge, "{id}"); ok {
		id, ok := strings.CutSuffix(path, rest)
		return id, ok && id != "" && !strings.Contains(id, "/")
	}
	return "", r.edge == path
}

// find returns the route for a request. Rows before the bare node win.
func find(method, path string) (route, string, bool) {
	for _, r := range routes() {
		if id, ok := r.matches(method, path); ok {
			return r, id, true
		}
	}
	return route{}, "", false
}

// answer runs a request to its answer or its refusal.
func (s *Sandbox) answer(c *call, r *http.Request) (any, *Error) {
	path, e := s.versioned(r.URL.Path)
	if e != nil {
		return nil, e
	}
	if c.params, e = readParams(r); e != nil {
		return nil, e
	}
	rt, node, ok := find(r.Method, path)
	if !ok {
		return nil, unknownPath("/" + path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.review()
	c.node = node
	if e := s.admit(c, rt, r); e != nil {
		return nil, e
	}
	return rt.handle(s, c)
}

// versioned strips the version from a path.
func (s *Sandbox) versioned(path string) (string, *Error) {
	version, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	if version != s.options.Version {
		return "", unknownPath(path)
	}
	return rest, nil
}

// admit checks token, proof and node of a call. Callers hold s.mu.
func (s *Sandbox) admit(c *call, rt route, r *http.Request) *Error {
	if rt.auth == nil {
		return nil
	}
	var e *Error
	if c.token, e = s.authenticate(r, c.params); e != nil {
		return e
	}
	if !contains(rt.auth, c.token.kind) {
		return refuse(200, 0, "Requires a different kind of access token for this operation")
	}
	c.resolveMe()
	if !rt.paged {
		return nil
	}
	if c.page = s.pages[c.node]; c.page == nil || c.token.page != c.node {
		return noSuchObject(c.method, c.node)
	}
	return nil
}

// resolveMe replaces the node "me" by whom the token speaks for.
func (c *call) resolveMe() {
	if c.node != "me" {
		return
	}
	if c.token.kind == pageToken {
		c.node = c.token.page
	} else {
		c.node = c.token.user
	}
}

func contains(kinds []tokenKind, k tokenKind) bool {
	for _, kind := range kinds {
		if kind == k {
			return true
		}
	}
	return false
}

// reply writes the answer with the headers that Meta adds.
func (s *Sandbox) reply(w http.ResponseWriter, c *call, answer any, refusal *Error) {
	s.mu.Lock()
	trace := s.id("A")
	usage := s.usage(c.page)
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("facebook-api-version", s.options.Version)
	h.Set("x-fb-trace-id", trace)
	if usage != "" {
		h.Set("X-Business-Use-Case-Usage", usage)
	}
	status := http.StatusOK
	if refusal != nil {
		status, answer = refusal.Status, refusal.body(trace)
	}
	if refusal != nil && (refusal.Code == 190 || refusal.Code == 104) {
		h.Set("WWW-Authenticate", `OAuth "Facebook Platform" "invalid_token" `+strconv.Quote(refusal.Message))
	}
	body, _ := json.Marshal(answer) // answers are made of plain maps and structs
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// usage is the usage header of a page, empty for a page without a daily limit. Callers hold s.mu.
func (s *Sandbox) usage(p *page) string {
	if p == nil || p.day == nil {
		return ""
	}
	now := s.now()
	return fmt.Sprintf(`{%q:[{"type":"messenger","call_count":%d,"total_cputime":1,"total_time":1,`+
		`"estimated_time_to_regain_access":%d}]}`, p.id, p.day.percent(now), int(math.Ceil(p.day.wait(now).Minutes())))
}
