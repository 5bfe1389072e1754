package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"outrider/store"
)

// problem makes a problem document (RFC 9457).
func problem(status int, detail string, faults ...error) *huma.ErrorModel {
	p := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}
	for _, f := range faults {
		p.Add(f)
	}
	return p
}

// unexpected is the answer when the gateway itself is at fault. The cause is in the log, under the same id.
func unexpected(ctx context.Context) *huma.ErrorModel {
	return problem(http.StatusInternalServerError, "the gateway could not do this; its log says why under request "+requestOf(ctx).id)
}

// writeProblem answers with p, outside of the API's own operations.
func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	writeJSON(w, p.Status, "application/problem+json", p)
}

// writeJSON answers with body. A client that has gone is the only way it can fail.
func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body)
}

// answer is the one place where an error of a handler becomes what the caller sees. What the caller cannot
// act upon goes to the log instead.
func (r *router) answer(ctx context.Context, err error) error {
	if _, ok := errors.AsType[huma.StatusError](err); ok {
		return err
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return problem(http.StatusNotFound, "there is no such record in this tenant")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusServiceUnavailable, "the request ended before the gateway could answer; try again")
	}
	r.logger.ErrorContext(ctx, "request failed", "request", requestOf(ctx).id, "cause", err)
	return unexpected(ctx)
}

// faults collects what is wrong with a request, so that one answer names it all.
type faults []error

// add notes a fault. Secrets must not be given as value.
func (f *faults) add(location string, value any, format string, args ...any) {
	*f = append(*f, &huma.ErrorDetail{Location: location, Value: value, Message: fmt.Sprintf(format, args...)})
}

// check notes a fault unless message is empty.
func (f *faults) check(location, value, message string) {
	if message != "" {
		f.add(location, value, "%s", message)
	}
}

// problem returns the answer, nil if nothing is wrong.
func (f faults) problem() error {
	if len(f) == 0 {
		return nil
	}
	return problem(http.StatusUnprocessableEntity, validationFailed, f...)
}
