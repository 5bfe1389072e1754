package facebook

import (
	"net/http"
	"regexp"
	"slices"

	"outrider/identity"
	"outrider/internal/graph"
)

// Menu is the persistent menu of a page, by locale; "default" must be among them.
type Menu []MenuIn

// MenuIn is the menu in one of Facebook's locales.
type MenuIn struct {
	Locale string     `json:"locale"`
	Typing bool       `json:"composer_input_disabled"` // true: people can tap only
	Items  []MenuItem `json:"call_to_actions"`
}

// MenuItem is something to tap, whose payload comes back as a postback's.
type MenuItem struct {
	Type    string `json:"type"` // "postback"
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// Equal reports whether two menus offer the same.
func (m Menu) Equal(other Menu) bool {
	return slices.EqualFunc(m, other, func(a, b MenuIn) bool {
		return a.Locale == b.Locale && a.Typing == b.Typing && slices.Equal(a.Items, b.Items)
	})
}

// command is how the gateway's own items read.
var command = regexp.MustCompile(`^[A-Z]+:$`)

// foreign reports whether somebody else made the menu: it stays as it is.
func (m Menu) foreign() bool {
	for _, in := range m {
		for _, item := range in.Items {
			if item.Type != "postback" || !command.MatchString(item.Payload) {
				return true
			}
		}
	}
	return false
}

// wantsMenu reports whether the page should get the keeper's menu.
func (k *Keeper) wantsMenu(s Subscription) bool {
	return len(k.o.Menu) > 0 && !k.o.Menu.Equal(s.Menu) && !s.Menu.foreign()
}

// putProfile sets what the page's profile lacks, in one call: Meta takes a menu only with a Get Started button.
func (k *Keeper) putProfile(page identity.Page, s Subscription) error {
	body := map[string]any{}
	if !s.GetStarted {
		body["get_started"] = map[string]string{"payload": GetStarted}
	}
	if k.wantsMenu(s) {
		body["persistent_menu"] = k.o.Menu
	}
	if len(body) == 0 {
		return nil
	}
	return k.call(k.ctx, graph.Call{Method: http.MethodPost, Node: string(page.ID), Edge: "messenger_profile", Token: page.AccessToken, Body: body}, nil)
}
