package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is why a call had no good answer. Code is 0 when Graph did not say.
type Error struct {
	Status  int    // of HTTP; 0: no answer
	Code    int    // Graph's
	Subcode int    // Graph's, 0: none
	Type    string // Graph's, such as OAuthException
	Message string // Graph's or our own, without secrets
	Title   string // what Graph would show to a person
	Detail  string // the same, longer
	TraceID string // to name to Meta's support

	Transient *bool         // Graph's word on whether a retry may help; nil: it said nothing
	After     time.Duration // how long Graph asks to wait; 0: it did not say

	// NotSent: no byte left this machine; the call can be made again.
	NotSent bool
	// Ambiguous: the call may have had its effect, and there is no answer that tells.
	Ambiguous bool
}

// Error implements error.
func (e *Error) Error() string {
	if e.Code == 0 {
		return "graph: " + e.Message
	}
	text := fmt.Sprintf("graph: code %d/%d (HTTP %d): %s", e.Code, e.Subcode, e.Status, e.Message)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.TraceID != "" {
		text += " (trace " + e.TraceID + ")"
	}
	return text
}

// wireError is Graph's error as it comes. Numbers may be strings.
type wireError struct {
	Message   string    `json:"message"`
	Type      string    `json:"type"`
	Code      wireInt   `json:"code"`
	Subcode   wireInt   `json:"error_subcode"`
	Title     string    `json:"error_user_title"`
	Detail    string    `json:"error_user_msg"`
	Transient *wireBool `json:"is_transient"`
	TraceID   string    `json:"fbtrace_id"`
}

// parseError returns the error in an answer, nil if there is none.
func parseError(body []byte) *Error {
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Error) == 0 || string(answer.Error) == "null" {
		return nil
	}
	var w wireError
	if json.Unmarshal(answer.Error, &w) != nil {
		return &Error{Code: 1, Message: "an error of an unknown shape"}
	}
	e := &Error{
		Code: int(w.Code), Subcode: int(w.Subcode), Type: w.Type, Message: w.Message, Title: w.Title, Detail: w.Detail,
		TraceID: w.TraceID,
	}
	if w.Transient != nil {
		transient := bool(*w.Transient)
		e.Transient = &transient
	}
	if e.Code == 0 {
		e.Code = 1 // "unknown", Graph's own word for it
	}
	return e
}

// wireInt is a number that may be written as a string.
type wireInt int

// UnmarshalJSON implements json.Unmarshaler.
func (n *wireInt) UnmarshalJSON(text []byte) error {
	v, err := strconv.Atoi(strings.Trim(string(text), `"`))
	if err == nil {
		*n = wireInt(v)
	}
	return nil // an odd number is no reason to lose the message beside it
}

// wireBool is a truth that may be written as a string.
type wireBool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *wireBool) UnmarshalJSON(text []byte) error {
	*b = strings.Trim(string(text), `"`) == "true"
	return nil
}

// retryAfter reads the Retry-After header, seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return min(at.Sub(now), longestWait)
	}
	return 0
}

// longestWait bounds what an answer may make us wait.
const longestWait = 24 * time.Hour
