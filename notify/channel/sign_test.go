package channel

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// The vector of the Standard Webhooks specification.
func TestStandardWebhooksVector(t *testing.T) {
	t.Parallel()
	u := &url.URL{Scheme: webhookTLS, User: url.User("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}
	key, err := signingSecret(u)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	sign(h, key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got, want := h.Get("Webhook-Signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}
