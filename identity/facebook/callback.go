package facebook

import (
	"errors"
	"net/http"
	"time"

	"outrider/identity"
)

// callback is where the dialog leads back to. The steps are those of the package's comment.
func (f *Flow) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	t, e := f.open(forState, q.Get("state"))
	if e != nil {
		f.fail(w, r, t, &Error{StepDialog, e.Reason, e.Err}, "")
		return
	}
	if e := f.answered(r, t); e != nil {
		f.fail(w, r, t, e, f.again(t))
		return
	}
	l := &login{f: f, ctx: r.Context(), t: t, code: q.Get("code")}
	steps := []func() *Error{l.redeem, l.lengthen, l.meet, l.findPages, l.match, l.keep}
	if t.Owner == "" {
		steps = []func() *Error{l.redeem, l.lengthen, l.meet, l.connect, l.keep}
	}
	for _, step := range steps {
		if e := step(); e != nil {
			f.fail(w, r, t, e, f.again(t))
			return
		}
	}
	l.finish(w, r)
}

// answered checks that the answer came to the browser that asked, and that the person said yes.
func (f *Flow) answered(r *http.Request, t ticket) *Error {
	cookie, err := r.Cookie(cookieName)
	if err != nil || identity.HashCode(cookie.Value) != t.Browser {
		return &Error{StepDialog, ReasonBrowser, nil}
	}
	q := r.URL.Query()
	switch {
	case q.Get("error") == "access_denied":
		return &Error{StepDialog, ReasonDenied, nil}
	case q.Get("error") != "" || q.Get("error_code") != "":
		return &Error{StepDialog, ReasonRefused, errors.New(shorten(q.Get("error") + " " + q.Get("error_code")))}
	case q.Get("code") == "":
		return &Error{StepDialog, ReasonForged, nil}
	}
	return f.known(r.Context(), t)
}

// shorten keeps what a stranger may have written from filling the log.
func shorten(s string) string { return s[:min(len(s), 100)] }

// again is where the person can begin anew; empty when that cannot be said.
func (f *Flow) again(t ticket) string {
	t.Browser, t.Expires = "", f.o.Now().Add(ticketLife).Unix()
	address, err := f.loginURL(t)
	if err != nil {
		return ""
	}
	return address
}

// finish shows how it ended: connected, or with the link to Messenger.
func (l *login) finish(w http.ResponseWriter, r *http.Request) {
	f, v := l.f, l.f.view(r, l.t)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: Path, MaxAge: -1})
	switch {
	case l.t.Owner == "":
		f.count.WithLabelValues(endConnected).Inc()
		v.say("connected.title", "connected.text")
	case l.psid != "":
		f.count.WithLabelValues(endMatched).Inc()
		v.say("linked.title", "linked.text")
	default:
		if e := l.handOver(v); e != nil {
			f.fail(w, r, l.t, e, f.again(l.t))
			return
		}
		f.count.WithLabelValues(endLink).Inc()
	}
	f.pages.show(w, http.StatusOK, v)
}

// handOver offers the link to Messenger. A consent that came with the login opens the conversation from our side, too.
func (l *login) handOver(v *view) *Error {
	offer, err := l.f.offer(l.ctx, l.t, l.asid, DefaultCodeLife)
	if err != nil {
		return &Error{StepLink, ReasonStore, err}
	}
	receipt := l.t
	receipt.Browser, receipt.Code, receipt.Expires = "", identity.HashCode(offer.Code.Reveal()), l.f.o.Now().Add(time.Hour).Unix()
	sealed, err := l.f.seal(forStatus, receipt)
	if err != nil {
		return &Error{StepLink, ReasonStore, err}
	}
	v.Minutes = l.f.minutes(offer.Expires)
	v.say("open.title", "open.text")
	v.act("start.open", offer.URL)
	v.act("open.check", l.f.address("status", sealed))
	v.Hints = append(v.Hints, v.text("start.open_hint"))
	l.f.greetKnown(l.ctx, identity.LoginID(l.asid))
	return nil
}
