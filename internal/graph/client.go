package graph

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outrider/identity"
)

// Options is what a Client is made of. URL and Version are required.
type Options struct {
	URL       string           // base, such as https://graph.facebook.com
	Version   string           // such as v26.0
	AppSecret identity.Token   // signs appsecret_proof; empty: calls go without
	HTTP      *http.Client     // nil: NewHTTPClient()
	Now       func() time.Time // nil: the machine's clock; for dates in Retry-After

	// OnUsage is told how much of its limits a node has used, when an answer says so. It must not block.
	OnUsage func(node string, u Usage)
}

// Client calls the Graph API. It is safe for many goroutines.
type Client struct {
	base   *url.URL // with version
	secret identity.Token
	http   *http.Client
	now    func() time.Time
	usage  func(string, Usage)
}

// New returns a client, or says what is wrong with the options.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, errors.New("graph: the base URL is not an http or https address")
	}
	if o.Version == "" || strings.Contains(o.Version, "/") {
		return nil, fmt.Errorf("graph: version %q is not one such as v26.0", o.Version)
	}
	if o.HTTP == nil {
		o.HTTP = NewHTTPClient()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnUsage == nil {
		o.OnUsage = func(string, Usage) {}
	}
	direct := *o.HTTP
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{base: base.JoinPath(o.Version), secret: o.AppSecret, http: &direct, now: o.Now, usage: o.OnUsage}, nil
}

// NewHTTPClient returns an HTTP client with a connection for each request in flight. Time-outs of whole
// requests are the callers' contexts.
func NewHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 1024, 256
	t.ResponseHeaderTimeout = 0
	return &http.Client{Transport: t}
}

// Call is one request.
type Call struct {
	Method string         // GET, POST or DELETE
	Node   string         // id of the object, "me", or empty
	Edge   string         // such as "messages"; may be empty
	Query  url.Values     // holds no secret
	Body   any            // sent as JSON; nil: none
	Token  identity.Token // empty: none
	Seen   *Seen          // filled with the answer; nil: not wanted
	// Secret holds parameters that nobody may read: a form in the body of a POST, which then has no other Body, and in
	// the query of a GET, where Graph takes them nowhere else.
	Secret map[string]string
}

// Seen is an answer as it came, for a trace that people read.
type Seen struct {
	Status int    // of HTTP; 0: there was none
	Body   string // without secrets, at most seenLimit bytes of it
}

// seenLimit bounds what of an answer is kept for a trace, in bytes.
const seenLimit = 2048

// String is the call without its parameters, for errors.
func (c Call) String() string { return c.Method + " /" + strings.Trim(c.Node+"/"+c.Edge, "/") }

// answerLimit bounds what is read of an answer, in bytes.
const answerLimit = 4 << 20

// Do makes a call and decodes the answer into out, unless that is nil. Its error is an *Error.
func (c *Client) Do(ctx context.Context, call Call, out any) error {
	req, err := c.request(ctx, call)
	if err != nil {
		return &Error{Message: fmt.Sprintf("%s cannot be written: %v", call, err)}
	}
	if err := context.Cause(ctx); err != nil {
		return &Error{Message: fmt.Sprintf("%s not sent: %v", call, err), NotSent: true}
	}
	var way journey
	resp, err := c.http.Do(req.WithContext(way.watch(ctx)))
	if err != nil {
		return c.lost(ctx, call, &way, err)
	}
	defer resp.Body.Close()
	if u, ok := parseUsage(resp.Header); ok {
		c.usage(call.Node, u)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil && resp.StatusCode < 300 {
		return c.lost(ctx, call, &way, err) // accepted, but who knows what the rest would have said
	}
	if call.Seen != nil {
		text := body[:min(len(body), seenLimit)]
		*call.Seen = Seen{resp.StatusCode, c.redact(call, strings.ToValidUTF8(string(text), "…"))}
	}
	return c.judge(call, resp, body, out)
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	u := c.base.JoinPath(url.PathEscape(call.Node), call.Edge)
	query := url.Values{}
	for name, values := range call.Query {
		query[name] = values
	}
	if !call.Token.Empty() && !c.secret.Empty() {
		query.Set("appsecret_proof", Proof(c.secret, call.Token))
	}
	body, contentType, err := call.content(query)
	if err != nil {
		return nil, err
	}
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, call.Method, u.String(), body)
	if err != nil {
		return nil, errors.New("the address is not valid")
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if !call.Token.Empty() {
		req.Header.Set("Authorization", "Bearer "+call.Token.Reveal())
	}
	return req, nil
}

// content is what goes in the body, nil if nothing does. Secrets that cannot go there go into the query.
func (c Call) content(query url.Values) (body io.Reader, contentType string, err error) {
	form := url.Values{}
	for name, value := range c.Secret {
		form.Set(name, value)
	}
	switch {
	case len(form) > 0 && c.Method == http.MethodPost:
		return strings.NewReader(form.Encode()), "application/x-www-form-urlencoded", nil
	case c.Body != nil:
		text, err := json.Marshal(c.Body)
		return bytes.NewReader(text), "application/json", err
	}
	for name := range form {
		query.Set(name, form.Get(name))
	}
	return nil, "", nil
}

// lost is the error of a request without an answer.
func (c *Client) lost(ctx context.Context, call Call, way *journey, err error) *Error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the URL, which holds the proof
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	e := &Error{NotSent: way.neverLeft(err)}
	e.Ambiguous = !e.NotSent
	e.Message = c.redact(call, fmt.Sprintf("%s without answer: %v", call, err))
	return e
}

// judge tells an answer from an error. Graph reports errors in any status, even in 200.
func (c *Client) judge(call Call, resp *http.Response, body []byte, out any) error {
	if e := parseError(body); e != nil {
		e.Status, e.After = resp.StatusCode, retryAfter(resp.Header, c.now())
		if u, ok := parseUsage(resp.Header); ok {
			e.After = max(e.After, u.Regain)
		}
		e.Message = c.redact(call, e.Message)
		return e
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &Error{
			Status: resp.StatusCode, After: retryAfter(resp.Header, c.now()),
			Message:   fmt.Sprintf("%s answered with %s and no error of Graph's", call, resp.Status),
			Ambiguous: resp.StatusCode >= 500, // a proxy gave up on Graph: it may have been done
		}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &Error{Status: resp.StatusCode, Ambiguous: true, Message: fmt.Sprintf("%s answered what is not the expected JSON", call)}
	}
	return nil
}

// redact cuts the secrets of the call out of a text.
func (c *Client) redact(call Call, text string) string {
	secrets := []string{call.Token.Reveal(), c.secret.Reveal(), Proof(c.secret, call.Token)}
	for _, value := range call.Secret {
		if len(value) > 3 { // shorter ones, a user's words or a number, are no secrets and may be anything's part
			secrets = append(secrets, value)
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "REDACTED")
		}
	}
	return text
}

// Proof is the appsecret_proof of a token: lower-case hexadecimal HMAC-SHA256 with the app secret as key.
func Proof(secret, token identity.Token) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(token.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}
