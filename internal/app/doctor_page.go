package app

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
	"outrider/internal/graph"
)

// soon is how long before an end people are told of it.
const soon = 14 * 24 * time.Hour

// page looks at one page.
func (d *doctor) page(p identity.Page) {
	part := strings.TrimSpace("page " + string(p.ID) + " " + p.Name)
	if !p.Blocked.IsZero() {
		d.add(part, "policy", Broken, fmt.Sprintf("Meta stopped the page on %s: %s", p.Blocked.Format(time.DateOnly), p.BlockReason),
			"read the page's Support Inbox at Facebook; the gateway goes on when Meta lifts it")
	}
	if p.AccessToken.Empty() {
		d.add(part, "token", Broken, "none: messages through the page are held", "connect the page: POST /api/v1/pages/"+string(p.ID)+"/connect")
		return
	}
	if !d.token(part, p) {
		return
	}
	d.subscription(part, p)
	d.templates(part, p)
	d.owned(part, p)
}

// token looks at the page's token and what it may do; it reports whether it works.
func (d *doctor) token(part string, p identity.Page) bool {
	again := "connect the page again: POST /api/v1/pages/" + string(p.ID) + "/connect"
	if !d.appWorks {
		d.add(part, "token", Worries, "not looked at: the app's id and secret do not work", "")
		return true
	}
	t, err := facebook.Inspect(d.ctx, d.call, p.AccessToken, facebook.AppToken(d.c.Facebook.AppID, d.c.Facebook.AppSecret))
	if err != nil {
		d.add(part, "token", Worries, seen(err), "")
		return true
	}
	if problem := t.Fault(p.ID, d.c.Facebook.AppID); problem != "" {
		d.add(part, "token", Broken, problem, again)
		return false
	}
	switch ends := t.Expires; {
	case !ends.IsZero() && time.Until(ends) < soon:
		d.add(part, "token", Worries, "works until "+ends.Format(time.DateOnly), again)
	case !ends.IsZero():
		d.add(part, "token", Fine, "works until "+ends.Format(time.DateOnly), "")
	default:
		d.add(part, "token", Fine, "works and does not expire", "")
	}
	if ends := t.DataExpires; !ends.IsZero() && time.Until(ends) < soon {
		d.add(part, "data access", Worries, "ends on "+ends.Format(time.DateOnly), "somebody who manages the page must log in again: "+again)
	}
	if missing := t.MissingScopes(); len(missing) > 0 {
		d.add(part, "permissions", Broken, "missing: "+strings.Join(missing, ", "), again+", and leave everything ticked; the app may need App Review for them")
	} else {
		d.add(part, "permissions", Fine, "all granted", "")
	}
	return true
}

// subscription looks whether the page's events reach the app.
func (d *doctor) subscription(part string, p identity.Page) {
	s, err := facebook.InspectSubscription(d.ctx, d.call, p, d.c.Facebook.AppID)
	const repair = "a running gateway repairs this within the hour, or when the page is put again"
	switch {
	case err != nil:
		d.add(part, "subscription", Worries, seen(err), "")
		return
	case !s.Subscribed:
		d.add(part, "subscription", Broken, "the page is not subscribed to the app: nothing that people do is told", repair)
	case len(s.Missing()) > 0:
		d.add(part, "subscription", Broken, "fields not subscribed: "+strings.Join(s.Missing(), ", "), repair)
	default:
		d.add(part, "subscription", Fine, "every field", "")
	}
	if !s.GetStarted {
		d.add(part, "get started", Broken, "the page has no Get Started button: link codes of people who never wrote to it do not arrive", repair)
	}
	switch wanted := menu(d.c.Chat); {
	case wanted == nil:
	case s.Menu.Equal(wanted):
		d.add(part, "menu", Fine, fmt.Sprintf("the gateway's, in %d locales", len(wanted)), "")
	case len(s.Menu) == 0:
		d.add(part, "menu", Worries, "the page has no persistent menu", repair)
	default:
		d.add(part, "menu", Worries, "the page has a persistent menu of somebody else's, or of another version", "remove it at Meta Business Suite or with DELETE messenger_profile, and the gateway puts its own")
	}
}

// templates looks what the page can say outside the 24 hour window.
func (d *doctor) templates(part string, p identity.Page) {
	var a struct {
		Data []struct {
			Name     string `json:"name"`
			Language string `json:"language"`
			Status   string `json:"status"`
			Reason   string `json:"rejected_reason"`
		} `json:"data"`
	}
	err := d.call(d.ctx, graph.Call{Method: http.MethodGet, Node: string(p.ID), Edge: "message_templates",
		Query: map[string][]string{"limit": {"200"}}, Token: p.AccessToken}, &a)
	if err != nil {
		d.add(part, "templates", Broken, seen(err), "alerts outside the 24 hour window need utility templates, and those the permission pages_utility_messaging")
		return
	}
	var approved, pending, rejected []string
	for _, t := range a.Data {
		name := t.Name + "/" + t.Language
		switch t.Status {
		case "APPROVED":
			approved = append(approved, name)
		case "REJECTED":
			rejected = append(rejected, strings.TrimSuffix(name+" ("+t.Reason+")", " ()"))
		default:
			pending = append(pending, name)
		}
	}
	slices.Sort(rejected)
	switch {
	case len(approved) == 0 && len(a.Data) == 0:
		d.add(part, "templates", Worries, "none yet: alerts outside the 24 hour window wait", "a running gateway makes them when the page is put")
	case len(approved) == 0:
		d.add(part, "templates", Broken, "none is approved: alerts outside the 24 hour window wait", "see WhatsApp/Messenger Manager → Message templates for Meta's reasons")
	default:
		d.add(part, "templates", Fine, fmt.Sprintf("%d approved, %d waiting for Meta", len(approved), len(pending)), "")
	}
	if len(rejected) > 0 {
		d.add(part, "templates", Worries, "rejected: "+strings.Join(rejected, ", "), "say it in other words: PUT /api/v1/texts, or name a template of your own in the page's templates")
	}
}

// owned compares who owns page and app. Without a common owner no ids are matched, and utility messages may be refused.
func (d *doctor) owned(part string, p identity.Page) {
	page := d.owner(string(p.ID), "business", p.AccessToken)
	const advice = "Meta Business Suite → Settings: give app and page to the same business; without that ids_for_pages stays empty and utility messages may be refused with (#10)"
	switch {
	case page == "":
		d.add(part, "business", Worries, "the page belongs to no business, or Graph does not say", advice)
	case d.business == "":
		d.add(part, "business", Worries, "the page belongs to business "+page+"; whose the app is, Graph does not say", advice)
	case page != d.business:
		d.add(part, "business", Worries, "the page belongs to business "+page+" and the app to "+d.business, advice)
	default:
		d.add(part, "business", Fine, "app and page belong to the same one", "")
	}
}

// seen is an error of Graph's in the words that people read.
func seen(err error) string {
	if e, ok := errors.AsType[*graph.Error](err); ok {
		text := e.Message
		if e.TraceID != "" {
			text += " (trace " + e.TraceID + ")"
		}
		return text
	}
	return err.Error()
}
