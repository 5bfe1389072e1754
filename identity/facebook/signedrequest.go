package facebook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"outrider/identity"
)

// SignedRequest is what Meta sends when a person removes the app or wants to be forgotten.
type SignedRequest struct {
	User    identity.ASID
	Issued  time.Time // zero: it does not say
	Expires time.Time // zero: never
}

// Errors of a signed request. None of them repeats it.
var (
	ErrSignedForm      = errors.New("facebook: signed request: expected two parts in base64url with a dot between")
	ErrSignedSignature = errors.New("facebook: signed request: wrong signature")
	ErrSignedContent   = errors.New("facebook: signed request: expected a JSON object with algorithm HMAC-SHA256 and user_id")
	ErrSignedStale     = errors.New("facebook: signed request: expired or too old")
)

// signedLimit is the longest signed request that is read, in bytes.
const signedLimit = 16 << 10

// signedAge is how old a signed request may be: Meta sends it at once, and tries again for a while. An older one was
// kept by somebody.
const signedAge = 7 * 24 * time.Hour

// ParseSignedRequest verifies and reads a signed request, "signature.payload". The signature is HMAC-SHA256 with the
// app secret over the encoded payload exactly as it came; both parts are base64url, with or without padding.
// Source: Meta, App Dashboard, Data Deletion Request Callback.
func ParseSignedRequest(text string, secret identity.Token, now time.Time) (SignedRequest, error) {
	signature, payload, ok := strings.Cut(text, ".")
	if !ok || len(text) > signedLimit || secret.Empty() {
		return SignedRequest{}, ErrSignedForm
	}
	got, err := decodeBase64(signature)
	if err != nil {
		return SignedRequest{}, ErrSignedForm
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(payload))
	if !hmac.Equal(mac.Sum(nil), got) {
		return SignedRequest{}, ErrSignedSignature
	}
	raw, err := decodeBase64(payload)
	if err != nil {
		return SignedRequest{}, ErrSignedForm
	}
	return readSigned(raw, now)
}

func readSigned(raw []byte, now time.Time) (SignedRequest, error) {
	var p struct {
		Algorithm string     `json:"algorithm"`
		User      flexString `json:"user_id"`
		Issued    flexInt    `json:"issued_at"`
		Expires   flexInt    `json:"expires"`
	}
	if err := json.Unmarshal(raw, &p); err != nil || !strings.EqualFold(p.Algorithm, "HMAC-SHA256") || p.User == "" {
		return SignedRequest{}, ErrSignedContent
	}
	s := SignedRequest{User: identity.ASID(p.User), Issued: p.Issued.time(), Expires: p.Expires.time()}
	if !s.Expires.IsZero() && !now.Before(s.Expires) || !s.Issued.IsZero() && now.Sub(s.Issued) > signedAge {
		return SignedRequest{}, ErrSignedStale
	}
	return s, nil
}

// decodeBase64 reads either alphabet of base64, padded or not.
func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	return base64.RawURLEncoding.DecodeString(s)
}

// SignRequest makes a signed request, as Meta does.
func SignRequest(user identity.ASID, secret identity.Token, issued time.Time) string {
	raw := fmt.Appendf(nil, `{"user_id":%q,"algorithm":"HMAC-SHA256","issued_at":%d}`, string(user), issued.Unix())
	payload := base64.RawURLEncoding.EncodeToString(raw)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + payload
}
