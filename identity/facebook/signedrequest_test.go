package facebook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// signed signs a payload, encoded as given.
func signed(secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + payload
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestParseSignedRequest(t *testing.T) {
	t.Parallel()
	good := `{"user_id":"218471","algorithm":"HMAC-SHA256","issued_at":1795694400}`
	for _, c := range []struct {
		what, text string
		want       facebook.SignedRequest
		err        error
	}{
		{"as Meta sends it", signed("secret", encoded(good)), facebook.SignedRequest{User: "218471", Issued: noon}, nil},
		{"padded, and the padding signed", signed("secret", base64.URLEncoding.EncodeToString([]byte(good+" "))), facebook.SignedRequest{User: "218471", Issued: noon}, nil},
		{"the id a number", signed("secret", encoded(`{"user_id":218471,"algorithm":"hmac-sha256"}`)), facebook.SignedRequest{User: "218471"}, nil},
		{"expires later", signed("secret", encoded(`{"user_id":"1","algorithm":"HMAC-SHA256","expires":1795694401}`)), facebook.SignedRequest{User: "1", Expires: noon.Add(time.Second)}, nil},
		{"expires now", signed("secret", encoded(`{"user_id":"1","algorithm":"HMAC-SHA256","expires":1795694400}`)), facebook.SignedRequest{}, facebook.ErrSignedStale},
		{"kept by somebody", signed("secret", encoded(`{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":1795000000}`)), facebook.SignedRequest{}, facebook.ErrSignedStale},
		{"another secret", signed("other", encoded(good)), facebook.SignedRequest{}, facebook.ErrSignedSignature},
		{"another payload", strings.Split(signed("secret", encoded(good)), ".")[0] + "." + encoded(strings.Replace(good, "218471", "218472", 1)), facebook.SignedRequest{}, facebook.ErrSignedSignature},
		{"another algorithm", signed("secret", encoded(`{"user_id":"1","algorithm":"none"}`)), facebook.SignedRequest{}, facebook.ErrSignedContent},
		{"nobody", signed("secret", encoded(`{"algorithm":"HMAC-SHA256"}`)), facebook.SignedRequest{}, facebook.ErrSignedContent},
		{"not JSON", signed("secret", encoded(`user`)), facebook.SignedRequest{}, facebook.ErrSignedContent},
		{"not base64", signed("secret", "{}"), facebook.SignedRequest{}, facebook.ErrSignedForm},
		{"one part", encoded(good), facebook.SignedRequest{}, facebook.ErrSignedForm},
		{"nothing", "", facebook.SignedRequest{}, facebook.ErrSignedForm},
		{"too long", signed("secret", strings.Repeat("A", 1<<15)), facebook.SignedRequest{}, facebook.ErrSignedForm},
	} {
		got, err := facebook.ParseSignedRequest(c.text, identity.NewToken("secret"), noon)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.what, got, err, c.want, c.err)
		}
	}
	if _, err := facebook.ParseSignedRequest(signed("", encoded(good)), identity.Token{}, noon); err == nil {
		t.Error("accepted without a secret")
	}
}

func ExampleParseSignedRequest() {
	secret := identity.NewToken("secret")
	text := facebook.SignRequest("218471", secret, noon)
	r, err := facebook.ParseSignedRequest(text, secret, noon)
	fmt.Println(r.User, err)
	// Output: 218471 <nil>
}

// Whatever comes: no crash, and nobody gets in who does not have the secret.
func FuzzSignedRequest(f *testing.F) {
	f.Add("secret", signed("secret", encoded(`{"user_id":"1","algorithm":"HMAC-SHA256"}`)), `{"user_id":7,"algorithm":"HMAC-SHA256","issued_at":"1795694400"}`)
	f.Add("", ".", `{}`)
	f.Add("x", "a.b.c", `{"user_id":{},"algorithm":1}`)
	f.Add("y", "==.==", `[]`)
	f.Fuzz(func(t *testing.T, secret, text, payload string) {
		r, err := facebook.ParseSignedRequest(text, identity.NewToken(secret+"not it"), noon)
		if err == nil {
			t.Fatalf("accepted %q as %+v", text, r)
		}
		if strings.Contains(err.Error(), secret) && len(secret) > 20 {
			t.Errorf("the error repeats the secret: %v", err)
		}
		r, err = facebook.ParseSignedRequest(signed(secret, encoded(payload)), identity.NewToken(secret), noon)
		if err == nil && (r.User == "" || secret == "" || !r.Expires.IsZero() && !noon.Before(r.Expires)) {
			t.Errorf("accepted %q as %+v", payload, r)
		}
	})
}
