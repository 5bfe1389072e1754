package messenger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
)

// Client sends messages by the Send API. It is safe for many goroutines.
type Client struct {
	graph     *graph.Client
	directory *identity.Directory
}

var _ notify.Sender = (*Client)(nil)

// NewClient returns a client that finds the pages' tokens in the directory.
func NewClient(g *graph.Client, d *identity.Directory) *Client { return &Client{g, d} }

// Send implements notify.Sender.
func (c *Client) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	page, known := c.directory.Page(m.Page)
	switch {
	case !known:
		return notify.Receipt{}, &notify.Error{Reason: notify.ReasonUnknownPage, Page: true, Text: "the page is not registered"}
	case page.AccessToken.Empty():
		return notify.Receipt{}, &notify.Error{Reason: notify.ReasonNoToken, Page: true, Text: "the page has no access token"}
	}
	body, err := request(m)
	if err != nil {
		return notify.Receipt{}, &notify.Error{Reason: notify.ReasonBadRequest, Text: err.Error()}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return notify.Receipt{}, &notify.Error{Reason: notify.ReasonBadRequest, Text: err.Error()}
	}
	var (
		answer struct {
			MessageID string `json:"message_id"`
		}
		seen graph.Seen
	)
	call := graph.Call{Method: "POST", Node: string(m.Page), Edge: "messages", Body: json.RawMessage(raw), Token: page.AccessToken, Seen: &seen}
	err = c.graph.Do(ctx, call, &answer)
	x := notify.Exchange{Status: seen.Status, Request: shown(raw, m), Response: seen.Body}
	if err != nil {
		e := meaning(m.Route, err)
		e.Exchange = x
		return notify.Receipt{}, e
	}
	if answer.MessageID == "" {
		return notify.Receipt{}, &notify.Error{Reason: notify.ReasonAmbiguous, Text: "the answer names no message", Exchange: x}
	}
	return notify.Receipt{MessageID: answer.MessageID, Exchange: x}, nil
}

// shownLimit bounds what of a request is kept for the trace, in bytes.
const shownLimit = 4096

// shown is a request as the trace shows it: without the signature of the picture's address, which lets anybody see
// the picture.
func shown(raw []byte, m notify.Message) string {
	text := string(raw)
	if m.Card != nil {
		bare, _, signed := strings.Cut(m.Card.Image, "?")
		if quoted, err := json.Marshal(m.Card.Image); err == nil && signed {
			text = strings.ReplaceAll(text, strings.Trim(string(quoted), `"`), bare+"?REDACTED")
		}
	}
	if len(text) > shownLimit {
		text = strings.ToValidUTF8(text[:shownLimit], "") + "…"
	}
	return text
}

// meaning puts an error of a call into notify's words.
func meaning(route notify.Route, err error) *notify.Error {
	e, ok := errors.AsType[*graph.Error](err)
	if !ok {
		return &notify.Error{Reason: notify.ReasonAmbiguous, Text: err.Error()}
	}
	a := actionFor(route, e)
	if a.retry {
		a.after = max(a.after, e.After)
	}
	return &notify.Error{
		Reason: a.reason, Retry: a.retry, Page: a.page, After: a.after,
		Code: e.Code, Subcode: e.Subcode, Text: words(e),
	}
}

// words is what an operator reads of an error, with the trace id for Meta's support.
func words(e *graph.Error) string {
	text := e.Message
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.TraceID != "" {
		text += " (trace " + e.TraceID + ")"
	}
	return text
}
