package graph

import (
	"bytes"
	"io"
	"net/http"
)

// Transport returns a round tripper that calls the sandbox without a network, for tests with a fake clock.
// A lost answer is an [io.ErrUnexpectedEOF].
func (s *Sandbox) Transport() http.RoundTripper { return transport{s} }

type transport struct{ sandbox *Sandbox }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			resp, err = nil, io.ErrUnexpectedEOF
		default:
			panic(v)
		}
	}()
	if r.Body != nil {
		defer r.Body.Close()
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	t.sandbox.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.response(r), nil
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *recorder) WriteHeader(status int) { w.status = status }

// Write implements [http.ResponseWriter].
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

func (w *recorder) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}
}
