package facebook

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
)

// login is one person on the way from the dialog's answer to a connection. Each step fills in what the next needs.
type login struct {
	f    *Flow
	ctx  context.Context
	t    ticket
	code string // the dialog's

	short   identity.Token
	long    identity.Token
	expires time.Time // of long
	asid    identity.ASID
	managed []identity.Page // registered here, with fresh tokens
	psid    identity.PSID   // empty: Graph does not know
}

// tokenAnswer is what oauth/access_token answers with.
type tokenAnswer struct {
	Token   string  `json:"access_token"`
	Expires flexInt `json:"expires_in"` // seconds
}

// redeem turns the dialog's code into a user token.
func (l *login) redeem() *Error {
	var a tokenAnswer
	err := l.f.call(l.ctx, graph.Call{Method: http.MethodPost, Edge: "oauth/access_token", Secret: map[string]string{
		"client_id": l.f.o.AppID, "client_secret": l.f.o.AppSecret.Reveal(), "redirect_uri": l.f.redirectURI(), "code": l.code,
	}}, &a)
	if err == nil && a.Token == "" {
		err = errNoToken
	}
	if err != nil {
		return refused(StepCode, err)
	}
	l.short = identity.NewToken(a.Token)
	return nil
}

// errNoToken says that an answer without error had no token either.
var errNoToken = errors.New("the answer holds no token")

// lengthen turns the user token into one of about 60 days.
func (l *login) lengthen() *Error {
	token, expires, err := exchange(l.ctx, l.f.call, l.f.o.AppID, l.f.o.AppSecret, l.short, l.f.o.Now())
	if err != nil {
		return refused(StepLongLived, err)
	}
	l.long, l.expires = token, expires
	return nil
}

// callFunc makes a call to Graph.
type callFunc func(ctx context.Context, c graph.Call, answer any) error

// exchange gets a long-lived user token for a living one. expires is zero when Graph does not say.
func exchange(ctx context.Context, call callFunc, app string, secret, token identity.Token, now time.Time) (fresh identity.Token, expires time.Time, err error) {
	var a tokenAnswer
	err = call(ctx, graph.Call{Method: http.MethodPost, Edge: "oauth/access_token", Secret: map[string]string{
		"grant_type": "fb_exchange_token", "client_id": app, "client_secret": secret.Reveal(), "fb_exchange_token": token.Reveal(),
	}}, &a)
	if err == nil && a.Token == "" {
		err = errNoToken
	}
	if err == nil && a.Expires > 0 {
		expires = now.Add(time.Duration(a.Expires) * time.Second)
	}
	return identity.NewToken(a.Token), expires, err
}

// meet learns who logged in.
func (l *login) meet() *Error {
	var a struct {
		ID flexString `json:"id"`
	}
	err := l.f.call(l.ctx, graph.Call{Method: http.MethodGet, Node: "me", Query: map[string][]string{"fields": {"id"}}, Token: l.long}, &a)
	if err == nil && a.ID == "" {
		err = errors.New("the answer holds no id")
	}
	if err != nil {
		return refused(StepPerson, err)
	}
	l.asid = identity.ASID(a.ID)
	return nil
}

// match asks Graph which PSID the person has: with the app's token, as Meta's own page does, else with the page's, as
// others do. No answer is the normal answer, and a refusal is no reason to give up: the link to Messenger does the
// same.
func (l *login) match() *Error {
	page, _ := l.f.o.Directory.Page(l.t.Page)
	for _, token := range []identity.Token{l.f.appToken(), page.AccessToken} {
		if token.Empty() {
			continue
		}
		psid, err := l.ask(token)
		if err == nil {
			l.psid = psid
			return nil
		}
		l.f.o.Logger.Warn("page-scoped id not known", "page", l.t.Page, "cause", &Error{StepMatching, ReasonRefused, err})
	}
	return nil
}

// ask is one call to ids_for_pages; empty without error: Graph does not know.
func (l *login) ask(token identity.Token) (identity.PSID, error) {
	var a struct {
		Data []struct {
			ID   flexString `json:"id"`
			Page struct {
				ID flexString `json:"id"`
			} `json:"page"`
		} `json:"data"`
	}
	err := l.f.call(l.ctx, graph.Call{Method: http.MethodGet, Node: string(l.asid), Edge: "ids_for_pages",
		Query: map[string][]string{"page": {string(l.t.Page)}}, Token: token}, &a)
	for _, d := range a.Data {
		if string(d.Page.ID) == string(l.t.Page) && string(d.ID) != string(l.asid) {
			return identity.PSID(d.ID), err
		}
	}
	return "", err
}

// keep stores what was learned. Whether it goes on or not, the browser has waited long enough to hear how it ended.
func (l *login) keep() *Error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), l.f.o.Timeout)
	defer cancel()
	account := identity.Account{ASID: l.asid, Token: l.long, Expires: l.expires, LoginID: identity.LoginID(l.asid)}
	for _, p := range l.managed {
		account.Pages = append(account.Pages, p.ID)
	}
	if err := l.f.remember(ctx, account); err != nil {
		return &Error{StepLink, ReasonStore, err}
	}
	if l.psid != "" {
		if err := l.f.o.Store.Link(ctx, l.t.link(l.psid, l.asid, l.f.o.Now())); err != nil {
			return &Error{StepLink, ReasonStore, err}
		}
	}
	if l.psid == "" && len(l.managed) == 0 {
		return nil
	}
	if err := l.f.o.Reload(ctx); err != nil {
		return &Error{StepLink, ReasonStore, err}
	}
	for _, p := range l.managed {
		l.f.o.PageChanged(p.ID)
	}
	if l.psid != "" {
		l.f.o.Linked(l.t.Page)
	}
	return nil
}

// remember stores an account, with the pages it was already known to manage. The token of somebody who manages none is
// of no use any more, and is not kept.
func (f *Flow) remember(ctx context.Context, a identity.Account) error {
	known, err := f.o.Store.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, old := range known {
		if old.ASID != a.ASID {
			continue
		}
		for _, page := range old.Pages {
			if !slices.Contains(a.Pages, page) {
				a.Pages = append(a.Pages, page)
			}
		}
	}
	if len(a.Pages) == 0 {
		a.Token, a.Expires = identity.Token{}, time.Time{}
	}
	return f.o.Store.PutAccount(ctx, a)
}
