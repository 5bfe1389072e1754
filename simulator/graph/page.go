package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnknown says that a page or a person was never added.
var ErrUnknown = errors.New("graph: no such page or person")

// page is a Facebook page with its conversations.
type page struct {
	id, name   string
	token      string
	fields     map[string]bool // subscribed webhook fields
	subscribed bool
	threads    map[string]*thread
	templates  []*template
	profile    map[string]json.RawMessage
	tags       []string // message tags that still work here
	business   string   // that owns it; empty: none
	grantor    string   // ASID of who got the token last; the token dies with their consent
	second     *budget  // calls to the Send API
	day        *budget
	hangs      bool // no call is answered
}

// thread is the conversation of one person with one page.
type thread struct {
	page, psid, name string
	begun            bool      // the person has done something since it was added
	lastAction       time.Time // opened the window; zero: never
	lastMessage      time.Time // for HUMAN_AGENT, which counts messages
	asked            int       // calls to the Send API for this person, refused ones too
	events           int       // webhook events of this conversation
	invited          bool      // the person let the page write first, once
	refusal          *Error    // answer to every send: blocked
	turns            []turn    // the conversation, oldest first
	unread           bool      // something came since the person looked
}

// open reports whether the 24 hour window is open.
func (t *thread) open(now time.Time) bool {
	return t.invited || !t.lastAction.IsZero() && now.Sub(t.lastAction) < 24*time.Hour
}

// fields are the webhook fields of a page.
func fields() []string {
	return []string{
		"messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "message_reactions",
		"message_deliveries", "message_reads", "message_echoes", "messaging_account_linking",
		"messaging_handovers", "standby", "messaging_policy_enforcement", "message_template_status_update",
		"message_edits",
	}
}

// AddPage adds a page with its access token; again: changes name and token.
func (s *Sandbox) AddPage(id, name, accessToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pages[id]
	if p == nil {
		p = s.newPage(id)
		s.pages[id] = p
		if !s.options.Unsubscribed {
			p.subscribe(fields())
		}
	}
	delete(s.tokens, p.token)
	p.name, p.token = name, accessToken
	s.tokens[accessToken] = &token{value: accessToken, kind: pageToken, page: id, issued: s.now()}
}

func (s *Sandbox) newPage(id string) *page {
	return &page{
		business: s.options.Business,
		id:       id, threads: map[string]*thread{}, fields: map[string]bool{}, profile: map[string]json.RawMessage{},
		second: newBudget(s.options.Rate, time.Second), day: newBudget(s.options.DailyCalls, 24*time.Hour),
	}
}

// SetBusiness changes which business owns a page; empty: none does.
func (s *Sandbox) SetBusiness(page, business string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("business of page %q: %w", page, ErrUnknown)
	}
	p.business = business
	return nil
}

// Unsubscribe ends a page's webhooks, as Meta does after an hour in which they could not be delivered.
func (s *Sandbox) Unsubscribe(page string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("unsubscribe page %q: %w", page, ErrUnknown)
	}
	p.subscribed = false
	clear(p.fields)
	return nil
}

// Enforce tells a page's webhook of policy enforcement: action warning, block or unblock.
func (s *Sandbox) Enforce(page, action, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("enforce policy on page %q: %w", page, ErrUnknown)
	}
	now := s.now()
	if p.subscribed && p.fields["messaging_policy_enforcement"] {
		s.serial++
		s.pump.push(event{
			page: page, thread: page, field: "messaging_policy_enforcement", number: int(s.serial), at: now, faults: s.faults,
			messaging: object{"recipient": object{"id": page}, "timestamp": now.UnixMilli(),
				"policy_enforcement": object{"action": action, "reason": reason}},
		})
	}
	return nil
}

func (p *page) subscribe(fields []string) {
	p.subscribed = true
	for _, f := range fields {
		p.fields[f] = true
	}
}

// AcceptTags makes message tags work on a page, as they did before they were removed.
func (s *Sandbox) AcceptTags(page string, tags ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("accept tags on page %q: %w", page, ErrUnknown)
	}
	p.tags = append(p.tags, tags...)
	return nil
}

// AddPerson adds a person who once wrote to the page, so long ago that the 24 hour window is closed.
func (s *Sandbox) AddPerson(page, psid, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("add person to page %q: %w", page, ErrUnknown)
	}
	p.threads[psid] = &thread{page: page, psid: psid, name: name}
	return nil
}

// Person is someone the sandbox plays.
type Person struct {
	Page, PSID, Name string
	WindowOpen       bool
}

// People lists everyone, in order of page and PSID.
func (s *Sandbox) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Person
	for _, p := range s.pages {
		for _, t := range p.threads {
			all = append(all, Person{Page: p.id, PSID: t.psid, Name: t.name, WindowOpen: t.open(s.now())})
		}
	}
	slices.SortFunc(all, func(a, b Person) int {
		if a.Page != b.Page {
			return compare(a.Page, b.Page)
		}
		return compare(a.PSID, b.PSID)
	})
	return all
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// thread finds a conversation. Callers hold s.mu.
func (s *Sandbox) thread(page, psid string) (*thread, error) {
	if p, ok := s.pages[page]; ok {
		if t, ok := p.threads[psid]; ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("person %q of page %q: %w", psid, page, ErrUnknown)
}
