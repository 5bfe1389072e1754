package messenger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/notify"
)

// WebhookOptions is what a Webhook needs. Inbox and Now are required.
type WebhookOptions struct {
	VerifyToken identity.Token // what Meta must know in the handshake; empty: every handshake is refused
	AppSecret   identity.Token // key of the signatures; empty: every event is refused
	Inbox       notify.Inbox
	Now         func() time.Time

	// Wake is told of pages for which deliveries may have become due. It must not block. nil: nobody is told.
	Wake func(identity.PageID)
	// Received is told what events changed, when they linked an owner, stopped or freed a page, or brought a login or
	// words. It must not block. nil: nobody is told.
	Received func(notify.Received)
	// Hears says that somebody wants to hear what people say: it is kept until it was heard. See [notify.Reader].
	Hears bool

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: unregistered

	MaxBody int64         // bytes of one request; 0: 1 MiB
	Timeout time.Duration // for storing; 0: 4 s, since Meta waits for 5
}

// Webhook is what Meta calls. Its answers:
//
//	GET   200 with the challenge, or 403: wrong verify token
//	POST  200 stored, or nothing in it for us
//	      400 signed, but not JSON · 401 no signature · 403 wrong signature, or no app secret is set
//	      413 too large · 500 not stored: Meta sends it again
//	else  405
//
// It is safe for many goroutines.
type Webhook struct {
	o       WebhookOptions
	metrics *webhookMetrics
	warned  sync.Once // that nothing can be verified
}

var _ http.Handler = (*Webhook)(nil)

// NewWebhook returns the handler. It panics without Inbox or Now.
func NewWebhook(o WebhookOptions) *Webhook {
	if o.Inbox == nil || o.Now == nil {
		panic("messenger: a webhook needs Inbox and Now")
	}
	if o.Wake == nil {
		o.Wake = func(identity.PageID) {}
	}
	if o.Received == nil {
		o.Received = func(notify.Received) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 4 * time.Second
	}
	return &Webhook{o: o, metrics: newWebhookMetrics(o.Registerer)}
}

// ServeHTTP implements http.Handler.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		h.handshake(w, r)
	case http.MethodPost:
		h.receive(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		h.refuse(w, http.StatusMethodNotAllowed, refusedMethod)
	}
}

// handshake proves to Meta that the address is ours, and lets Meta prove that it was asked to call.
func (h *Webhook) handshake(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("hub.mode") != "subscribe" || !h.knows(q.Get("hub.verify_token")) {
		h.refuse(w, http.StatusForbidden, refusedVerify)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff") // the challenge is whatever the caller says
	_, _ = io.WriteString(w, q.Get("hub.challenge"))    // a caller that has gone needs no answer
}

// knows compares in constant time, whatever the length: both sides are hashed first.
func (h *Webhook) knows(word string) bool {
	want, got := sha256.Sum256([]byte(h.o.VerifyToken.Reveal())), sha256.Sum256([]byte(word))
	return !h.o.VerifyToken.Empty() && hmac.Equal(want[:], got[:])
}

// receive verifies, decodes and stores.
//
// ORDER: stored durably, then answered. A crash between the two makes Meta send again, and the keys of the
// events tell that they are known.
func (h *Webhook) receive(w http.ResponseWriter, r *http.Request) {
	if h.o.AppSecret.Empty() {
		h.warned.Do(func() {
			h.o.Logger.Error("every webhook is refused: facebook.app_secret is not set, so none can be verified")
		})
		h.refuse(w, http.StatusForbidden, refusedNoSecret)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.o.MaxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			h.refuse(w, http.StatusRequestEntityTooLarge, refusedTooLarge)
		} else {
			h.refuse(w, http.StatusBadRequest, refusedCut)
		}
		return
	}
	switch signature := r.Header.Get("X-Hub-Signature-256"); {
	case signature == "":
		h.refuse(w, http.StatusUnauthorized, refusedUnsigned)
	case !h.signed(body, signature):
		h.refuse(w, http.StatusForbidden, refusedSignature)
	default:
		h.store(w, r, body)
	}
}

// signed verifies a signature over the bytes as they came: Meta escapes what is not ASCII, so the same JSON
// written by anyone else has another signature.
func (h *Webhook) signed(body []byte, header string) bool {
	got, err := hex.DecodeString(strings.TrimPrefix(header, "sha256="))
	if err != nil || !strings.HasPrefix(header, "sha256=") {
		return false
	}
	mac := hmac.New(sha256.New, []byte(h.o.AppSecret.Reveal()))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), got)
}

func (h *Webhook) store(w http.ResponseWriter, r *http.Request, body []byte) {
	d, err := decode(body, h.o.Now(), h.o.Hears)
	if err != nil {
		h.o.Logger.Warn("webhook is not understood", "cause", err)
		h.refuse(w, http.StatusBadRequest, refusedMalformed)
		return
	}
	var received notify.Received
	if len(d.events) > 0 {
		// Not cut when Meta hangs up: what was begun is stored, and what is repeated is known.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.o.Timeout)
		defer cancel()
		if received, err = h.o.Inbox.Receive(ctx, d.events); err != nil {
			h.o.Logger.Error("webhook not stored", "events", len(d.events), "cause", err)
			h.refuse(w, http.StatusInternalServerError, refusedStore)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
	h.account(d, received)
	if received.Changed() {
		h.o.Received(received)
	}
	for _, page := range d.pages() {
		h.o.Wake(page)
	}
}

// account counts and logs what came.
func (h *Webhook) account(d *decoded, received notify.Received) {
	h.metrics.fresh.Add(float64(received.Fresh))
	for _, v := range received.Codes {
		h.metrics.codes.WithLabelValues(string(v)).Inc()
	}
	for kind, n := range d.counts {
		h.metrics.events.WithLabelValues(kind).Add(float64(n))
	}
	for _, e := range d.events {
		if e.Kind == notify.ThreadPolicy {
			h.o.Logger.Warn("policy enforcement", "page", e.Page, "action", e.Policy.Action, "reason", e.Policy.Reason)
		}
	}
	for _, l := range received.Linked {
		h.o.Logger.Info("owner linked", "tenant", l.Tenant, "owner", l.Owner, "page", l.Page)
	}
}

func (h *Webhook) refuse(w http.ResponseWriter, status int, reason string) {
	h.metrics.refused.WithLabelValues(reason).Inc()
	http.Error(w, http.StatusText(status), status)
}
