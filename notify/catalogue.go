package notify

import (
	"embed"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
)

//go:embed locales/*.yaml
var localeFiles embed.FS

// Languages lists what the gateway speaks, as Meta writes it. English comes first: it is what everybody else gets.
func Languages() []string { return []string{"en", "de", "es", "pt_BR", "hi", "vi"} }

// tongues holds a localizer for each language. It never changes.
var tongues = sync.OnceValue(func() map[string]*i18n.Localizer {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	all := map[string]*i18n.Localizer{}
	for _, code := range Languages() {
		text, err := localeFiles.ReadFile("locales/" + code + ".yaml")
		if err != nil {
			panic("notify: " + err.Error()) // a programmer's mistake that every test shows
		}
		tag := strings.ReplaceAll(code, "_", "-")
		bundle.MustParseMessageFileBytes(text, "active."+tag+".yaml")
		all[code] = i18n.NewLocalizer(bundle, tag)
	}
	return all
})

// places are the values for the places of a text, by name.
type places map[string]string

// placeParser reads texts with places in single braces. Unlike text/template it computes nothing, so that a
// tenant's own text can do no harm.
type placeParser struct{}

var _ template.Parser = placeParser{}

// Cacheable implements template.Parser.
func (placeParser) Cacheable() bool { return true }

// Parse implements template.Parser.
func (placeParser) Parse(src, _, _ string) (template.ParsedTemplate, error) { return placed(src), nil }

// placed is a text with places.
type placed string

// Execute implements template.ParsedTemplate.
func (p placed) Execute(data any) (string, error) {
	values, _ := data.(places)
	return p.fill(values), nil
}

// fill puts the values into their places in one pass: a value that looks like a place stays as it is.
func (p placed) fill(values places) string {
	var b strings.Builder
	for text := string(p); ; {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := values[name]
		if !closed || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(value)
		text = after
	}
}

// names lists the places of a text in order.
func (p placed) names() []string {
	var names []string
	for text := string(p); ; {
		_, rest, found := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		names, text = append(names, name), after
	}
}
