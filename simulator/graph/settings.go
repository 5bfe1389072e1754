package graph

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Deletion is the answer of a data deletion callback.
type Deletion struct {
	URL  string `json:"url"`
	Code string `json:"confirmation_code"`
}

// SetCallbacks changes where the app wants to hear of people who remove it, and of those who want their data deleted.
func (s *Sandbox) SetCallbacks(deauthorize, deletion string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deauthorize, s.deletion = deauthorize, deletion
}

// RemoveApp lets a person remove the app: their tokens and those of their pages die with 190/458, and the app is told.
func (s *Sandbox) RemoveApp(ctx context.Context, asid string) error {
	s.mu.Lock()
	u, ok := s.users[asid]
	to := s.deauthorize
	if ok {
		s.removed(u)
	}
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("remove app of user %q: %w", asid, ErrUnknown)
	}
	_, err := s.callBack(ctx, to, asid)
	return err
}

// removed kills the tokens that hang on a person's consent. Callers hold s.mu.
func (s *Sandbox) removed(u *user) {
	for _, t := range s.tokens {
		mine := t.kind == userToken && t.user == u.asid
		if p := s.pages[t.page]; mine || p != nil && p.grantor == u.asid {
			t.revoked = 458
		}
	}
}

// RequestDeletion lets a person ask for their data to be deleted, and returns what the app answered.
func (s *Sandbox) RequestDeletion(ctx context.Context, asid string) (Deletion, error) {
	s.mu.Lock()
	to := s.deletion
	s.mu.Unlock()
	var d Deletion
	body, err := s.callBack(ctx, to, asid)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(body, &d); err != nil || d.URL == "" || d.Code == "" {
		return d, fmt.Errorf("graph: deletion callback answered %q, want JSON with url and confirmation_code", body)
	}
	return d, nil
}

// callBack posts a signed request.
func (s *Sandbox) callBack(ctx context.Context, to, asid string) ([]byte, error) {
	form := url.Values{"signed_request": {s.SignedRequest(asid)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("graph: callback %q: %w", to, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.options.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("graph: callback: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("graph: callback answered with %d", resp.StatusCode)
	}
	return body, err
}

// SignedRequest is what Meta posts for a person: signature and payload in base64url, the signature over the encoded
// payload.
func (s *Sandbox) SignedRequest(asid string) string {
	raw, _ := json.Marshal(object{"algorithm": "HMAC-SHA256", "issued_at": s.now().Unix(), "user_id": asid}) // plain values
	payload := base64.RawURLEncoding.EncodeToString(raw)
	mac := hmac.New(sha256.New, []byte(s.options.AppSecret))
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + payload
}

// appSettings is the page of a person's settings where apps are removed.
func (s *Sandbox) appSettings(r *http.Request) (int, sitePage) {
	p := sitePage{Where: "Facebook's settings", Title: "Apps and websites"}
	q := r.URL.Query()
	switch {
	case q.Has("remove"):
		if err := s.RemoveApp(r.Context(), q.Get("remove")); err != nil {
			return http.StatusBadGateway, sitePage{Where: p.Where, Title: "Not removed", Texts: []string{err.Error()}}
		}
		p.Texts = []string{"The app was removed, and told so."}
	case q.Has("delete"):
		d, err := s.RequestDeletion(r.Context(), q.Get("delete"))
		if err != nil {
			return http.StatusBadGateway, sitePage{Where: p.Where, Title: "Not asked for", Texts: []string{err.Error()}}
		}
		p.Texts = []string{"The app was asked to delete everything. Confirmation code: " + d.Code}
		p.Links = append(p.Links, siteLink{"What the app says", d.URL})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asid := range sortedKeys(s.users) {
		name := s.users[asid].name
		p.Links = append(p.Links, siteLink{name + ": remove the app", "/settings/apps?" + url.Values{"remove": {asid}}.Encode()},
			siteLink{name + ": ask the app to delete my data", "/settings/apps?" + url.Values{"delete": {asid}}.Encode()})
	}
	return http.StatusOK, p
}
