package graph

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// messengerLink is the link m.me/{page}?ref=: whoever follows it is chosen on its page.
func (s *Sandbox) messengerLink(u *url.URL, page string) (int, sitePage) {
	p := sitePage{Where: "Messenger"}
	q := u.Query()
	people := s.followers(page)
	if people == nil {
		p.Title, p.Texts = "This page isn't available", []string{"There is no page " + page + " in this sandbox."}
		return http.StatusNotFound, p
	}
	if q.Has("new") {
		psid, err := s.NewPerson(page, or(q.Get("new"), "Somebody new"))
		if err == nil {
			err = s.Follow(page, psid, q.Get("ref"))
		}
		return s.followed(p, page, psid, err)
	}
	if psid := q.Get("as"); psid != "" {
		return s.followed(p, page, psid, s.Follow(page, psid, q.Get("ref")))
	}
	p.Title = "Open a conversation with " + s.pageName(page)
	p.Texts = []string{"Whose phone is this?"}
	for _, person := range people {
		p.Links = append(p.Links, siteLink{person.Name + " (" + person.PSID + ")", withQuery(u, url.Values{"as": {person.PSID}})})
	}
	p.Links = append(p.Links, siteLink{"Somebody who never wrote to this page: taps Get Started", withQuery(u, url.Values{"new": {""}})})
	return http.StatusOK, p
}

func (s *Sandbox) followed(p sitePage, page, psid string, err error) (int, sitePage) {
	if err != nil {
		p.Title, p.Texts = "That did not work", []string{err.Error()}
		return http.StatusNotFound, p
	}
	p.Title = "The conversation is open"
	p.Texts = []string{fmt.Sprintf("Person %s is in the conversation with %s. The page's webhook is told so.", psid, s.pageName(page))}
	p.Links = []siteLink{{"Look at their phone", phonePath + "/" + url.PathEscape(page) + "/" + url.PathEscape(psid)}}
	return http.StatusOK, p
}

// followers lists the people of a page; nil if there is no such page.
func (s *Sandbox) followers(page string) []Person {
	if s.pageName(page) == "" {
		return nil
	}
	return slices.DeleteFunc(append([]Person{}, s.People()...), func(p Person) bool { return p.Page != page })
}

func (s *Sandbox) pageName(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pages[id]; p != nil {
		return or(p.name, id)
	}
	return ""
}

// NewPerson adds a person who never wrote to the page, and returns the PSID that page knows them by.
func (s *Sandbox) NewPerson(page, name string) (psid string, err error) {
	s.mu.Lock()
	psid = s.number()
	s.mu.Unlock()
	return psid, s.AddPerson(page, psid, name)
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
