package lex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"outrider/identity"
)

// FulfilmentPath is where the gateway takes events.
const FulfilmentPath = "/lex/fulfillment"

// ForwarderOptions is what a Forwarder needs. All but Logger are required.
type ForwarderOptions struct {
	URL    string // of the gateway
	Key    identity.Token
	HTTP   *http.Client // with a time-out
	Logger *slog.Logger // nil: silent
}

// Forwarder passes events of Lex on to a gateway. It is safe for many goroutines.
type Forwarder struct {
	o        ForwarderOptions
	endpoint string
}

// NewForwarder checks the options. The key would travel in the clear over http, so that is for this machine only.
func NewForwarder(o ForwarderOptions) (*Forwarder, error) {
	u, err := url.Parse(o.URL)
	local := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && local):
		return nil, fmt.Errorf("OUTRIDER_URL: expected https://… of the gateway, got %q", o.URL)
	case o.Key.Empty():
		return nil, errors.New("OUTRIDER_LEX_KEY: expected the gateway's setting lex.key")
	case o.HTTP == nil:
		return nil, errors.New("lex: a forwarder needs HTTP")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Forwarder{o, u.JoinPath(FulfilmentPath).String()}, nil
}

// Invoke answers one event. It never fails: a person who wrote something gets an answer, an apology if need be.
func (f *Forwarder) Invoke(ctx context.Context, event json.RawMessage) (json.RawMessage, error) {
	answer, err := f.ask(ctx, event)
	if err != nil {
		f.o.Logger.Error("the gateway did not answer", "cause", err)
		return Apology(event), nil
	}
	return answer, nil
}

func (f *Forwarder) ask(ctx context.Context, event []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.endpoint, bytes.NewReader(event))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+f.o.Key.Reveal())
	a, err := f.o.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(io.LimitReader(a.Body, maxEvent))
	switch {
	case err != nil:
		return nil, err
	case a.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", a.Status, short(string(body), 500))
	case !json.Valid(body):
		return nil, errors.New("the answer is no JSON")
	}
	return body, nil
}
