package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// batchMost is how many requests a batch may hold.
const batchMost = 50

// batched is one request of a batch.
type batched struct {
	Method string `json:"method"`
	URL    string `json:"relative_url"`
	Body   string `json:"body"` // a form
	Name   string `json:"name"`
}

// isBatch reports whether a request is one to POST /.
func (s *Sandbox) isBatch(r *http.Request) bool {
	path := strings.Trim(r.URL.Path, "/")
	return r.Method == http.MethodPost && (path == "" || path == s.options.Version)
}

// batch is POST /: each request is answered on its own, in order, as code, headers and a body that is a string.
func (s *Sandbox) batch(r *http.Request, arrived time.Time) (any, *Error) {
	p, e := readParams(r)
	if e != nil {
		return nil, e
	}
	var list []batched
	if !p.has("batch") || p.object("batch", &list) != nil {
		return nil, badParam("The parameter batch is required and must be an array.")
	}
	if len(list) > batchMost {
		return nil, &Error{Status: http.StatusBadRequest, Type: "GraphBatchException", Code: -3,
			Message: "Too many requests in batch message. Maximum batch size is 50"}
	}
	answers := []object{}
	for _, b := range list {
		answers = append(answers, s.one(r, p, b, arrived))
	}
	return answers, nil
}

// one answers a request of a batch, with the batch's own token where it has none.
func (s *Sandbox) one(outer *http.Request, p params, b batched, arrived time.Time) object {
	target, err := url.Parse("/" + strings.TrimPrefix(b.URL, "/"))
	if err != nil {
		return s.part(nil, badParam("Invalid relative_url"))
	}
	if !strings.HasPrefix(target.Path, "/"+s.options.Version+"/") {
		target.Path = "/" + s.options.Version + target.Path
	}
	q := target.Query()
	for _, name := range []string{"access_token", "appsecret_proof"} {
		if !q.Has(name) && p.has(name) {
			q.Set(name, p.text(name))
		}
	}
	target.RawQuery = q.Encode()
	inner, err := http.NewRequestWithContext(outer.Context(), or(b.Method, http.MethodGet), target.String(), bytes.NewReader([]byte(b.Body)))
	if err != nil {
		return s.part(nil, badParam("Invalid method"))
	}
	inner.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	inner.Header.Set("Authorization", outer.Header.Get("Authorization"))
	c := &call{method: inner.Method, arrived: arrived}
	answer, refusal := s.answer(c, inner)
	if c.message != nil {
		s.tell(*c.message)
	}
	if c.cut {
		return nil // null: not finished
	}
	return s.part(answer, refusal)
}

func (s *Sandbox) part(answer any, refusal *Error) object {
	code := http.StatusOK
	if refusal != nil {
		s.mu.Lock()
		code, answer = refusal.Status, refusal.body(s.id("A"))
		s.mu.Unlock()
	}
	body, _ := json.Marshal(answer) // answers are made of plain maps and structs
	return object{"code": code, "headers": []object{{"name": "Content-Type", "value": "text/javascript; charset=UTF-8"}}, "body": string(body)}
}
