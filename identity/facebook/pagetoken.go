package facebook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"outrider/identity"
	"outrider/internal/graph"
)

// managedPage is a page as me/accounts tells of it.
type managedPage struct {
	ID    flexString `json:"id"`
	Name  string     `json:"name"`
	Token string     `json:"access_token"`
	Tasks []string   `json:"tasks"` // absent: Graph did not say
}

// may reports whether the person may do the task for the page.
func (p managedPage) may(task string) bool {
	return len(p.Tasks) == 0 || slices.Contains(p.Tasks, task)
}

// accounts lists the pages that the person manages.
func (l *login) accounts() ([]managedPage, error) {
	var a struct {
		Data []managedPage `json:"data"`
	}
	err := l.f.call(l.ctx, graph.Call{Method: http.MethodGet, Node: "me", Edge: "accounts",
		Query: map[string][]string{"fields": {"id,name,access_token,tasks"}, "limit": {"100"}}, Token: l.long}, &a)
	return a.Data, err
}

// findPages sees whether the owner happens to manage the page, or others of the same tenant: their tokens are fresher
// than those that are stored. Most owners manage none, and then the stored tokens do.
func (l *login) findPages() *Error {
	list, err := l.accounts()
	if err != nil {
		l.f.o.Logger.Debug("pages of the person not known", "cause", &Error{StepPageToken, ReasonRefused, err})
		return nil
	}
	for _, m := range list {
		p, known := l.f.o.Directory.Page(identity.PageID(m.ID))
		if !known || p.Tenant != l.t.Tenant || m.Token == "" || !m.may("MESSAGING") {
			continue
		}
		p.AccessToken = identity.NewToken(m.Token)
		if e := l.store(p); e != nil {
			return e
		}
	}
	return nil
}

// connect gets the token of the page that the person came to connect, and stores it.
func (l *login) connect() *Error {
	m, e := l.own()
	if e != nil {
		return e
	}
	if !m.may("MESSAGING") {
		return &Error{StepPageToken, ReasonTask, nil}
	}
	token := identity.NewToken(m.Token)
	facts, err := Inspect(l.ctx, l.f.call, token, l.f.appToken())
	if err != nil {
		return refused(StepPageToken, err)
	}
	if missing := facts.MissingScopes(); len(missing) > 0 {
		return &Error{StepPageToken, ReasonPermission, fmt.Errorf("missing %v", missing)}
	}
	p, known := l.f.o.Directory.Page(l.t.Page)
	if !known {
		p = identity.Page{Tenant: l.t.Tenant, ID: l.t.Page}
	}
	if p.Name == "" {
		p.Name = m.Name
	}
	p.AccessToken = token
	return l.store(p)
}

// own finds the page among those the person manages. One that is reached only through a business is not listed there,
// but gives its token when asked itself.
func (l *login) own() (managedPage, *Error) {
	list, err := l.accounts()
	if err != nil {
		return managedPage{}, refused(StepPageToken, err)
	}
	for _, m := range list {
		if string(m.ID) == string(l.t.Page) && m.Token != "" {
			return m, nil
		}
	}
	var m managedPage
	err = l.f.call(l.ctx, pageTokenCall(l.t.Page, l.long), &m)
	if err == nil && m.Token != "" {
		return m, nil
	}
	if e, ok := errors.AsType[*graph.Error](err); ok && passing(e) {
		return m, refused(StepPageToken, err)
	}
	return m, &Error{StepPageToken, ReasonNotManager, err}
}

// pageTokenCall asks a page for its token, on behalf of somebody who manages it.
func pageTokenCall(page identity.PageID, user identity.Token) graph.Call {
	return graph.Call{Method: http.MethodGet, Node: string(page), Query: map[string][]string{"fields": {"id,name,access_token"}}, Token: user}
}

func (l *login) store(p identity.Page) *Error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), l.f.o.Timeout)
	defer cancel()
	if err := l.f.o.Store.PutPage(ctx, p); err != nil {
		return &Error{StepPageToken, ReasonStore, err}
	}
	l.managed = append(l.managed, p)
	return nil
}
