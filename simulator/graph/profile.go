package graph

import (
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// profileFields are the properties of a messenger profile.
func profileFields() []string {
	return []string{
		"get_started", "greeting", "ice_breakers", "persistent_menu", "whitelisted_domains",
		"account_linking_url", "commands",
	}
}

// setProfile is POST /{page}/messenger_profile.
func (s *Sandbox) setProfile(c *call) (any, *Error) {
	n := 0
	for _, f := range profileFields() {
		if !c.params.has(f) {
			continue
		}
		if e := checkProfile(f, c.params, c.page); e != nil {
			return nil, e
		}
		c.page.profile[f] = c.params[f]
		n++
	}
	if n == 0 {
		return nil, badParam("Requires one of the params: get_started,greeting,ice_breakers,persistent_menu,whitelisted_domains")
	}
	return object{"result": "success"}, nil
}

func checkProfile(field string, p params, page *page) *Error {
	switch field {
	case "get_started":
		var v struct {
			Payload string `json:"payload"`
		}
		if p.object(field, &v) != nil || v.Payload == "" {
			return badParam("Param get_started[payload] is required")
		}
	case "persistent_menu":
		if page.profile["get_started"] == nil && !p.has("get_started") {
			return refuse(100, 2018145, "You must set a Get Started button if you also wish to use persistent menu")
		}
		return checkMenu(p)
	case "ice_breakers":
		var v []struct {
			Calls []json.RawMessage `json:"call_to_actions"`
		}
		if p.object(field, &v) != nil || len(v) == 0 || len(v[0].Calls) > 4 {
			return badParam("Param ice_breakers must hold at most 4 questions")
		}
	}
	return nil
}

// checkMenu holds what a persistent menu must have: the default locale, and flat items with a title of 30 characters
// at most.
func checkMenu(p params) *Error {
	var menus []struct {
		Locale string `json:"locale"`
		Items  []struct {
			Type, Title, Payload, URL string
		} `json:"call_to_actions"`
	}
	if p.object("persistent_menu", &menus) != nil {
		return badParam("Param persistent_menu must be an array")
	}
	standard := false
	for _, m := range menus {
		standard = standard || m.Locale == "default"
		if len(m.Items) == 0 || len(m.Items) > 20 {
			return badParam("Param persistent_menu[call_to_actions] must hold 1 to 20 items")
		}
		for _, i := range m.Items {
			postback, link := i.Type == "postback" && i.Payload != "" && len(i.Payload) <= 1000, i.Type == "web_url" && webAddress(i.URL)
			if n := utf8.RuneCountInString(i.Title); n == 0 || n > 30 || !postback && !link {
				return badParam("Param persistent_menu[call_to_actions] has an item %q of type %q that is none", i.Title, i.Type)
			}
		}
	}
	if !standard {
		return badParam("Param persistent_menu must have a menu for the locale default")
	}
	return nil
}

// getProfile is GET /{page}/messenger_profile.
func (s *Sandbox) getProfile(c *call) (any, *Error) {
	shown := object{}
	for _, f := range c.params.list("fields") {
		if f == "subject_to_new_eu_privacy_rules" {
			shown[f] = false
		} else if v, ok := c.page.profile[f]; ok {
			shown[f] = v
		}
	}
	if len(shown) == 0 {
		return object{"data": []object{}}, nil
	}
	return object{"data": []object{shown}}, nil
}

// clearProfile is DELETE /{page}/messenger_profile.
func (s *Sandbox) clearProfile(c *call) (any, *Error) {
	wanted := c.params.list("fields")
	if len(wanted) == 0 {
		return nil, badParam("The parameter fields is required")
	}
	for _, f := range wanted {
		if !slices.Contains(profileFields(), f) {
			return nil, badParam("Param fields[0] must be one of {GET_STARTED, GREETING, PERSISTENT_MENU, …} - got %q.", f)
		}
		delete(c.page.profile, f)
	}
	return object{"result": "success"}, nil
}

// getStarted is the payload of the Get Started button.
func (p *page) getStarted() string {
	var v struct {
		Payload string `json:"payload"`
	}
	if json.Unmarshal(p.profile["get_started"], &v) != nil {
		return ""
	}
	return v.Payload
}
