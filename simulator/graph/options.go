package graph

import (
	"log/slog"
	"net/http"
	"time"
)

// Options make a sandbox. The zero value of every field is useful, except that a gateway needs to know
// AppID, AppSecret and VerifyToken too.
type Options struct {
	AppID       string // default "1000"
	AppSecret   string // key of appsecret_proof and of webhook signatures; default "sandbox-secret"
	VerifyToken string // for the webhook's handshake; default "sandbox-verify"
	Version     string // the only version served, default "v26.0"

	// Now is Meta's clock: windows, rates, timestamps. Default time.Now.
	Now func() time.Time
	// Wall is the clock of Message.Arrived, which stop-watches compare with their own. Default time.Now.
	Wall func() time.Time

	// WebhookURL is where events go; empty: they wait until SetWebhook. Client sends them; default: a
	// client that gives up after 5 s, as Meta does.
	WebhookURL string
	Client     *http.Client

	// RetryMin and RetryMax bound the back-off between tries of a webhook; default 50 ms and 1 s, so that
	// a gateway that restarts is told soon. QueueLimit is how many events may wait; default 100,000. Events
	// beyond it are lost and counted.
	RetryMin, RetryMax time.Duration
	QueueLimit         int

	// ApproveAfter is how long a new template stays PENDING; 0: it is APPROVED at once.
	ApproveAfter time.Duration

	// RedirectURIs are where the login dialog may lead back to; empty: anywhere.
	RedirectURIs []string

	// Business owns the app, and every page that SetBusiness says nothing else of. Default "900".
	Business string

	// Rate is how many calls per second a page may make to the Send API before code 613; default 300,
	// negative: without limit.
	Rate int

	// DailyCalls is how many calls a page may make in a rolling day, Meta's 200 for each engaged person; when
	// it is set, answers tell how much is used, and beyond it there is code 80006. Default: without limit.
	DailyCalls int

	// Unsubscribed lets pages begin without webhook subscription, as if nobody had clicked in the app's
	// dashboard: only POST subscribed_apps turns their webhooks on.
	Unsubscribed bool

	// ReadAtOnce makes every person read every message when it arrives, which sends message_reads.
	ReadAtOnce bool

	Seed   uint64
	Faults Faults
	Logger *slog.Logger // default: discards
}

// withDefaults returns o with its defaults filled in.
func (o Options) withDefaults() Options {
	o.AppID = or(o.AppID, "1000")
	o.AppSecret = or(o.AppSecret, "sandbox-secret")
	o.VerifyToken = or(o.VerifyToken, "sandbox-verify")
	o.Version = or(o.Version, "v26.0")
	o.RetryMin = or(o.RetryMin, 50*time.Millisecond)
	o.RetryMax = or(o.RetryMax, time.Second)
	o.QueueLimit = or(o.QueueLimit, 100_000)
	o.Rate = or(o.Rate, 300)
	o.Business = or(o.Business, "900")
	o.Client = or(o.Client, &http.Client{Timeout: 5 * time.Second})
	o.Logger = or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	return o
}

// or returns v, or the fallback when v is zero.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
