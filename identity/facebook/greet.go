package facebook

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
)

// greetingLife is how long the code in a greeting is good. Meta lets a page write first within a day of the consent.
const greetingLife = 24 * time.Hour

// LinkPayload stands before a link code in the payload of a button; the webhook knows it.
const LinkPayload = "LINK:"

// OptedIn opens the conversation with a person who agreed, while logging in, to be written to (Login Connect). The
// one message that Meta allows has a button that brings a link code: the tap tells which PSID the person has.
//
// Which owner the person is, the login told: Login Connect's id of a person is the app-scoped one. That is not
// confirmed by Meta's documents; where it is not so, the consent is left alone, and the m.me link does the work.
func (f *Flow) OptedIn(ctx context.Context, o identity.OptIn) error {
	codes, err := f.o.Store.OpenCodes(ctx, identity.ASID(o.Login))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(codes, func(c identity.LinkCode) bool { return c.Page == o.Page })
	if i < 0 {
		f.o.Logger.Debug("consent of somebody who is not logging in", "page", o.Page)
		return nil
	}
	c := codes[i]
	return f.greet(ctx, ticket{Tenant: c.Tenant, Owner: c.Owner, Vehicle: c.Vehicle, Page: c.Page, Offer: cmp.Or(c.Parent, c.Hash)}, o.Login)
}

// greetKnown does the same for a consent that came before the login had ended.
func (f *Flow) greetKnown(ctx context.Context, login identity.LoginID) {
	if !f.o.LoginConnect {
		return
	}
	consents, err := f.o.Store.OptIns(ctx, login)
	for _, o := range consents {
		if err == nil {
			err = f.OptedIn(ctx, o)
		}
	}
	if err != nil {
		f.o.Logger.Warn("conversation not opened", "cause", err)
	}
}

func (f *Flow) greet(ctx context.Context, t ticket, to identity.LoginID) error {
	page, ok := f.o.Directory.Page(t.Page)
	if !ok || page.AccessToken.Empty() {
		return &Error{StepLink, ReasonNotSetUp, nil}
	}
	offer, err := f.offer(ctx, t, identity.ASID(to), greetingLife)
	if err != nil {
		return err
	}
	owner, _ := f.o.Directory.Owner(t.Tenant, t.Owner)
	v := f.pages.view(owner.Locale, "")
	v.Owner, v.Page = named(owner.Name, string(t.Owner)), named(page.Name, string(t.Page))
	return f.call(ctx, graph.Call{Method: http.MethodPost, Node: string(t.Page), Edge: "messages", Token: page.AccessToken, Body: map[string]any{
		"recipient": map[string]string{"login_id": string(to)}, "messaging_type": "UPDATE",
		"message": map[string]any{"text": v.text("greet.text"), "quick_replies": []any{map[string]string{
			"content_type": "text", "title": v.text("greet.yes"), "payload": LinkPayload + offer.Code.Reveal(),
		}}},
	}}, nil)
}
