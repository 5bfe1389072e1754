package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
	"outrider/internal/config"
	"outrider/internal/graph"
)

// Diagnosis is one thing that Doctor looked at.
type Diagnosis struct {
	Part   string // what it belongs to: "this machine", "app 1000", "page 500 Fleet"
	Name   string
	Health Health
	Text   string // what was seen; holds no secret
	Advice string // what to do, empty when there is nothing
}

// Health says how much a diagnosis matters.
type Health string

// The healths.
const (
	Fine    Health = "ok"
	Worries Health = "warn" // works now, or mostly
	Broken  Health = "FAIL" // something that is meant to work does not
)

// Doctor looks at everything that Check does, at the clock, and at what stands at Meta: the app, its webhook and
// callbacks, and each page's token, permissions, subscription, templates, business and standing. It changes nothing
// and sends nothing. A gateway may be running meanwhile.
func Doctor(ctx context.Context, c config.Config, client *http.Client) []Diagnosis {
	d := &doctor{ctx: ctx, c: c}
	d.machine()
	d.clock(client)
	meta, err := graph.New(graph.Options{URL: c.Graph.URL, Version: c.Graph.Version, AppSecret: c.Facebook.AppSecret, HTTP: client})
	if err != nil {
		d.add("this machine", "graph.url", Broken, err.Error(), "")
		return d.found
	}
	d.meta = meta
	d.app()
	d.pages()
	return d.found
}

// doctor is one examination.
type doctor struct {
	ctx  context.Context
	c    config.Config
	meta *graph.Client

	found    []Diagnosis
	business string // that owns the app; empty: not known
	appWorks bool   // id and secret belong together
}

func (d *doctor) add(part, name string, h Health, text, advice string) {
	if h == Fine {
		advice = ""
	}
	d.found = append(d.found, Diagnosis{part, name, h, text, advice})
}

// call makes a call to Graph within the time.
func (d *doctor) call(ctx context.Context, c graph.Call, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return d.meta.Do(ctx, c, answer)
}

// machine is what Check finds.
func (d *doctor) machine() {
	const part = "this machine"
	d.add(part, "settings", Fine, "all accepted", "")
	for _, f := range Check(d.ctx, d.c) {
		if f.Err != nil {
			d.add(part, f.Name, Broken, strings.ReplaceAll(f.Err.Error(), "\n", "; "), "")
			continue
		}
		d.add(part, f.Name, Fine, f.Detail, "")
	}
	switch public := d.c.HTTP.PublicURL; {
	case public == "":
		d.add(part, "http.public_url", Worries, "empty: nobody can log in with Facebook, and alerts carry no picture",
			"set it to the address under which browsers and Meta reach this gateway")
	case !strings.HasPrefix(public, "https://"):
		d.add(part, "http.public_url", Worries, public+" is not https", "Meta calls webhooks and callbacks by https with a public certificate only")
	default:
		d.add(part, "http.public_url", Fine, public, "")
	}
}

// How far our clock may be from Meta's: windows, codes and signatures are judged by both.
const (
	clockWorries = 5 * time.Second
	clockBroken  = time.Minute
)

// clock compares with the date of Graph's answer, which is in whole seconds.
func (d *doctor) clock(client *http.Client) {
	const part, name = "this machine", "clock"
	if client == nil {
		client = graph.NewHTTPClient()
	}
	ctx, cancel := context.WithTimeout(d.ctx, checkWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.c.Graph.URL, nil)
	if err != nil {
		return // Check has said so
	}
	before := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return // the same
	}
	defer res.Body.Close()
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		d.add(part, name, Worries, "Graph did not say what time it is", "")
		return
	}
	off := before.Add(time.Since(before) / 2).Sub(theirs.Add(500 * time.Millisecond)).Abs()
	text := fmt.Sprintf("within %s of Meta's", max(off, time.Second).Round(time.Second))
	switch {
	case off > clockBroken:
		d.add(part, name, Broken, fmt.Sprintf("%s away from Meta's", off.Round(time.Second)), "let ntp or chrony set this machine's clock")
	case off > clockWorries:
		d.add(part, name, Worries, text, "let ntp or chrony set this machine's clock")
	default:
		d.add(part, name, Fine, text, "")
	}
}

// app looks at the app: whether id and secret belong together, who owns it, where its webhooks go.
func (d *doctor) app() {
	fb := d.c.Facebook
	part := "app " + fb.AppID
	if fb.AppID == "" || fb.AppSecret.Empty() {
		d.add("app", "facebook.app_id", Broken, "app id or app secret are not set: nothing at Meta can be looked at",
			"copy both from the app's dashboard, Settings → Basic")
		return
	}
	token := facebook.AppToken(fb.AppID, fb.AppSecret)
	if _, err := facebook.Inspect(d.ctx, d.call, token, token); err != nil {
		d.add(part, "secret", Broken, seen(err), "compare facebook.app_id and facebook.app_secret with the app's dashboard, Settings → Basic")
		return
	}
	d.appWorks = true
	d.add(part, "secret", Fine, "id and secret belong together", "")
	d.business = d.owner(fb.AppID, "owner_business", token)
	d.webhook(part, token)
}

// owner is the business that owns an app or a page; empty: none, or Graph does not say.
func (d *doctor) owner(node, field string, token identity.Token) string {
	var raw struct {
		Owner *struct {
			ID string `json:"id"`
		} `json:"owner_business"`
		Business *struct {
			ID string `json:"id"`
		} `json:"business"`
	}
	err := d.call(d.ctx, graph.Call{Method: http.MethodGet, Node: node, Query: map[string][]string{"fields": {field}}, Token: token}, &raw)
	switch {
	case err != nil:
		return ""
	case raw.Owner != nil:
		return raw.Owner.ID
	case raw.Business != nil:
		return raw.Business.ID
	}
	return ""
}

// webhook looks where the app's webhooks go, and which fields they carry.
func (d *doctor) webhook(part string, token identity.Token) {
	const where = "app's dashboard, Messenger → Settings → Webhooks"
	s, err := facebook.InspectApp(d.ctx, d.call, d.c.Facebook.AppID, token)
	if err != nil {
		d.add(part, "webhook", Worries, seen(err), "")
		return
	}
	want := strings.TrimSuffix(d.c.HTTP.PublicURL, "/") + "/webhook/messenger"
	switch {
	case s.Callback == "":
		d.add(part, "webhook", Broken, "the app has no webhook for pages: nothing that people do is told", where+": callback URL …/webhook/messenger and the verify token")
		return
	case !s.Active:
		d.add(part, "webhook", Broken, s.Callback+" is not active", where+": verify the callback URL again")
	case d.c.HTTP.PublicURL != "" && s.Callback != want:
		d.add(part, "webhook", Broken, "goes to "+s.Callback+", and this gateway is at "+want, where+": set the callback URL, or http.public_url")
	default:
		d.add(part, "webhook", Fine, s.Callback, "")
	}
	if missing := s.Missing(); len(missing) > 0 {
		d.add(part, "webhook fields", Broken, "not subscribed: "+strings.Join(missing, ", "), where+": subscribe to them")
		return
	}
	d.add(part, "webhook fields", Fine, "all subscribed", "")
}

// pages looks at every page that is registered.
func (d *doctor) pages() {
	if _, err := os.Stat(filepath.Join(d.c.Data.Dir, "outrider.db")); os.IsNotExist(err) && d.c.Store.URL.Empty() {
		d.add("pages", "registered", Worries, "none: the gateway was never started", "start it, and put or connect a page")
		return
	}
	s, err := OpenStore(d.ctx, d.c)
	if err != nil {
		return // Check has said so
	}
	defer s.Close()
	r, err := s.Identities(d.ctx)
	if err != nil {
		d.add("pages", "registered", Broken, err.Error(), "")
		return
	}
	if len(r.Pages) == 0 {
		d.add("pages", "registered", Worries, "none: no message can go out", "put a page with its token, or connect one: see docs/messenger.md")
	}
	for _, p := range r.Pages {
		d.page(p)
	}
	reachable, owners := 0, len(r.Owners)
	for _, o := range r.Owners {
		if len(o.Contacts) > 0 {
			reachable++
		}
	}
	if reachable < owners {
		d.add("owners", "linked", Worries, fmt.Sprintf("%d of %d can be reached in Messenger; alerts to the others wait", reachable, owners),
			"send them a link: POST /api/v1/owners/{id}/links")
	} else if owners > 0 {
		d.add("owners", "linked", Fine, fmt.Sprintf("all %d can be reached in Messenger", owners), "")
	}
}
