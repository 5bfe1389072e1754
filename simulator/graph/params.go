package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is the longest request that is read, in bytes.
const maxBody = 1 << 20

// params are a request's parameters, whether they came in the query, as form fields whose values are JSON,
// or as one JSON object.
type params map[string]json.RawMessage

// readParams collects the parameters of r. A later source overrides an earlier one.
func readParams(r *http.Request) (params, *Error) {
	p := params{}
	p.addValues(r.URL.Query())
	if r.Body == nil {
		return p, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, refuse(1, 0, "Please reduce the amount of data you're asking for, then retry your request")
	}
	return p, p.addBody(r.Header.Get("Content-Type"), body)
}

func (p params) addBody(contentType string, body []byte) *Error {
	if len(body) == 0 {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "application/json" {
		if err := json.Unmarshal(body, &p); err != nil {
			return badParam("The parameters are not a valid JSON object")
		}
		return nil
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return badParam("The parameters are not a valid form")
	}
	p.addValues(values)
	return nil
}

func (p params) addValues(values url.Values) {
	for name, v := range values {
		raw := json.RawMessage(v[0])
		if s := strings.TrimSpace(v[0]); !json.Valid(raw) || (s[0] != '{' && s[0] != '[') {
			raw, _ = json.Marshal(v[0]) // a string always marshals
		}
		p[name] = raw
	}
}

// text returns a parameter as text; a number or a truth is written out, an object gives "".
func (p params) text(name string) string { return rawText(p[name]) }

func rawText(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case float64, bool:
		return strings.Trim(string(raw), " ")
	}
	return ""
}

// has reports whether the parameter is there and not null.
func (p params) has(name string) bool {
	raw, ok := p[name]
	return ok && string(raw) != "null"
}

// object parses a parameter into v.
func (p params) object(name string, v any) *Error {
	if err := json.Unmarshal(p[name], v); err != nil {
		return badParam("Param %s must be %s", name, shapeOf(v))
	}
	return nil
}

// list splits a parameter of comma separated words, or a JSON array of strings.
func (p params) list(name string) []string {
	var words []string
	if json.Unmarshal(p[name], &words) == nil {
		return words
	}
	for w := range strings.SplitSeq(p.text(name), ",") {
		if w = strings.TrimSpace(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

func shapeOf(v any) string {
	if strings.HasPrefix(fmt.Sprintf("%T", v), "*[]") {
		return "an array."
	}
	return "a JSON object."
}
