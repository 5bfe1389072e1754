package facebook_test

import (
	"bytes"
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/identity/facebook"
	graphapi "outrider/internal/graph"
	"outrider/simulator/graph"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

// bench is a flow and a keeper between a real store and the sandbox.
type bench struct {
	*facebook.Flow
	keeper    *facebook.Keeper
	store     *sqlstore.Store
	sandbox   *graph.Sandbox
	directory *identity.Directory
	clock     *clock
	log       *syncBuffer
	registry  *prometheus.Registry
	api       *graphapi.Client
	fault     func(*http.Request) *http.Response // instead of the sandbox's answer; nil: none
	public    string
}

const (
	secretText = "app-secret-of-the-test"
	pageToken  = "page-token-of-the-test"
)

// migrated is the file of an empty store, made once.
var migrated = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "facebook-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "db")
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		panic(err)
	}
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Sealer: sealer, Now: time.Now})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		panic(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return file
})

type clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// RoundTrip implements http.RoundTripper: the sandbox, unless the test wants a fault.
func (b *bench) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.fault != nil {
		if answer := b.fault(r); answer != nil {
			return answer, nil
		}
	}
	return b.sandbox.Transport().RoundTrip(r)
}

func setup(t *testing.T, change func(*facebook.Options)) *bench {
	t.Helper()
	b := &bench{clock: &clock{at: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}, directory: identity.NewDirectory(), log: &syncBuffer{},
		registry: prometheus.NewRegistry()}
	b.sandbox = graph.New(graph.Options{AppSecret: secretText, Now: b.clock.now})
	t.Cleanup(func() { _ = b.sandbox.Close() })
	b.sandbox.AddPage("500", "Fleet", pageToken)
	b.sandbox.AddUser("4200", "Ann")
	sealer, err := identity.NewSealer(bytes.Repeat([]byte{7}, identity.KeySize))
	must(t, err)
	path := filepath.Join(t.TempDir(), "db")
	must(t, os.WriteFile(path, migrated(), 0o600))
	b.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: path, Sealer: sealer, Now: b.clock.now})
	must(t, err)
	t.Cleanup(func() { _ = b.store.Close() })
	must(t, b.store.PutPage(t.Context(), identity.Page{Tenant: "acme", ID: "500", Name: "Fleet", AccessToken: identity.NewToken(pageToken)}))
	must(t, b.store.PutOwner(t.Context(), identity.Owner{Tenant: "acme", ID: "ann", Name: "Ann <b>", Locale: "en_GB"}))
	must(t, b.reload(t.Context()))
	b.api, err = graphapi.New(graphapi.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(secretText), HTTP: &http.Client{Transport: b}, Now: b.clock.now})
	must(t, err)
	logger := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	b.public = server.URL
	o := facebook.Options{
		Graph: b.api, Directory: b.directory, Store: b.store, Sealer: sealer, Now: b.clock.now, AppID: "1000", AppSecret: identity.NewToken(secretText),
		PublicURL: func() string { return server.URL }, Reload: b.reload, Logger: logger, Registerer: b.registry,
	}
	if change != nil {
		change(&o)
	}
	b.Flow, err = facebook.NewFlow(o)
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle(facebook.Path, b.Flow)
	server.Config.Handler = mux
	b.keeper, err = facebook.NewKeeper(facebook.KeeperOptions{
		Graph: b.api, Directory: b.directory, Store: b.store, Now: b.clock.now, AppID: "1000", AppSecret: identity.NewToken(secretText),
		Reload: b.reload, Menu: pageMenu, Logger: logger, Registerer: b.registry,
	})
	must(t, err)
	return b
}

func (b *bench) reload(ctx context.Context) error {
	r, err := b.store.Identities(ctx)
	if err == nil {
		b.directory.Load(r)
	}
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is somebody with a browser that follows no redirects by itself.
type person struct {
	b      *bench
	client *http.Client
	status int
	to     string // where the answer leads
	text   string
}

func (b *bench) person(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &person{b: b, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (p *person) visit(t *testing.T, address string) *person {
	t.Helper()
	res, err := p.client.Get(address)
	must(t, err)
	defer res.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(res.Body)
	must(t, err)
	p.status, p.to, p.text = res.StatusCode, res.Header.Get("Location"), body.String()
	return p
}

// link returns where the link whose label begins so leads.
func (p *person) link(t *testing.T, label string) string {
	t.Helper()
	for _, a := range regexp.MustCompile(`<a[^>]* href="([^"]*)"[^>]*>([^<]*)</a>`).FindAllStringSubmatch(p.text, -1) {
		if strings.HasPrefix(a[2], label) {
			return html.UnescapeString(a[1])
		}
	}
	t.Fatalf("no link %q in %s", label, p.text)
	return ""
}

// offer makes a link for ann.
func (b *bench) offer(t *testing.T) identity.LinkOffer {
	t.Helper()
	o, err := b.Offer(t.Context(), identity.LinkWish{Tenant: "acme", Owner: "ann", Page: "500"})
	must(t, err)
	return o
}

// dialog goes to the dialog and returns its parameters.
func (p *person) dialog(t *testing.T, login string) url.Values {
	t.Helper()
	u, err := url.Parse(p.visit(t, login).link(t, "Continue with Facebook"))
	must(t, err)
	return u.Query()
}

// callback is where the dialog leads back to, for somebody who agreed.
func (p *person) callback(t *testing.T, q url.Values, asid string) string {
	t.Helper()
	code, err := p.b.sandbox.Login(asid)
	must(t, err)
	return q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}
