package facebook

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"outrider/identity"
	"outrider/internal/graph"
)

// templateField tells of decisions on templates; Meta's documents know it under the other name, too.
const (
	templateField      = "message_template_status_update"
	templateFieldOther = "messenger_template_status_update"
)

// Fields are the webhook fields that a page is subscribed to. Thumbs under messages (response_feedback) are left out:
// subscribing to them makes them appear.
func Fields() []string {
	return []string{
		"messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "message_reactions",
		"message_deliveries", "message_reads", "message_echoes", "messaging_account_linking", "messaging_handovers",
		"standby", "messaging_policy_enforcement", templateField, "message_edits",
	}
}

// GetStarted is the payload of the button that a new conversation begins with. Without that button a link code that
// somebody new brings never arrives.
const GetStarted = "GET_STARTED"

// Subscription is how a page stands with its webhook.
type Subscription struct {
	Subscribed bool     // our app is
	Fields     []string // that it gets
	GetStarted bool     // the page has the button
	Menu       Menu     // the page's persistent menu; nil: none
}

// Missing lists the fields that are not subscribed to.
func (s Subscription) Missing() []string {
	var missing []string
	for _, f := range Fields() {
		other := f == templateField && slices.Contains(s.Fields, templateFieldOther)
		if !slices.Contains(s.Fields, f) && !other {
			missing = append(missing, f)
		}
	}
	return missing
}

// InspectSubscription asks how a page stands. app is the app's id; empty: any app that the token shows is ours.
func InspectSubscription(ctx context.Context, call func(context.Context, graph.Call, any) error, page identity.Page, app string) (Subscription, error) {
	var s Subscription
	var apps struct {
		Data []struct {
			ID     flexString `json:"id"`
			Fields []string   `json:"subscribed_fields"`
		} `json:"data"`
	}
	err := call(ctx, graph.Call{Method: http.MethodGet, Node: string(page.ID), Edge: "subscribed_apps", Token: page.AccessToken}, &apps)
	if err != nil {
		return s, err
	}
	for _, a := range apps.Data {
		if app == "" || string(a.ID) == app {
			s.Subscribed, s.Fields = true, append(s.Fields, a.Fields...)
		}
	}
	var profile struct {
		Data []struct {
			GetStarted struct {
				Payload string `json:"payload"`
			} `json:"get_started"`
			Menu Menu `json:"persistent_menu"`
		} `json:"data"`
	}
	err = call(ctx, graph.Call{Method: http.MethodGet, Node: string(page.ID), Edge: "messenger_profile",
		Query: map[string][]string{"fields": {"get_started,persistent_menu"}}, Token: page.AccessToken}, &profile)
	for _, d := range profile.Data {
		s.GetStarted = s.GetStarted || d.GetStarted.Payload != ""
		s.Menu = append(s.Menu, d.Menu...)
	}
	return s, err
}

// repair subscribes the page to what is missing, and gives it the button and the menu. What it is subscribed to beyond that stays.
func (k *Keeper) repair(page identity.Page, s Subscription) error {
	if len(s.Missing()) > 0 {
		if err := k.subscribe(page, s.Fields); err != nil {
			return err
		}
	}
	return k.putProfile(page, s)
}

// subscribe replaces the page's fields. A Graph that does not know the field of templates under one name may know it
// under the other; else it is left out, since templates are asked about, too.
func (k *Keeper) subscribe(page identity.Page, has []string) error {
	fields := union(Fields(), has)
	var err error
	for _, name := range []string{templateField, templateFieldOther, ""} {
		wanted := slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == templateField || f == templateFieldOther })
		if name != "" {
			wanted = append(wanted, name)
		}
		err = k.call(k.ctx, graph.Call{Method: http.MethodPost, Node: string(page.ID), Edge: "subscribed_apps", Token: page.AccessToken,
			Query: map[string][]string{"subscribed_fields": {strings.Join(wanted, ",")}}}, nil)
		if e, ok := errors.AsType[*graph.Error](err); !ok || e.Code != 100 {
			return err
		}
	}
	return err
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// AppSubscription is where an app's webhooks for pages go.
type AppSubscription struct {
	Callback string // empty: nowhere
	Active   bool
	Subscription
}

// InspectApp asks where an app's webhooks for pages go, with the app's token.
func InspectApp(ctx context.Context, call func(context.Context, graph.Call, any) error, app string, token identity.Token) (AppSubscription, error) {
	var a struct {
		Data []struct {
			Object   string `json:"object"`
			Callback string `json:"callback_url"`
			Active   bool   `json:"active"`
			Fields   []struct {
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"data"`
	}
	var s AppSubscription
	err := call(ctx, graph.Call{Method: http.MethodGet, Node: app, Edge: "subscriptions", Token: token}, &a)
	for _, d := range a.Data {
		if d.Object != "page" {
			continue
		}
		s.Callback, s.Active, s.Subscribed = d.Callback, d.Active, true
		for _, f := range d.Fields {
			s.Fields = append(s.Fields, f.Name)
		}
	}
	return s, err
}
