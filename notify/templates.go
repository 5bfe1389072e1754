package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	"outrider/identity"
)

// Template is a utility template on a page, as Meta knows it. Its identity is page, name and language.
type Template struct {
	Page     identity.PageID
	Name     string
	Language string
	ID       string
	Status   TemplateStatus
	Detail   string // Meta's reason of a rejection
	Params   int    // how many parameters its body takes: of vehicle, fence and time, the first so many
	Buttons  int    // how many buttons with a parameter it has
	Checked  time.Time
}

// TemplateStatus is Meta's word on a template.
type TemplateStatus string

// The statuses. Any other word that Meta sends counts as pending.
const (
	TemplateApproved TemplateStatus = "APPROVED"
	TemplatePending  TemplateStatus = "PENDING"
	TemplateRejected TemplateStatus = "REJECTED"
)

// TemplateVersion numbers the gateway's own templates. It grows with every change of their texts, buttons or
// parameters, since an approved template cannot be edited: while the new version waits for approval, the one
// before is used. A test holds the texts of each version.
const TemplateVersion = 2

// OwnTemplate is a utility template that the gateway creates on a page that has none of its own.
type OwnTemplate struct {
	Name     string
	Kind     Kind
	Language string
	Body     string
	Example  []string // a value for each place of Body
	Buttons  []Button // postback; {{1}} of a payload is filled when sending
}

// OwnTemplateFor is the gateway's template for a kind of event in one of its languages, in the tenant's own words
// where it has some.
func OwnTemplateFor(kind Kind, language string, own identity.Texts) OwnTemplate {
	w := WordsFor(language, own)
	t := OwnTemplate{Name: ownName(kind, w.Language, own), Kind: kind, Language: w.Language, Body: w.templateBody(kind)}
	t.Example = []string{"Van 12", "Depot North", "08:42"}[:strings.Count(t.Body, "{{")]
	for _, action := range Actions() {
		t.Buttons = append(t.Buttons, Button{Title: w.title(action), Payload: payload(action, "{{1}}")})
	}
	return t
}

// templateBody is the body with Meta's places.
func (w Words) templateBody(kind Kind) string {
	return w.say(string(kind)+"_template", places{"vehicle": "{{1}}", "fence": "{{2}}", "time": "{{3}}"})
}

// ownName names a template of the gateway's: by its version, or, where the tenant changed the words, by those.
func ownName(kind Kind, language string, own identity.Texts) string {
	w := WordsFor(language, own)
	changed := w.own[string(kind)+"_template"] != ""
	for _, action := range Actions() {
		changed = changed || w.own[strings.ToLower(string(action))] != ""
	}
	if !changed {
		return "outrider_" + string(kind) + "_v" + strconv.Itoa(TemplateVersion)
	}
	h := sha256.New()
	h.Write([]byte(w.templateBody(kind)))
	for _, action := range Actions() {
		h.Write([]byte("\x00" + w.title(action)))
	}
	return "outrider_" + string(kind) + "_t" + hex.EncodeToString(h.Sum(nil)[:4])
}

// ownNameForm tells the gateway's templates of any version.
var ownNameForm = regexp.MustCompile(`^outrider_([a-z_]+)_(?:v[0-9]+|t[0-9a-f]{8})$`)

// OwnKind returns the kind of event that one of the gateway's templates is for, by its name.
func OwnKind(name string) (Kind, bool) {
	m := ownNameForm.FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	return Kind(m[1]), true
}

// TemplateFor picks from the templates of a page the one to use for a kind of event and a locale: the page's
// own for the kind, else the gateway's newest, else an older version of it, in the first of the person's
// languages that is approved. If none is, it returns the most hopeful; its Status is empty if the page has none at
// all.
func TemplateFor(page identity.Page, own identity.Texts, templates []Template, kind Kind, locale string) Template {
	pages := page.Templates[string(kind)]
	first := languages(locale)[0]
	best := Template{Page: page.ID, Name: pages, Language: first}
	if pages == "" {
		best.Name = ownName(kind, first, own)
	}
	score := 0
	for i, language := range languages(locale) {
		newest := ownName(kind, language, own)
		for _, t := range templates {
			if t.Language != language || !fitsKind(t.Name, pages, kind) {
				continue
			}
			s := 100*hope(t.Status) - 2*i // approval, then language, then version
			if t.Name == newest {
				s++
			}
			if s > score {
				best, score = t, s
			}
		}
	}
	return best
}

// fitsKind reports whether a template is one to consider: the page's own where it has one.
func fitsKind(name, pages string, kind Kind) bool {
	if pages != "" {
		return name == pages
	}
	k, ours := OwnKind(name)
	return ours && k == kind
}

func hope(s TemplateStatus) int {
	switch s {
	case "":
		return 0
	case TemplateRejected:
		return 1
	case TemplateApproved:
		return 3
	}
	return 2
}

// preferred reports whether a template speaks the best of the gateway's languages for the locale, in the newest
// words.
func (t Template) preferred(own identity.Texts, kind Kind, locale string) bool {
	w := WordsFor(locale, own)
	_, ours := OwnKind(t.Name)
	return !ours || t.Language == w.Language && t.Name == ownName(kind, w.Language, own)
}

// ShapeOf is how many parameters and buttons a template has of which only the name is known: a page's own is as the
// documentation asks, and so was the first version of the gateway's.
func ShapeOf(name string) (params, buttons int) {
	if _, ours := OwnKind(name); ours && !strings.HasSuffix(name, "_v1") {
		return 3, len(Actions())
	}
	return 3, 1
}
