package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/console"
	"outrider/identity"
	"outrider/internal/people"
	"outrider/notify"
)

const adminKey = "or_test_key_0123456789"

// gateway is the API over a fake store, with everything that surrounds it.
type gateway struct {
	t         testing.TB
	handler   http.Handler
	store     *fakeStore
	directory *identity.Directory
	follower  *identity.Follower
	registry  *prometheus.Registry
	log       *lockedBuffer

	mu      sync.Mutex // guards all below
	now     time.Time
	reloads int
	fences  int // calls of FencesChanged
	pages   []identity.PageID
	broken  error // what FencesChanged and Reload return
	checks  map[string]error
}

// lockedBuffer is a buffer for the log of many goroutines.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func setup(t testing.TB, change ...func(*console.Options)) *gateway {
	t.Helper()
	g := &gateway{t: t, registry: prometheus.NewRegistry(), log: &lockedBuffer{}, directory: identity.NewDirectory()}
	g.now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	g.store = newFakeStore(g.clock)
	g.follower = identity.NewFollower(g.directory, g.store)
	o := console.Options{
		Store: g.store, Directory: g.directory, AdminKey: identity.NewToken(adminKey),
		Reload: g.reload, FencesChanged: g.fencesChanged, PageChanged: g.pageChanged,
		Ready:    func(context.Context) map[string]error { return g.checks },
		Gatherer: g.registry, Registerer: g.registry, Now: g.clock, Version: "test",
		Logger:       slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		PasswordCost: people.Cost{Memory: 64, Time: 1, Lanes: 1},
		Messages:     fakeMessages{g}, Wake: func(identity.PageID) {},
		Links: fakeLinks{g}, Health: fakeHealth{}, Devices: newFakeDevices(g), Inspect: inspectVan, Watch: watchVan,
		Login: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "login "+r.Method+" "+r.URL.Path)
		}),
		Webhook: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "webhook "+r.Method)
		}),
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if g.handler, err = console.New(o); err != nil {
		t.Fatal(err)
	}
	return g
}

// fakeMessages takes every message; everybody wrote an hour ago.
type fakeMessages struct{ g *gateway }

func (m fakeMessages) Enqueue(context.Context, []notify.Delivery) error { return m.g.store.fail }

func (m fakeMessages) LastAction(context.Context, identity.PageID, identity.PSID) (time.Time, error) {
	return m.g.clock().Add(-time.Hour), m.g.store.fail
}

// pass lets time pass.
func (g *gateway) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

func (g *gateway) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *gateway) reload(ctx context.Context, refs ...identity.Ref) error {
	if err := g.follower.Follow(ctx, refs...); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reloads++
	return g.broken
}

func (g *gateway) fencesChanged(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fences++
	return g.broken
}

func (g *gateway) pageChanged(id identity.PageID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pages = append(g.pages, id)
}

// answer is a response, read.
type answer struct {
	*http.Response
	body string
}

// member returns a member of the JSON body by its path: "errors[0].location" is written errors.0.location.
func (a answer) member(t testing.TB, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("body is not JSON: %v\n%s", err, a.body)
	}
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i := int(step[0] - '0')
			if i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// call sends a request with the admin key. A header is written "Name: value"; "Authorization:" takes the key away.
func (g *gateway) call(method, path, body string, headers ...string) answer {
	g.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(g.t.Context(), method, path, reader)
	r.Header.Set("Authorization", "Bearer "+adminKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if r.Header.Del(name); strings.TrimSpace(value) != "" {
			r.Header.Set(name, strings.TrimSpace(value))
		}
	}
	return g.do(r)
}

func (g *gateway) do(r *http.Request) answer {
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.String()}
}

// must calls and expects the status.
func (g *gateway) must(status int, method, path, body string, headers ...string) answer {
	g.t.Helper()
	a := g.call(method, path, body, headers...)
	if a.StatusCode != status {
		g.t.Fatalf("%s %s: %d, want %d\n%s", method, path, a.StatusCode, status, a.body)
	}
	return a
}

const depot = `{"type":"Feature","id":"depot","geometry":{"type":"Point","coordinates":[11.5755,48.1374]},` +
	`"properties":{"name":"Depot","shape":"circle","radius_m":150}}`
