package chat

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed locales/*.yaml
var localeFiles embed.FS

// Languages lists what the dialog speaks, as Meta writes it. English comes first: it is what everybody else gets.
func Languages() []string { return []string{"en", "de", "es", "pt_BR", "hi", "vi"} }

// LanguageNames lists the names of the languages, each in itself and in English.
func LanguageNames() []string {
	var names []string
	for _, code := range Languages() {
		names = append(names, locales()[code].Name)
		for english, c := range englishNames {
			if c == code && code != "en" {
				names = append(names, english)
			}
		}
	}
	return names
}

// englishNames are the languages in English.
var englishNames = map[string]string{
	"english": "en", "german": "de", "spanish": "es", "portuguese": "pt_BR", "hindi": "hi", "vietnamese": "vi",
}

// locale is what a locale file holds.
type locale struct {
	Name    string              `yaml:"name"`    // of the language, in itself
	Phrases map[Intent][]string `yaml:"phrases"` // what people say for an intent; _ stands for the vehicle
	Say     map[string]string   `yaml:"say"`     // what the dialog says, with places in braces
	Count   map[string][]string `yaml:"count"`   // texts with {count}: for one, and for others

	code string
	tag  language.Tag
}

// locales holds every locale by its code. It never changes.
var locales = sync.OnceValue(func() map[string]*locale {
	all := map[string]*locale{}
	for _, code := range Languages() {
		text, err := localeFiles.ReadFile("locales/" + code + ".yaml")
		if err != nil {
			panic("chat: " + err.Error()) // a programmer's mistake that every test shows
		}
		l := &locale{code: code, tag: language.Make(strings.ReplaceAll(code, "_", "-"))}
		if err := yaml.Unmarshal(text, l); err != nil {
			panic(fmt.Sprintf("chat: %s: %v", code, err))
		}
		all[code] = l
	}
	return all
})

// localeFor returns the nearest locale: BCP 47 or Facebook's form, English if there is none.
func localeFor(name string) *locale {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(name), "-", "_"), "_")
	for _, code := range Languages() {
		if b, _, _ := strings.Cut(code, "_"); b == base {
			return locales()[code]
		}
	}
	return locales()["en"]
}

// places are the values for the places of a text, in pairs: name, value.
type places []string

// say returns a text with its places filled, in one pass: a value that looks like a place stays as it is.
func (l *locale) say(key string, values ...string) string {
	text, ok := l.Say[key]
	if !ok {
		text = locales()["en"].Say[key]
	}
	return fill(text, values)
}

func fill(text string, values places) string {
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, "{"+values[i]+"}", values[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// count returns a text in the plural form of n (Unicode CLDR).
func (l *locale) count(key string, n int) string {
	forms := l.Count[key]
	form := forms[len(forms)-1]
	if plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0) == plural.One {
		form = forms[0]
	}
	return fill(form, places{"count", strconv.Itoa(n)})
}

// keys lists what the dialog says, in order.
func (l *locale) keys() []string { return slices.Sorted(maps.Keys(l.Say)) }

// Phrases lists what people say for an intent in a language; nil for a language that the dialog does not speak.
func Phrases(language string, i Intent) []string {
	l := locales()[language]
	if l == nil {
		return nil
	}
	return slices.Clone(l.Phrases[i])
}
