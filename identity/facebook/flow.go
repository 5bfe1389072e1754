package facebook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/internal/graph"
)

// Path is where the pages of a Flow are served.
const Path = "/auth/facebook/"

// Store is where a Flow keeps what it learns. All methods are safe for many goroutines.
type Store interface {
	PutLinkCode(ctx context.Context, c identity.LinkCode) error
	LinkCode(ctx context.Context, hash identity.CodeHash) (identity.LinkCode, error)
	OpenCodes(ctx context.Context, asid identity.ASID) ([]identity.LinkCode, error)
	Link(ctx context.Context, l identity.Link) error
	PutPage(ctx context.Context, p identity.Page) error
	Accounts
}

// Accounts keeps the Facebook accounts that logged in.
type Accounts interface {
	PutAccount(ctx context.Context, a identity.Account) error
	Accounts(ctx context.Context) ([]identity.Account, error)
	OptIns(ctx context.Context, login identity.LoginID) ([]identity.OptIn, error)
	ForgetToken(ctx context.Context, asid identity.ASID) (bool, error)
	Erase(ctx context.Context, asid identity.ASID, e identity.Erasure) (identity.Erasure, error)
	Erasure(ctx context.Context, hash identity.CodeHash) (identity.Erasure, error)
}

// Options is what a Flow is made of. Graph, Directory, Store, Sealer and Now are required.
type Options struct {
	Graph     *graph.Client
	Directory *identity.Directory
	Store     Store
	Sealer    Sealer
	Now       func() time.Time

	AppID     string         // empty: nobody can log in, and links lead straight to Messenger
	AppSecret identity.Token // the same
	// PublicURL says where browsers reach the gateway, such as https://gateway.example.com; nil or empty: nobody can log in.
	PublicURL func() string
	Version   string // of the dialog; empty: v26.0
	DialogURL string // empty: https://www.facebook.com
	LinkURL   string // empty: https://m.me
	ConfigID  string // of Facebook Login for Business; empty: the dialog is asked for scopes
	// LoginConnect asks people who log in whether the page may write to them (user_messenger_contact).
	LoginConnect bool

	// Reload brings the directory up to date with the store; nil: nothing is called.
	Reload func(ctx context.Context) error
	// PageChanged is told of a page that was connected, Linked of one through which an owner was linked, after Reload.
	// They must not block. nil: nobody is told.
	PageChanged func(identity.PageID)
	Linked      func(identity.PageID)
	Logger      *slog.Logger          // nil: silent
	Registerer  prometheus.Registerer // nil: unregistered

	Timeout time.Duration // of one call to Graph; 0: 10 s
}

// Flow is the way of an owner, or of a page, from a link to a connection. It is an [http.Handler] for everything
// under [Path], safe for many goroutines:
//
//	GET  start?t=       what will happen, and two ways on
//	GET  messenger?t=   straight to the conversation, with a fresh link code
//	GET  callback       where Facebook's dialog leads back to
//	GET  status?t=      what became of a link code
//	POST deauthorize    the person removed the app: their token is dropped
//	POST deletion       the person wants to be forgotten: everything about them is deleted
//	GET  deletion?code= what became of that wish
type Flow struct {
	o     Options
	mux   *http.ServeMux
	pages *pages
	count *prometheus.CounterVec // by where the way ended
}

// NewFlow returns the flow, or says what is missing.
func NewFlow(o Options) (*Flow, error) {
	if o.Graph == nil || o.Directory == nil || o.Store == nil || o.Sealer == nil || o.Now == nil {
		return nil, errors.New("facebook: a flow needs Graph, Directory, Store, Sealer and Now")
	}
	o.Version, o.Timeout = cmp.Or(o.Version, "v26.0"), cmp.Or(o.Timeout, 10*time.Second)
	o.DialogURL = strings.TrimSuffix(cmp.Or(o.DialogURL, "https://www.facebook.com"), "/")
	o.LinkURL = strings.TrimSuffix(cmp.Or(o.LinkURL, "https://m.me"), "/")
	if o.PublicURL == nil {
		o.PublicURL = func() string { return "" }
	}
	if o.Reload == nil {
		o.Reload = func(context.Context) error { return nil }
	}
	if o.PageChanged == nil {
		o.PageChanged = func(identity.PageID) {}
	}
	if o.Linked == nil {
		o.Linked = func(identity.PageID) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	pages, err := newPages()
	if err != nil {
		return nil, err
	}
	f := &Flow{o: o, pages: pages, mux: http.NewServeMux(), count: newCount(o.Registerer)}
	f.mux.HandleFunc("GET "+Path+"start", f.start)
	f.mux.HandleFunc("GET "+Path+"messenger", f.messenger)
	f.mux.HandleFunc("GET "+Path+"callback", f.callback)
	f.mux.HandleFunc("GET "+Path+"status", f.status)
	f.mux.HandleFunc("POST "+Path+"deauthorize", f.deauthorize)
	f.mux.HandleFunc("POST "+Path+"deletion", f.delete)
	f.mux.HandleFunc("GET "+Path+"deletion", f.deletion)
	f.mux.HandleFunc("GET "+Path+"style.css", f.pages.style)
	return f, nil
}

// The ends of a way beside its steps, which count where it broke off.
const (
	endMatched   = "matched"   // Graph knew the person
	endLink      = "link"      // an m.me link was handed out
	endConnected = "connected" // a page was connected
)

func newCount(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrider_logins_total", Help: "Logins at Facebook, by how they ended: the step that failed, or the result.",
	}, []string{"end"})
	for _, end := range []string{endMatched, endLink, endConnected} {
		c.WithLabelValues(end)
	}
	for _, step := range Steps() {
		c.WithLabelValues(string(step))
	}
	if r != nil {
		r.MustRegister(c)
	}
	return c
}

// ServeHTTP implements http.Handler.
func (f *Flow) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// canLogIn reports whether the dialog can be offered.
func (f *Flow) canLogIn() bool {
	return f.o.AppID != "" && !f.o.AppSecret.Empty() && f.o.PublicURL() != ""
}

// address is the public address of one of the flow's pages.
func (f *Flow) address(page string, sealed string) string {
	return f.o.PublicURL() + Path + page + "?" + url.Values{"t": {sealed}}.Encode()
}

// link is the m.me link that opens the page's conversation and brings the code.
func (f *Flow) link(page identity.PageID, code identity.Token) string {
	return f.o.LinkURL + "/" + url.PathEscape(string(page)) + "?" + url.Values{"ref": {code.Reveal()}}.Encode()
}

// call makes a call to Graph within the time.
func (f *Flow) call(ctx context.Context, c graph.Call, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.o.Timeout, errNoAnswer)
	defer cancel()
	return f.o.Graph.Do(ctx, c, answer)
}

// errNoAnswer is the cause of a call that took too long.
var errNoAnswer = errors.New("facebook: no answer in time")

// appToken speaks for the app itself.
func (f *Flow) appToken() identity.Token { return AppToken(f.o.AppID, f.o.AppSecret) }

// AppToken is the access token of an app, made of its id and secret.
func AppToken(id string, secret identity.Token) identity.Token {
	return identity.NewToken(fmt.Sprintf("%s|%s", id, secret.Reveal()))
}
