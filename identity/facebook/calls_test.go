package facebook_test

import (
	"net/http"

	"outrider/identity"
	graphapi "outrider/internal/graph"
)

// subscribe is the call that replaces a page's fields.
func subscribe(page identity.Page, fields string) graphapi.Call {
	return graphapi.Call{Method: http.MethodPost, Node: string(page.ID), Edge: "subscribed_apps", Token: page.AccessToken,
		Query: map[string][]string{"subscribed_fields": {fields}}}
}

// exchangeCall is a call to oauth/access_token.
func exchangeCall(more map[string]string) graphapi.Call {
	more["client_id"], more["client_secret"] = "1000", secretText
	return graphapi.Call{Method: http.MethodPost, Edge: "oauth/access_token", Secret: more}
}
