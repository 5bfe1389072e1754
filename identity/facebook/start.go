package facebook

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outrider/identity"
)

// start shows what will happen, and the ways on. The browser gets a cookie that the dialog's answer must come with.
func (f *Flow) start(w http.ResponseWriter, r *http.Request) {
	t, e := f.open(forStart, r.URL.Query().Get("t"))
	if e == nil {
		e = f.known(r.Context(), t)
	}
	if e != nil {
		f.fail(w, r, t, e, "")
		return
	}
	v := f.view(r, t)
	if t.Owner == "" {
		v.say("connect.title", "connect.text")
	} else {
		v.say("start.title", "start.text")
		v.act("start.open", f.address("messenger", r.URL.Query().Get("t")))
		v.Hints = append(v.Hints, v.text("start.open_hint"))
	}
	if f.canLogIn() {
		dialog, err := f.dialog(w, r, t)
		if err != nil {
			f.fail(w, r, t, &Error{StepTicket, ReasonStore, err}, "")
			return
		}
		v.act("start.login", dialog)
		v.Hints = append(v.Hints, v.text("start.login_hint"))
	}
	f.pages.show(w, http.StatusOK, v)
}

// known checks that owner and page of a ticket still exist, and that nobody has used it before.
func (f *Flow) known(ctx context.Context, t ticket) *Error {
	if p, ok := f.o.Directory.Page(t.Page); ok && p.Tenant != t.Tenant || !ok && t.Owner != "" {
		return &Error{StepTicket, ReasonOwnerGone, nil}
	}
	if _, ok := f.o.Directory.Owner(t.Tenant, t.Owner); !ok && t.Owner != "" {
		return &Error{StepTicket, ReasonOwnerGone, nil}
	}
	if t.Offer == "" {
		return nil
	}
	c, err := f.o.Store.LinkCode(ctx, t.Offer)
	if err != nil {
		return &Error{StepTicket, ReasonStore, err}
	}
	if !c.Used.IsZero() {
		return &Error{StepTicket, ReasonUsed, nil}
	}
	return nil
}

// messenger leads straight to the conversation.
func (f *Flow) messenger(w http.ResponseWriter, r *http.Request) {
	t, e := f.open(forStart, r.URL.Query().Get("t"))
	if e == nil {
		e = f.known(r.Context(), t)
	}
	if e == nil && t.Owner == "" {
		e = &Error{StepTicket, ReasonForged, nil}
	}
	if e != nil {
		f.fail(w, r, t, e, "")
		return
	}
	offer, err := f.offer(r.Context(), t, "", DefaultCodeLife)
	if err != nil {
		f.fail(w, r, t, &Error{StepLink, ReasonStore, err}, "")
		return
	}
	f.count.WithLabelValues(endLink).Inc()
	http.Redirect(w, r, offer.URL, http.StatusSeeOther)
}

// cookieName names the cookie that binds the dialog to the browser.
const cookieName = "outrider-login"

// dialog is Facebook's address where the person logs in. State is sealed and names the browser's cookie, so that an
// answer can neither be made up nor be brought by another browser.
func (f *Flow) dialog(w http.ResponseWriter, r *http.Request, t ticket) (string, error) {
	browser := ""
	if c, err := r.Cookie(cookieName); err == nil && len(c.Value) >= 26 && len(c.Value) <= 64 {
		browser = c.Value // several ways may be open in several tabs
	} else {
		browser = identity.NewCode().Reveal()
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: browser, Path: Path, MaxAge: int(ticketLife.Seconds()), HttpOnly: true,
		Secure: strings.HasPrefix(f.o.PublicURL(), "https://"), SameSite: http.SameSiteLaxMode,
	})
	t.Browser, t.Expires = identity.HashCode(browser), f.o.Now().Add(ticketLife).Unix()
	state, err := f.seal(forState, t)
	if err != nil {
		return "", err
	}
	q := url.Values{
		"client_id": {f.o.AppID}, "redirect_uri": {f.redirectURI()}, "state": {state}, "response_type": {"code"},
	}
	f.ask(q, t)
	return f.o.DialogURL + "/" + f.o.Version + "/dialog/oauth?" + q.Encode(), nil
}

// redirectURI is where the dialog leads back to; the exchange of the code must name the same.
func (f *Flow) redirectURI() string { return f.o.PublicURL() + Path + "callback" }

// scopeMessengerContact lets a page write first to whoever logs in (Login Connect).
const scopeMessengerContact = "user_messenger_contact"

// PageScopes are the permissions that connecting a page asks for. The dialog refuses the other spelling of the last
// one, page_utility_messaging, though Meta's own documents use it.
func PageScopes() []string {
	return []string{
		"pages_show_list", "pages_manage_metadata", "pages_messaging", "pages_read_engagement", "business_management",
		"pages_utility_messaging",
	}
}

// ask adds what the person is asked for: much of somebody who connects a page, next to nothing of an owner.
func (f *Flow) ask(q url.Values, t ticket) {
	scopes := []string{"public_profile"}
	switch {
	case t.Owner == "" && f.o.ConfigID != "":
		q.Set("config_id", f.o.ConfigID)
		return
	case t.Owner == "":
		scopes = PageScopes()
	case f.o.LoginConnect:
		scopes = append(scopes, scopeMessengerContact)
		q.Set("messenger_page_id", string(t.Page))
	}
	q.Set("scope", strings.Join(scopes, ","))
}

// status tells what became of a link code that was handed out.
func (f *Flow) status(w http.ResponseWriter, r *http.Request) {
	t, e := f.open(forStatus, r.URL.Query().Get("t"))
	if e != nil {
		f.fail(w, r, t, e, "")
		return
	}
	c, err := f.o.Store.LinkCode(r.Context(), t.Code)
	if err != nil {
		f.fail(w, r, t, &Error{StepLink, ReasonExpired, err}, "")
		return
	}
	v := f.view(r, t)
	switch c.State(f.o.Now()) {
	case identity.CodeUsed:
		v.say("linked.title", "linked.text")
	case identity.CodeExpired:
		f.fail(w, r, t, &Error{StepLink, ReasonExpired, nil}, "")
		return
	default:
		v.say("waiting.title", "waiting.text")
		v.act("open.check", r.URL.String())
	}
	f.pages.show(w, http.StatusOK, v)
}

// minutes is how many minutes are left until a moment, rounded up.
func (f *Flow) minutes(until time.Time) int {
	return max(1, int(math.Ceil(until.Sub(f.o.Now()).Minutes())))
}
