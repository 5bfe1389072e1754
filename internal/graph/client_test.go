package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
)

const (
	token  = "1234567890"
	secret = "1WDVGY78"
	proof  = "4894f81b47c53ccf240a1130d119db2c69833eac9be09adeebc8e7226fb73e73"
)

// client returns a client of a server that answers with handle.
func client(t *testing.T, handle http.HandlerFunc, change func(*graph.Options)) *graph.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	o := graph.Options{URL: server.URL, Version: "v26.0", AppSecret: identity.NewToken(secret), HTTP: server.Client()}
	if change != nil {
		change(&o)
	}
	c, err := graph.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func call() graph.Call {
	return graph.Call{Method: "POST", Node: "111", Edge: "messages", Body: map[string]string{"a": "ä"}, Token: identity.NewToken(token)}
}

// failure makes a call and returns its error.
func failure(t *testing.T, c *graph.Client, ctx context.Context) *graph.Error {
	t.Helper()
	err := c.Do(ctx, call(), &struct{}{})
	e, ok := errors.AsType[*graph.Error](err)
	if !ok {
		t.Fatalf("error %v, want a *graph.Error", err)
	}
	for _, s := range []string{token, secret, proof, "appsecret_proof"} {
		if strings.Contains(e.Error()+fmt.Sprintf("%+v", *e), s) {
			t.Errorf("the error contains a secret: %v", e)
		}
	}
	return e
}

func TestProofVector(t *testing.T) {
	t.Parallel()
	if got := graph.Proof(identity.NewToken(secret), identity.NewToken(token)); got != proof {
		t.Errorf("proof %s", got)
	}
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		json.NewEncoder(w).Encode(map[string]string{
			"line": r.Method + " " + r.URL.String(), "auth": r.Header.Get("Authorization"),
			"type": r.Header.Get("Content-Type"), "body": string(body),
		})
	}, nil)
	for _, x := range []struct {
		call graph.Call
		want map[string]string
	}{
		{call(), map[string]string{"line": "POST /v26.0/111/messages?appsecret_proof=" + proof,
			"auth": "Bearer " + token, "type": "application/json", "body": `{"a":"ä"}`}},
		{graph.Call{Method: "POST", Edge: "oauth/access_token", Secret: map[string]string{"code": "c&d", "client_secret": "s"}},
			map[string]string{"line": "POST /v26.0/oauth/access_token", "auth": "", "type": "application/x-www-form-urlencoded", "body": "client_secret=s&code=c%26d"}},
		{graph.Call{Method: "GET", Edge: "debug_token", Secret: map[string]string{"input_token": "t"}, Query: url.Values{"a": {"b"}}},
			map[string]string{"line": "GET /v26.0/debug_token?a=b&input_token=t", "auth": "", "type": "", "body": ""}},
		{graph.Call{Method: "GET", Node: "1/../2?x", Edge: "message_templates", Query: url.Values{"name": {"a b"}}},
			map[string]string{"line": "GET /v26.0/1%2F..%2F2%3Fx/message_templates?name=a+b", "auth": "", "type": "", "body": ""}},
	} {
		var got map[string]string
		if err := c.Do(t.Context(), x.call, &got); err != nil {
			t.Fatal(err)
		}
		for k, want := range x.want {
			if got[k] != want {
				t.Errorf("%s: %s %q, want %q", x.call, k, got[k], want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		what   string
		status int
		header http.Header
		body   string
		want   graph.Error
	}{
		{"an error", 400, nil, `{"error":{"message":"(#100) No matching user found","type":"OAuthException","code":100,"error_subcode":2018001,"fbtrace_id":"Atr"}}`,
			graph.Error{Status: 400, Code: 100, Subcode: 2018001, Type: "OAuthException", TraceID: "Atr"}},
		{"an error in a 200", 200, nil, `{"error":{"message":"x","code":613}}`, graph.Error{Status: 200, Code: 613}},
		{"strings for numbers", 400, nil, `{"error":{"message":"x","code":"190","error_subcode":"460"}}`, graph.Error{Status: 400, Code: 190, Subcode: 460}},
		{"transient", 500, nil, `{"error":{"message":"x","code":2,"is_transient":true}}`, graph.Error{Status: 500, Code: 2, Transient: &yes}},
		{"not transient", 400, nil, `{"error":{"message":"x","code":551,"is_transient":false}}`, graph.Error{Status: 400, Code: 551, Transient: &no}},
		{"no code", 400, nil, `{"error":{"message":"x"}}`, graph.Error{Status: 400, Code: 1}},
		{"an odd shape", 400, nil, `{"error":"x"}`, graph.Error{Status: 400, Code: 1}},
		{"no words", 404, nil, `not found`, graph.Error{Status: 404}},
		{"too many", 429, http.Header{"Retry-After": {"7"}}, ``, graph.Error{Status: 429, After: 7 * time.Second}},
		{"a date to wait for", 429, http.Header{"Retry-After": {"Tue, 24 Nov 2026 12:01:00 GMT"}}, ``, graph.Error{Status: 429, After: time.Minute}},
		{"a proxy gave up", 502, nil, `<html>`, graph.Error{Status: 502, Ambiguous: true}},
		{"usage says when", 400, http.Header{"X-Business-Use-Case-Usage": {`{"111":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":3}]}`}},
			`{"error":{"message":"x","code":80006}}`, graph.Error{Status: 400, Code: 80006, After: 3 * time.Minute}},
		{"an answer that is none", 200, nil, `<html>`, graph.Error{Status: 200, Ambiguous: true}},
		{"an empty answer", 200, nil, ``, graph.Error{Status: 200, Ambiguous: true}},
		{"a redirect is not followed", 302, http.Header{"Location": {"http://127.0.0.1:1/"}}, ``, graph.Error{Status: 302}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			api := client(t, func(w http.ResponseWriter, r *http.Request) {
				for k, v := range c.header {
					w.Header()[k] = v
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			}, func(o *graph.Options) {
				o.Now = func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
			})
			got := *failure(t, api, t.Context())
			if (got.Transient == nil) != (c.want.Transient == nil) || got.Transient != nil && *got.Transient != *c.want.Transient {
				t.Errorf("transient %v", got.Transient)
			}
			if got.Message == "" {
				t.Error("no message")
			}
			got.Message, got.Transient, c.want.Transient = "", nil, nil
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Graph repeats tokens in some of its messages.
func TestSecretsInGraphsOwnWords(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"error":{"message":"Malformed access token %s, proof %s","code":190}}`, token, r.URL.Query().Get("appsecret_proof"))
	}, nil)
	if e := failure(t, c, t.Context()); !strings.Contains(e.Message, "Malformed access token REDACTED, proof REDACTED") {
		t.Errorf("message %q", e.Message)
	}
}

// What was sent in secret is in no error, whoever repeats it.
func TestSecretParametersStaySecret(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"error":{"message":"no code %s in %s","code":100}}`, r.FormValue("code"), r.FormValue("input_token"))
	}, nil)
	for _, x := range []graph.Call{
		{Method: "POST", Edge: "oauth/access_token", Secret: map[string]string{"code": "AQsecret", "input_token": "EAAsecret"}},
		{Method: "GET", Edge: "debug_token", Secret: map[string]string{"code": "AQsecret", "input_token": "EAAsecret"}},
	} {
		err := c.Do(t.Context(), x, nil)
		if err == nil || strings.Contains(fmt.Sprintf("%+v", err), "secret") || !strings.Contains(err.Error(), "no code REDACTED in REDACTED") {
			t.Errorf("%s: %v", x, err)
		}
	}
}

func TestWhatNeverLeftAndWhatMayHave(t *testing.T) {
	t.Parallel()
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	for _, c := range []struct {
		what    string
		handle  http.HandlerFunc
		change  func(*graph.Options)
		ctx     func(context.Context) (context.Context, context.CancelFunc)
		notSent bool
	}{
		{what: "nobody listens", change: func(o *graph.Options) { o.URL = "http://" + refused.Addr().String() }, notSent: true},
		{what: "no such name", change: func(o *graph.Options) {
			o.HTTP = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "graph.test"}
			}}}
		}, notSent: true},
		{what: "not TLS", change: func(o *graph.Options) { o.URL = strings.Replace(o.URL, "http:", "https:", 1) }, notSent: true},
		{what: "cancelled before", notSent: true, ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}},
		{what: "connection cut instead of an answer", handle: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{what: "answer cut in the middle", handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"message_id":`)
		}},
		{what: "no answer in time", handle: func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // else the server does not see the client go
			<-r.Context().Done()
		},
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 50*time.Millisecond)
			}},
		{what: "a transport that tells nothing", change: func(o *graph.Options) {
			o.HTTP = &http.Client{Transport: silent{}}
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if c.handle == nil {
				c.handle = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) }
			}
			api := client(t, c.handle, c.change)
			ctx := t.Context()
			if c.ctx != nil {
				var cancel context.CancelFunc
				ctx, cancel = c.ctx(ctx)
				defer cancel()
			}
			e := failure(t, api, ctx)
			if e.NotSent != c.notSent || e.Ambiguous == c.notSent {
				t.Errorf("not sent %v, ambiguous %v: %v", e.NotSent, e.Ambiguous, e)
			}
		})
	}
}

// The transport tries again on a new connection only when nothing was written to the old one; the new one fails.
func TestSecondTryNeverLeft(t *testing.T) {
	t.Parallel()
	api := client(t, nil, func(o *graph.Options) { o.HTTP = &http.Client{Transport: twice{}} })
	if e := failure(t, api, t.Context()); !e.NotSent || e.Ambiguous {
		t.Errorf("%+v", e)
	}
}

// twice reports a connection that was no good and then finds no other.
type twice struct{}

func (twice) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GetConn("graph.test:443")
	trace.GotConn(httptrace.GotConnInfo{Reused: true})
	trace.GetConn("graph.test:443")
	return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
}

// A connection that the server closed while it was idle: the transport tries another one, and nobody is there.
func TestIdleConnectionGone(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) }))
	c, err := graph.New(graph.Options{URL: server.URL, Version: "v26.0", HTTP: &http.Client{Transport: &http.Transport{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), call(), nil); err != nil {
		t.Fatal(err)
	}
	server.Close()
	e := failure(t, c, t.Context())
	if e.NotSent == e.Ambiguous {
		t.Errorf("neither or both: %+v", e)
	}
}

type silent struct{}

func (silent) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestUsage(t *testing.T) {
	t.Parallel()
	var node string
	var got graph.Usage
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-App-Usage", `{"call_count":12,"total_time":30,"total_cputime":5}`)
		w.Header().Set("X-Business-Use-Case-Usage", `{"111":[{"type":"messenger","call_count":76,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":0}]}`)
		w.Header().Set("X-Page-Usage", `broken`)
		io.WriteString(w, `{}`)
	}, func(o *graph.Options) { o.OnUsage = func(n string, u graph.Usage) { node, got = n, u } })
	if err := c.Do(t.Context(), call(), nil); err != nil {
		t.Fatal(err)
	}
	if node != "111" || got != (graph.Usage{Percent: 76}) {
		t.Errorf("usage of %q: %+v", node, got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []graph.Options{
		{URL: "", Version: "v26.0"}, {URL: "graph.facebook.com", Version: "v26.0"}, {URL: "ftp://x", Version: "v26.0"},
		{URL: "https://graph.facebook.com"}, {URL: "https://graph.facebook.com", Version: "v26.0/me"},
	} {
		if _, err := graph.New(o); err == nil {
			t.Errorf("%q %q was taken", o.URL, o.Version)
		}
	}
}

func ExampleClient_Do() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"error":{"message":"(#10) This message is sent outside of allowed window.","code":10,"error_subcode":2018278}}`)
	}))
	defer server.Close()
	c, err := graph.New(graph.Options{URL: server.URL, Version: "v26.0", AppSecret: identity.NewToken("app secret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = c.Do(context.Background(), graph.Call{Method: "POST", Node: "111", Edge: "messages",
		Token: identity.NewToken("page token"), Body: map[string]any{"recipient": map[string]string{"id": "7001"}}}, nil)
	if e, ok := errors.AsType[*graph.Error](err); ok {
		fmt.Println(e.Code, e.Subcode, e.Ambiguous)
	}
	// Output: 10 2018278 false
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"x","code":"1","is_transient":"true"}}`))
	f.Add([]byte(`{"error":null}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := graph.New(graph.Options{URL: "http://graph.test", Version: "v26.0", HTTP: &http.Client{Transport: fixed(body)}})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Do(context.Background(), graph.Call{Method: "GET", Node: "me"}, &struct{}{})
		if _, ok := errors.AsType[*graph.Error](err); err != nil && !ok {
			t.Errorf("%T", err)
		}
	})
}

type fixed []byte

func (f fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(f))), Request: r}, nil
}
