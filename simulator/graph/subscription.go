package graph

import (
	"net/http"
	"slices"
	"strings"
)

// appNode is GET /{app}.
func (s *Sandbox) appNode(c *call) object {
	answer := object{"id": s.options.AppID, "name": "Sandbox"}
	if strings.Contains(c.params.text("fields"), "owner_business") {
		answer["owner_business"] = object{"id": s.options.Business, "name": "Business " + s.options.Business}
	}
	return answer
}

// listSubscriptions is GET /{app}/subscriptions.
func (s *Sandbox) listSubscriptions(c *call) (any, *Error) {
	if c.node != s.options.AppID {
		return nil, noSuchObject(c.method, c.node)
	}
	url := s.pump.target()
	if url == "" {
		return object{"data": []object{}}, nil
	}
	names := []object{}
	for _, f := range fields() {
		names = append(names, object{"name": f, "version": s.options.Version})
	}
	return object{"data": []object{{"object": "page", "callback_url": url, "active": true, "fields": names}}}, nil
}

// subscribeApp is POST /{app}/subscriptions. The handshake with the callback is VerifyWebhook's.
func (s *Sandbox) subscribeApp(c *call) (any, *Error) {
	switch {
	case c.node != s.options.AppID:
		return nil, noSuchObject(http.MethodPost, c.node)
	case c.params.text("object") != "page":
		return nil, badParam("Param object must be one of {PAGE}")
	case c.params.text("verify_token") == "" || !webAddress(c.params.text("callback_url")):
		return nil, refuse(2200, 0, "callback verification failed")
	}
	s.pump.aim(c.params.text("callback_url"))
	return object{"success": true}, nil
}

// listSubscribed is GET /{page}/subscribed_apps.
func (s *Sandbox) listSubscribed(c *call) (any, *Error) {
	if !c.page.subscribed {
		return object{"data": []object{}}, nil
	}
	names := []string{}
	for _, f := range sortedKeys(c.page.fields) {
		if c.page.fields[f] {
			names = append(names, f)
		}
	}
	return object{"data": []object{{"id": s.options.AppID, "name": "Sandbox", "subscribed_fields": names}}}, nil
}

// subscribe is POST /{page}/subscribed_apps: the fields given replace the old ones.
func (s *Sandbox) subscribe(c *call) (any, *Error) {
	wanted := c.params.list("subscribed_fields")
	if len(wanted) == 0 {
		return nil, badParam("The parameter subscribed_fields is required.")
	}
	for _, f := range wanted {
		if !slices.Contains(fields(), f) && f != "feed" && f != "response_feedback" {
			return nil, badParam("Param subscribed_fields[0] must be one of {%s} - got %q.", strings.Join(fields(), ", "), f)
		}
	}
	clear(c.page.fields)
	c.page.subscribe(wanted)
	return object{"success": true}, nil
}

// unsubscribe is DELETE /{page}/subscribed_apps.
func (s *Sandbox) unsubscribe(c *call) (any, *Error) {
	c.page.subscribed = false
	clear(c.page.fields)
	return object{"success": true}, nil
}
