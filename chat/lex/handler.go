package lex

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"outrider/chat"
	"outrider/identity"
)

// Dialog answers people; a [chat.Dialog] does.
type Dialog interface {
	Answer(ctx context.Context, m chat.Message) (chat.Reply, error)
	Close(ctx context.Context, page identity.PageID, psid identity.PSID) error
}

var _ Dialog = (*chat.Dialog)(nil)

// Options is what a Handler needs. Dialog and Key are required.
type Options struct {
	Dialog Dialog
	// Key is what the Lambda must know: "Authorization: Bearer <key>".
	Key identity.Token
	// Page is whose people write when the event names no page, as those of V2 do. It may return "": none.
	Page func() identity.PageID
	// Wrote is told that a person wrote just now, which opens their 24 hour window. Nil: nobody is.
	Wrote  func(ctx context.Context, page identity.PageID, psid identity.PSID) error
	Logger *slog.Logger // nil: silent
}

// Bounds of a request. Lex gives a Lambda function 30 s, and people less.
const (
	maxEvent = 256 << 10
	timeout  = 8 * time.Second
)

// Handler is POST /lex/fulfillment. Its answers: 200 with Lex's answer, 401 without the key, 413, 422 with a problem
// document that names the field, 503 when the answer could not be found out. It is safe for many goroutines.
type Handler struct {
	o   Options
	key [sha256.Size]byte
}

// NewHandler checks the options.
func NewHandler(o Options) (*Handler, error) {
	if o.Dialog == nil || o.Key.Empty() {
		return nil, errors.New("lex: a handler needs Dialog and Key")
	}
	if o.Page == nil {
		o.Page = func() identity.PageID { return "" }
	}
	if o.Wrote == nil {
		o.Wrote = func(context.Context, identity.PageID, identity.PSID) error { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{o, sha256.Sum256([]byte(o.Key.Reveal()))}, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.known(r) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="outrider lex"`)
		refuse(w, http.StatusUnauthorized, "expected the header \"Authorization: Bearer <key>\" with the key of lex.key")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "expected an event of Lex of at most 256 KiB")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	answer, err := h.fulfil(ctx, body)
	if fault, ok := errors.AsType[*Fault](err); ok {
		refuse(w, http.StatusUnprocessableEntity, fault.Error())
		return
	}
	if err != nil {
		h.o.Logger.Error("lex event not answered", "cause", err)
		refuse(w, http.StatusServiceUnavailable, "the answer could not be found out; try again")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // fails only when the client has gone
}

func (h *Handler) known(r *http.Request) bool {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(key)))
	return subtle.ConstantTimeCompare(given[:], h.key[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

func (h *Handler) fulfil(ctx context.Context, body []byte) ([]byte, error) {
	e, err := parse(body)
	if err != nil {
		return nil, err
	}
	page := e.page()
	if page == "" {
		page = h.o.Page()
	}
	if page == "" {
		return nil, &Fault{attributePage, "the id of the page in this request attribute, or the setting lex.page"}
	}
	if err := h.o.Wrote(ctx, page, e.person()); err != nil {
		return nil, err
	}
	reply, err := h.o.Dialog.Answer(ctx, e.message(page))
	if err != nil {
		return nil, err
	}
	answer, err := e.answer(reply)
	if err == nil && reply.Closes {
		err = h.o.Dialog.Close(ctx, page, e.person())
	}
	return answer, err
}

// refuse answers with a problem document (RFC 9457).
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}) // cannot fail
	_, _ = w.Write(text)
}
