package facebook

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"outrider/identity"
)

//go:embed locales/*.json
var localeFiles embed.FS

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS []byte

// pages writes what people see. It is safe for many goroutines.
type pages struct {
	template *template.Template
	tags     []language.Tag
	texts    []map[string]string // of the tag of the same place
	matcher  language.Matcher
}

func newPages() (*pages, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("facebook: page: %w", err)
	}
	p := &pages{template: t}
	files, err := fs.Glob(localeFiles, "locales/*.json")
	if err != nil {
		return nil, err
	}
	// English comes first: the matcher falls back to it.
	for _, english := range []bool{true, false} {
		for _, name := range files {
			if (path.Base(name) == "en.json") != english {
				continue
			}
			if err := p.add(name); err != nil {
				return nil, fmt.Errorf("facebook: %s: %w", name, err)
			}
		}
	}
	p.matcher = language.NewMatcher(p.tags)
	return p, nil
}

func (p *pages) add(name string) error {
	raw, err := localeFiles.ReadFile(name)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	if err := json.Unmarshal(raw, &texts); err != nil {
		return err
	}
	tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
	p.tags, p.texts = append(p.tags, tag), append(p.texts, texts)
	return err
}

// view is one page: a title, what to know, and what to do.
type view struct {
	Lang    string
	Title   string
	Texts   []string
	Actions []action
	Hints   []string
	Failed  bool

	Owner, Page string // names
	Minutes     int
	texts       map[string]string
}

// action is a link; the first of a page is the one that most people want.
type action struct {
	Label, URL string
	First      bool
}

// view begins a page in the person's language: the owner's, else what the browser asks for, else English.
func (f *Flow) view(r *http.Request, t ticket) *view {
	owner, _ := f.o.Directory.Owner(t.Tenant, t.Owner)
	page, _ := f.o.Directory.Page(t.Page)
	v := f.pages.view(owner.Locale, r.Header.Get("Accept-Language"))
	v.Owner, v.Page = named(owner.Name, string(t.Owner)), named(page.Name, string(t.Page))
	v.Minutes = int(DefaultCodeLife.Minutes())
	return v
}

func named(name, id string) string {
	if name != "" {
		return name
	}
	return id
}

func (p *pages) view(locale, accepted string) *view {
	var wanted []language.Tag
	if tag, err := language.Parse(strings.ReplaceAll(locale, "_", "-")); err == nil && locale != "" {
		wanted = append(wanted, tag)
	}
	browser, _, _ := language.ParseAcceptLanguage(accepted[:min(len(accepted), 500)]) // what is odd counts as nothing
	_, i, _ := p.matcher.Match(append(wanted, browser...)...)
	return &view{Lang: p.tags[i].String(), texts: p.texts[i]}
}

// text is a text with its names filled in. It is plain: the template escapes it.
func (v *view) text(key string, more ...string) string {
	return strings.NewReplacer(append([]string{
		"{owner}", v.Owner, "{page}", v.Page, "{minutes}", strconv.Itoa(v.Minutes),
	}, more...)...).Replace(v.texts[key])
}

func (v *view) say(title string, texts ...string) {
	v.Title = v.text(title)
	for _, key := range texts {
		v.Texts = append(v.Texts, v.text(key))
	}
}

func (v *view) act(label, url string) {
	v.Actions = append(v.Actions, action{v.text(label), url, len(v.Actions) == 0})
}

// show answers with a page. Its policy allows the style sheet and nothing else: no script, no form, no frame.
func (p *pages) show(w http.ResponseWriter, status int, v *view) {
	var b bytes.Buffer
	if err := p.template.Execute(&b, v); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // addresses hold tickets
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // fails only when the browser has gone
}

func (p *pages) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(styleCSS)
}

// fail ends the way: people read what happened and what to do, the log gets the cause. again is where to begin anew;
// empty: nowhere.
func (f *Flow) fail(w http.ResponseWriter, r *http.Request, t ticket, e *Error, again string) {
	f.count.WithLabelValues(string(e.Step)).Inc()
	log := f.o.Logger.Warn
	if e.Reason == ReasonDenied || e.Reason == ReasonExpired || e.Reason == ReasonUsed || e.Reason == ReasonForged {
		log = f.o.Logger.Debug // people do that every day
	}
	log("login ended", "step", e.Step, "reason", e.Reason, "tenant", t.Tenant, "owner", t.Owner, "page", t.Page, "cause", e)
	v := f.view(r, t)
	v.Failed = true
	v.say("error.title", "error."+string(e.Reason))
	if again != "" && e.Reason != ReasonOwnerGone && e.Reason != ReasonNotSetUp && e.Reason != ReasonUsed {
		v.act("error.again", again)
	}
	v.Hints = append(v.Hints, v.text("error.step", "{step}", string(e.Step)))
	f.pages.show(w, reasons()[e.Reason], v)
}

// deletionView is what the status page of a deletion says.
func (p *pages) deletionView(accepted string, e identity.Erasure, found bool) *view {
	v := p.view("", accepted)
	at := []string{"{time}", e.Done.UTC().Format(time.RFC1123), "{contacts}", strconv.Itoa(e.Contacts), "{deliveries}", strconv.Itoa(e.Deliveries)}
	switch {
	case !found:
		v.Failed, v.Title, v.Texts = true, v.text("deletion.unknown_title"), []string{v.text("deletion.unknown")}
	case !e.Known:
		v.Title, v.Texts = v.text("deletion.title"), []string{v.text("deletion.nothing", at...)}
	default:
		v.Title, v.Texts = v.text("deletion.title"), []string{v.text("deletion.done", at...), v.text("deletion.kept")}
	}
	return v
}
