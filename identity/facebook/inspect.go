package facebook

import (
	"context"
	"net/http"
	"slices"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
)

// TokenFacts is what debug_token says of a token. It does not hold the token.
type TokenFacts struct {
	Valid       bool
	Type        string // PAGE, USER, APP
	App         string // id of the app it is for
	Page        identity.PageID
	Scopes      []string
	Expires     time.Time // zero: never
	DataExpires time.Time // when Graph stops answering about the person behind it; zero: never
	Problem     string    // why it is not valid, in Graph's words
	Subcode     int       // of the problem: 460 the password was changed, 458 the app was removed, 463 expired
}

// MissingScopes lists the permissions a page needs and the token lacks. Utility messages count under both of their
// spellings: the dialog knows one, Meta's documents the other.
func (t TokenFacts) MissingScopes() []string {
	var missing []string
	for _, scope := range RequiredScopes() {
		has := slices.Contains(t.Scopes, scope)
		if scope == "pages_utility_messaging" {
			has = has || slices.Contains(t.Scopes, "page_utility_messaging")
		}
		if !has {
			missing = append(missing, scope)
		}
	}
	return missing
}

// RequiredScopes are the permissions without which alerts do not go out or webhooks do not come in.
func RequiredScopes() []string {
	return []string{"pages_manage_metadata", "pages_messaging", "pages_utility_messaging"}
}

// Inspect asks debug_token about a token, on behalf of the app.
func Inspect(ctx context.Context, call func(context.Context, graph.Call, any) error, token, app identity.Token) (TokenFacts, error) {
	var a struct {
		Data struct {
			Valid       bool       `json:"is_valid"`
			Type        string     `json:"type"`
			App         flexString `json:"app_id"`
			Profile     flexString `json:"profile_id"`
			Scopes      []string   `json:"scopes"`
			Granular    []granular `json:"granular_scopes"`
			Expires     flexInt    `json:"expires_at"`
			DataExpires flexInt    `json:"data_access_expires_at"`
			Error       struct {
				Message string  `json:"message"`
				Subcode flexInt `json:"subcode"`
			} `json:"error"`
		} `json:"data"`
	}
	err := call(ctx, graph.Call{Method: http.MethodGet, Edge: "debug_token", Token: app,
		Secret: map[string]string{"input_token": token.Reveal()}}, &a)
	d := a.Data
	f := TokenFacts{
		Valid: d.Valid, Type: d.Type, App: string(d.App), Page: identity.PageID(d.Profile), Scopes: d.Scopes,
		Expires: d.Expires.time(), DataExpires: d.DataExpires.time(), Problem: d.Error.Message, Subcode: int(d.Error.Subcode),
	}
	for _, g := range d.Granular {
		if !slices.Contains(f.Scopes, g.Scope) {
			f.Scopes = append(f.Scopes, g.Scope)
		}
	}
	return f, err
}

// granular is a permission that may be limited to some objects.
type granular struct {
	Scope string `json:"scope"`
}
