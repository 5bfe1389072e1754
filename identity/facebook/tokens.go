package facebook

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
)

// How long before its end a token is renewed, or people are told that they should.
const (
	renewPage    = 7 * 24 * time.Hour
	renewAccount = 30 * 24 * time.Hour
	warnData     = 14 * 24 * time.Hour
)

// checkToken asks Graph about the page's token, renews it where that is needed and possible, notes what it found, and
// returns the page as it is now.
func (k *Keeper) checkToken(page identity.Page, h *identity.PageHealth) identity.Page {
	if k.o.AppID == "" || k.o.AppSecret.Empty() {
		return page
	}
	facts, err := Inspect(k.ctx, k.call, page.AccessToken, k.appToken())
	if err != nil {
		if k.ctx.Err() == nil {
			k.metrics.tokens.WithLabelValues(checkFailed).Inc()
			k.o.Logger.Warn("token of a page not checked", "page", page.ID, "cause", err)
		}
		return page
	}
	result := tokenValid
	problem := facts.Fault(page.ID, k.o.AppID)
	if ends := facts.Expires; problem != "" || !ends.IsZero() && ends.Sub(k.o.Now()) < renewPage {
		if fresh, f, ok := k.renew(page); ok {
			page, facts, problem, result = fresh, f, f.Fault(page.ID, k.o.AppID), tokenRenewed
		}
	}
	if problem != "" {
		result = tokenInvalid
		k.o.Logger.Error("the token of a page does not work: somebody who manages the page must connect it again",
			"page", page.ID, "problem", problem)
	}
	k.metrics.tokens.WithLabelValues(result).Inc()
	k.note(page, facts, problem, h)
	return page
}

// Fault says why the token does not do for a page of the app; empty: it does.
func (t TokenFacts) Fault(page identity.PageID, app string) string {
	switch {
	case !t.Valid:
		if t.Problem == "" {
			return "Graph does not accept it"
		}
		return t.Problem
	case t.App != "" && t.App != app:
		return "it is a token of another app, " + t.App
	case t.Type != "PAGE":
		return "it is not a page's token but one of type " + t.Type
	case t.Page != "" && t.Page != page:
		return "it is the token of another page, " + string(t.Page)
	}
	return ""
}

// note stores what was found, and warns of what will stop working soon.
func (k *Keeper) note(page identity.Page, t TokenFacts, problem string, h *identity.PageHealth) {
	now := k.o.Now()
	h.Checked, h.Valid, h.Problem = now, problem == "", problem
	h.Expires, h.DataExpires, h.Missing = t.Expires, t.DataExpires, nil
	if problem != "" {
		return
	}
	if h.Missing = t.MissingScopes(); len(h.Missing) > 0 {
		k.o.Logger.Error("the token of a page lacks permissions", "page", page.ID, "missing", strings.Join(h.Missing, ", "))
	}
	for what, end := range map[string]time.Time{"token": t.Expires, "data access": t.DataExpires} {
		if !end.IsZero() && end.Sub(now) < warnData {
			k.o.Logger.Warn("a page must be connected again soon", "page", page.ID, "because", what, "ends", end)
		}
	}
}

// renew gets a fresh token for a page from an account that manages it and has logged in.
func (k *Keeper) renew(page identity.Page) (identity.Page, TokenFacts, bool) {
	accounts, err := k.o.Store.Accounts(k.ctx)
	if err != nil {
		k.o.Logger.Error("accounts not read", "cause", err)
	}
	for _, a := range accounts {
		if a.Token.Empty() || !slices.Contains(a.Pages, page.ID) {
			continue
		}
		fresh, facts, err := k.renewWith(page, a)
		if err == nil {
			k.o.Logger.Info("token of a page renewed", "page", page.ID)
			return fresh, facts, true
		}
		k.o.Logger.Warn("token of a page not renewed", "page", page.ID, "cause", err)
	}
	return page, TokenFacts{}, false
}

func (k *Keeper) renewWith(page identity.Page, a identity.Account) (identity.Page, TokenFacts, error) {
	var m managedPage
	if err := k.call(k.ctx, pageTokenCall(page.ID, a.Token), &m); err != nil {
		return page, TokenFacts{}, err
	}
	page.AccessToken = identity.NewToken(m.Token)
	if page.AccessToken.Empty() {
		return page, TokenFacts{}, errNoToken
	}
	facts, err := Inspect(k.ctx, k.call, page.AccessToken, k.appToken())
	if problem := facts.Fault(page.ID, k.o.AppID); err == nil && problem != "" {
		err = fmt.Errorf("facebook: the fresh token does not work either: %s", problem)
	}
	if err == nil {
		err = k.o.Store.PutPage(k.ctx, page)
	}
	if err == nil {
		err = k.o.Reload(k.ctx)
	}
	if err == nil {
		k.o.PageChanged(page.ID)
	}
	return page, facts, err
}

// renewAccounts lengthens the tokens of accounts while they live, and drops those that are dead.
func (k *Keeper) renewAccounts() {
	if k.o.AppID == "" || k.o.AppSecret.Empty() || !k.o.Mine("") {
		return
	}
	accounts, err := k.o.Store.Accounts(k.ctx)
	if err != nil && k.ctx.Err() == nil {
		k.o.Logger.Error("accounts not read", "cause", err)
	}
	for _, a := range accounts {
		if a.Token.Empty() || a.Expires.IsZero() || a.Expires.Sub(k.o.Now()) > renewAccount || k.ctx.Err() != nil {
			continue
		}
		if err := k.renewAccount(a); err != nil {
			k.o.Logger.Warn("token of an account not renewed", "cause", err)
		}
	}
}

func (k *Keeper) renewAccount(a identity.Account) error {
	token, expires, err := exchange(k.ctx, k.call, k.o.AppID, k.o.AppSecret, a.Token, k.o.Now())
	if e, ok := errors.AsType[*graph.Error](err); ok && e.Code == 190 {
		_, forgotten := k.o.Store.ForgetToken(k.ctx, a.ASID)
		return errors.Join(err, forgotten)
	}
	if err != nil || !expires.IsZero() && !expires.After(a.Expires) {
		return err // Graph may answer with the same token; it is asked again, at most hourly
	}
	a.Token, a.Expires = token, expires
	return k.o.Store.PutAccount(k.ctx, a)
}
