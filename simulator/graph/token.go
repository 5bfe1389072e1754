package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// tokenKind is whom an access token speaks for.
type tokenKind string

const (
	appToken  tokenKind = "APP"
	userToken tokenKind = "USER"
	pageToken tokenKind = "PAGE"
)

// token is an access token the sandbox has issued.
type token struct {
	value   string
	kind    tokenKind
	page    string    // of a page token
	user    string    // ASID, of a user token
	issued  time.Time // zero: unknown
	expires time.Time // zero: never
	revoked int       // subcode of 190, 0: not revoked
}

// refusal returns why the token is not good at the time, or nil.
func (t *token) refusal(now time.Time) *Error {
	switch {
	case t.revoked != 0:
		return tokenInvalid(t.revoked)
	case !t.expires.IsZero() && !now.Before(t.expires):
		return tokenInvalid(463)
	}
	return nil
}

// Proof returns the appsecret_proof of a token: hex of HMAC-SHA256 keyed with the app secret.
func Proof(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

// bearer returns the access token of a request: header, query, form or body.
func bearer(r *http.Request, p params) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return t
	}
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth "); ok {
		return t
	}
	return p.text("access_token")
}

// authenticate finds the token of a request and checks its proof. Callers hold s.mu.
func (s *Sandbox) authenticate(r *http.Request, p params) (*token, *Error) {
	value := bearer(r, p)
	if value == "" {
		return nil, tokenMissing()
	}
	t, ok := s.tokens[value]
	if !ok {
		return nil, tokenInvalid(0)
	}
	if e := t.refusal(s.now()); e != nil {
		return nil, e
	}
	return t, s.checkProof(t, p.text("appsecret_proof"))
}

// checkProof wants a proof with every token but the app's own, which already holds the secret.
func (s *Sandbox) checkProof(t *token, proof string) *Error {
	switch {
	case proof == "" && t.kind == appToken:
		return nil
	case proof == "":
		return proofMissing()
	case !hmac.Equal([]byte(proof), []byte(Proof(s.options.AppSecret, t.value))):
		return proofInvalid()
	}
	return nil
}

// RevokeToken makes a token answer code 190 with the subcode: 460 the password was changed, 458 the app was
// removed, 463 expired. It reports whether the token exists.
func (s *Sandbox) RevokeToken(value string, subcode int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[value]
	if ok {
		t.revoked = subcode
	}
	return ok
}

// RestoreToken undoes RevokeToken.
func (s *Sandbox) RestoreToken(value string) bool { return s.RevokeToken(value, 0) }

// Tokens lists every access token the sandbox has given out, for tests that look whether one shows where it should not.
func (s *Sandbox) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedKeys(s.tokens)
}
