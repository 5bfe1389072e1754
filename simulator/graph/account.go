package graph

import (
	"fmt"
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
