package graph

import (
	"fmt"
	"strings"
	"time"
)

// loginCode is what the login dialog gives for a person.
type loginCode struct {
	asid     string
	redirect string // address it was given to; empty: any
}

// Login returns a one-time code, as the login dialog hands to the redirect address.
func (s *Sandbox) Login(asid string) (code string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.users[asid]; !ok {
		return "", fmt.Errorf("log in user %q: %w", asid, ErrUnknown)
	}
	return s.code(asid, ""), nil
}

// code returns a fresh login code. Callers hold s.mu.
func (s *Sandbox) code(asid, redirect string) string {
	code := s.id("AQ")
	s.codes[code] = loginCode{asid, redirect}
	return code
}

// exchange is GET /oauth/access_token: code → short token → long token, or the app's own token.
func (s *Sandbox) exchange(c *call) (any, *Error) {
	p := c.params
	if p.text("client_id") != s.options.AppID {
		return nil, refuse(101, 0, "Error validating application. Cannot get application info due to a system error.")
	}
	if p.text("client_secret") != s.options.AppSecret {
		return nil, refuse(1, 0, "Error validating client secret.")
	}
	switch p.text("grant_type") {
	case "client_credentials":
		return map[string]string{"access_token": s.options.AppID + "|" + s.options.AppSecret, "token_type": "bearer"}, nil
	case "fb_exchange_token":
		return s.lengthen(p.text("fb_exchange_token"))
	}
	return s.redeem(p.text("code"), p.text("redirect_uri"))
}

// redeem turns a login code into a short user token, once.
func (s *Sandbox) redeem(code, redirect string) (any, *Error) {
	c, ok := s.codes[code]
	switch {
	case !ok:
		return nil, refuse(100, 36009, "This authorization code has been used or is invalid.")
	case c.redirect != "" && c.redirect != redirect:
		return nil, refuse(100, 36008, "Error validating verification code. Please make sure your redirect_uri is identical to the one you "+
			"used in the OAuth dialog request")
	}
	delete(s.codes, code)
	return s.issue(c.asid, shortLife), nil
}

// lengthen turns a living user token into a long one.
func (s *Sandbox) lengthen(value string) (any, *Error) {
	t, ok := s.tokens[value]
	if !ok || t.kind != userToken {
		return nil, tokenInvalid(0)
	}
	if e := t.refusal(s.now()); e != nil {
		return nil, e
	}
	return s.issue(t.user, longLife), nil
}

func (s *Sandbox) issue(asid string, life time.Duration) any {
	now := s.now()
	t := &token{value: s.id("EAAuser"), kind: userToken, user: asid, issued: now, expires: now.Add(life)}
	s.tokens[t.value] = t
	return map[string]any{"access_token": t.value, "token_type": "bearer", "expires_in": int(life.Seconds())}
}

// scopes are what the app was granted.
func scopes() []string {
	return []string{
		"pages_show_list", "pages_manage_metadata", "pages_messaging", "pages_read_engagement",
		"business_management", "pages_utility_messaging", "public_profile",
	}
}

// debugToken is GET /debug_token.
func (s *Sandbox) debugToken(c *call) (any, *Error) {
	input := c.params.text("input_token")
	t, ok := s.tokens[input]
	if input == "" || !ok {
		return object{"data": object{
			"is_valid": false, "scopes": []string{},
			"error": object{"code": 190, "message": "Invalid OAuth access token."},
		}}, nil
	}
	data := object{
		"app_id": s.options.AppID, "application": "Sandbox", "type": string(t.kind), "is_valid": true,
		"expires_at": unixOrZero(t.expires), "data_access_expires_at": s.now().Add(90 * 24 * time.Hour).Unix(),
		"issued_at": unixOrZero(t.issued), "scopes": s.granted, "granular_scopes": s.granular(t),
	}
	if t.kind == pageToken {
		data["profile_id"] = t.page
	} else if t.kind == userToken {
		data["user_id"] = t.user
	}
	if e := t.refusal(s.now()); e != nil {
		data["is_valid"], data["error"] = false, object{"code": 190, "subcode": e.Subcode, "message": e.Message}
	}
	return object{"data": data}, nil
}

// granular says for which pages a permission was granted.
func (s *Sandbox) granular(t *token) []object {
	list := []object{}
	for _, scope := range s.granted {
		o := object{"scope": scope}
		if t.kind == pageToken && strings.HasPrefix(scope, "pages_") {
			o["target_ids"] = []string{t.page}
		}
		list = append(list, o)
	}
	return list
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
