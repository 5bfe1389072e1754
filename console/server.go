package console

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// server is what every request passes first: it names the request, counts and logs it, turns a panic into an
// answer, and answers for paths and methods that nobody serves. It never redirects.
type server struct {
	mux     *http.ServeMux
	logger  *slog.Logger
	now     func() time.Time
	metrics *metrics
	open    *throttle // of what asks for no key
	packed  http.Handler
}

// streams are the routes whose answers never end.
var streams = map[string]bool{"/api/v1/events": true, "/api/v1/inspect": true}

func newServer(mux *http.ServeMux, r *router, slow throttles, o Options) (*server, error) {
	packed, err := packer(mux)
	if err != nil {
		return nil, err
	}
	return &server{mux: mux, logger: o.Logger, now: o.Now, metrics: newMetrics(o.Registerer, r.api.OpenAPI()), open: slow.other(), packed: packed}, nil
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.now()
	id := requestID(r)
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, request{id, r.URL, addressOf(r), r.TLS != nil}))
	rec := &recorder{ResponseWriter: w}
	secure(rec.Header(), id)
	route := s.route(r)
	defer func() { s.account(r, rec, route, s.now().Sub(began)) }()
	s.serve(rec, r, route)
}

func (s *server) serve(rec *recorder, r *http.Request, route string) {
	defer s.rescue(rec, r)
	if (!limited(route) || anonymous(route, r)) && !s.open.permits(rec, r) {
		return
	}
	if route == unmatched {
		s.refuse(rec, r)
		return
	}
	if r.Method == http.MethodGet && strings.HasPrefix(route, "/api/") && !streams[route] {
		s.packed.ServeHTTP(rec, r)
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// packer compresses answers of the API for those who take it: lists are a tenth of their size then. Padding of random length keeps the size from telling what is in an answer (BREACH).
func packer(h http.Handler) (http.HandlerFunc, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.CompressionLevel(4), gzhttp.RandomJitter(64, 0, false), gzhttp.ContentTypes([]string{
		"application/json", "application/geo+json", "application/problem+json", "application/gpx+xml", "application/vnd.google-earth.kml+xml",
		"text/csv", "text/plain",
	}))
	if err != nil {
		return nil, err
	}
	return wrap(h), nil
}

// unmatched is the route label of requests that no route serves.
const unmatched = "unmatched"

// route returns the pattern's path: the bounded label under which the request is counted.
func (s *server) route(r *http.Request) string {
	if !clean(r.URL.EscapedPath()) {
		return unmatched
	}
	_, pattern := s.mux.Handler(r)
	if pattern == "" {
		return unmatched
	}
	if _, after, ok := strings.Cut(pattern, " "); ok {
		pattern = after
	}
	return strings.TrimSuffix(pattern, "{$}")
}

// limited reports whether a route asks for a key, or has a limit of its own.
func limited(route string) bool {
	for _, prefix := range []string{"/api/v1/", "/ogc", loginPath, signOnPath, lexPath, webhookPath} {
		if strings.HasPrefix(route, prefix) {
			return true
		}
	}
	return false
}

// anonymous reports whether a request asks for what takes a key and brings none.
func anonymous(route string, r *http.Request) bool {
	if !strings.HasPrefix(route, "/api/v1/") && !strings.HasPrefix(route, "/ogc") || r.Header.Get("Authorization") != "" {
		return false
	}
	_, err := r.Cookie(cookieName)
	return err != nil
}

// clean reports whether the mux would take the path as it is. Unclean paths are refused, not redirected: the
// mux's redirect escapes an already escaped id once more.
func clean(escaped string) bool {
	return strings.HasPrefix(escaped, "/") && (path.Clean(escaped) == escaped || path.Clean(escaped)+"/" == escaped)
}

// refuse answers with 404, 405 or, to OPTIONS, with what is allowed.
func (s *server) refuse(w http.ResponseWriter, r *http.Request) {
	var p probe
	if clean(r.URL.EscapedPath()) {
		h, _ := s.mux.Handler(r)
		h.ServeHTTP(&p, r)
	}
	allow := p.Header().Get("Allow")
	if allow == "" {
		writeProblem(w, problem(http.StatusNotFound, "nothing is served at this path; GET /openapi.json lists what is"))
		return
	}
	w.Header().Set("Allow", allow+", OPTIONS")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, problem(http.StatusMethodNotAllowed, "this path takes "+allow+"; the request was "+r.Method))
}

// rescue answers a request whose handler panicked. After the answer has begun it can only be cut.
func (s *server) rescue(rec *recorder, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.metrics.panics.Inc()
	s.logger.ErrorContext(r.Context(), "request panicked", "request", requestOf(r.Context()).id, "method", r.Method,
		"path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
	if rec.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(rec, unexpected(r.Context()))
}

// account counts and logs a finished request. The query is left out: it may hold what only Meta should know.
func (s *server) account(r *http.Request, rec *recorder, route string, took time.Duration) {
	s.metrics.observe(route, r.Method, rec.code(), took)
	s.logger.DebugContext(r.Context(), "request", "request", requestOf(r.Context()).id, "method", r.Method,
		"path", r.URL.Path, "route", route, "code", rec.code(), "bytes", rec.bytes, "took", took)
}

// secure sets the headers that every answer carries. Pages that need more than text loosen the policy.
func secure(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
}

// request is what handlers know of the request they answer.
type request struct {
	id      string // names it in the log
	url     *url.URL
	address string // whence it comes
	tls     bool
}

type requestKey struct{}

// requestOf returns the request that ctx belongs to.
func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// requestID keeps the id a proxy gave, if it is a plain short word, or makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, notWord) {
		return rand.Text()
	}
	return id
}

func notWord(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
}
