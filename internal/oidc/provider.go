package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"outrider/identity"
)

// Why an attempt came to nothing. What wraps none of them is a fault of the provider or of the way to it.
var (
	ErrAttempt   = errors.New("oidc: the attempt is unknown, of another browser, or too old")
	ErrCancelled = errors.New("oidc: the provider was not willing, or the person was not")
	ErrClaim     = errors.New("oidc: the provider does not say who it is")
)

const (
	attemptLife = 10 * time.Minute // in which somebody signs in at the provider
	askLimit    = 15 * time.Second // for the provider's answer
	sealedAs    = "oidc/attempt"   // a sealed attempt is nothing else
)

// Sealer protects an attempt while the browser keeps it.
type Sealer interface {
	Seal(plain, context string) (string, error)
	Open(sealed, context string) (string, error)
}

// Options is what a provider is made of. Issuer, ClientID, Sealer and Now are required.
type Options struct {
	Issuer   string // base URL; its discovery document is below it
	ClientID string
	Secret   identity.Token // empty: a public client, which PKCE alone protects
	Scopes   []string       // besides openid; nil: profile and email
	Claim    string         // that says who somebody is; empty: email, which the provider must have verified
	Sealer   Sealer
	Now      func() time.Time
	HTTP     *http.Client // nil: one that waits 15 s
}

// Provider is one OpenID Connect provider. It is asked for its addresses when it is first needed, so that a gateway starts
// while it is down. It is safe for many goroutines.
type Provider struct {
	o Options

	mu    sync.Mutex // guards known
	known *oidc.Provider
}

// New returns a provider; nothing is asked yet.
func New(o Options) (*Provider, error) {
	if o.Issuer == "" || o.ClientID == "" || o.Sealer == nil || o.Now == nil {
		return nil, errors.New("oidc: a provider needs Issuer, ClientID, Sealer and Now")
	}
	if o.Scopes == nil {
		o.Scopes = []string{"profile", "email"}
	}
	if o.Claim == "" {
		o.Claim = "email"
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: askLimit}
	}
	return &Provider{o: o}, nil
}

// Person is who somebody is, by the provider's word.
type Person struct {
	ID   string // the claim
	Name string // empty: the provider does not say
}

// attempt is what the browser keeps, sealed, between the two halves of signing in.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	Begun    int64  `json:"begun"`    // Unix seconds
}

// Begin returns the address at which somebody signs in, and what their browser must bring back to End. The provider
// sends them to redirect.
func (p *Provider) Begin(ctx context.Context, redirect string) (address, kept string, err error) {
	config, _, err := p.client(ctx, redirect)
	if err != nil {
		return "", "", err
	}
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Begun: p.o.Now().Unix()}
	text, err := json.Marshal(a)
	if err != nil {
		return "", "", fmt.Errorf("oidc: keep the attempt: %w", err)
	}
	if kept, err = p.o.Sealer.Seal(string(text), sealedAs); err != nil {
		return "", "", fmt.Errorf("oidc: keep the attempt: %w", err)
	}
	return config.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), kept, nil
}

// End redeems the code that the provider sent somebody back with. kept is what Begin returned; redirect must be the same.
func (p *Provider) End(ctx context.Context, redirect, kept, state, code string) (Person, error) {
	a, err := p.attempt(kept, state)
	if err != nil {
		return Person{}, err
	}
	if code == "" {
		return Person{}, ErrCancelled
	}
	config, provider, err := p.client(ctx, redirect)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.o.HTTP)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Person{}, exchangeFault(err)
	}
	raw, _ := token.Extra("id_token").(string)
	checked, err := provider.Verifier(&oidc.Config{ClientID: p.o.ClientID, Now: p.o.Now}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("oidc: the provider's word about the person: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(checked.Nonce), []byte(a.Nonce)) != 1 {
		return Person{}, ErrAttempt
	}
	return p.person(checked)
}

// attempt opens what the browser kept, and checks that it belongs to this answer.
func (p *Provider) attempt(kept, state string) (attempt, error) {
	var a attempt
	text, err := p.o.Sealer.Open(kept, sealedAs)
	if err != nil || json.Unmarshal([]byte(text), &a) != nil {
		return a, ErrAttempt
	}
	age := p.o.Now().Sub(time.Unix(a.Begun, 0))
	if subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 || age > attemptLife {
		return a, ErrAttempt
	}
	return a, nil
}

// exchangeFault keeps what the provider says of a refusal and leaves out its answer, which may quote the code.
func exchangeFault(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("oidc: the provider refused the code: %d %s", refused.Response.StatusCode, refused.ErrorCode)
	}
	return fmt.Errorf("oidc: ask the provider: %w", err)
}

// person reads the claims. A mail address counts only when the provider has verified it: else whoever writes
// somebody's address into a profile would be them.
func (p *Provider) person(t *oidc.IDToken) (Person, error) {
	var claims map[string]any
	if err := t.Claims(&claims); err != nil {
		return Person{}, fmt.Errorf("oidc: read the claims: %w", err)
	}
	id, _ := claims[p.o.Claim].(string)
	if id = strings.TrimSpace(id); id == "" {
		return Person{}, fmt.Errorf("%w: the claim %q is missing", ErrClaim, p.o.Claim)
	}
	if p.o.Claim == "email" && claims["email_verified"] != true {
		return Person{}, fmt.Errorf("%w: it has not verified the mail address", ErrClaim)
	}
	name, _ := claims["name"].(string)
	return Person{ID: id, Name: name}, nil
}

// client returns what speaks with the provider, after it was asked for its addresses.
func (p *Provider) client(ctx context.Context, redirect string) (*oauth2.Config, *oidc.Provider, error) {
	p.mu.Lock()
	known := p.known
	p.mu.Unlock()
	if known == nil {
		var err error
		// The keys are fetched later with this context: it must not end with the request.
		known, err = oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.o.HTTP), p.o.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("oidc: ask %s for its addresses: %w", p.o.Issuer, err)
		}
		p.mu.Lock()
		p.known = known
		p.mu.Unlock()
	}
	return &oauth2.Config{
		ClientID: p.o.ClientID, ClientSecret: p.o.Secret.Reveal(), Endpoint: known.Endpoint(), RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.o.Scopes...),
	}, known, nil
}
