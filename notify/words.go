package notify

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"outrider/identity"
)

// Words is what the gateway says in one language. A text has the places {{1}} vehicle, {{2}} fence and {{3}}
// time, the form that Meta's templates use, so that an alert reads alike inside and outside the window.
type Words struct {
	Language string // as Meta writes it: "en", "de", "pt_BR"

	text     map[Kind]string // of a message
	template map[Kind]string // body of a utility template: longer, and no place at its end
	where    string          // title of the button that asks where the vehicle is

	clock, day, year string // layouts of time.Format: today, this year, any time
}

// catalogue returns the catalogue. English comes first: it is what everybody else gets.
func catalogue() []Words {
	return []Words{{
		Language: "en",
		text: map[Kind]string{
			Enter: "{{1}} entered {{2}} at {{3}}.",
			Exit:  "{{1}} left {{2}} at {{3}}.",
		},
		template: map[Kind]string{
			Enter: "Your vehicle {{1}} entered the area {{2}} at {{3}}. Tap the button below to ask where it is now.",
			Exit:  "Your vehicle {{1}} left the area {{2}} at {{3}}. Tap the button below to ask where it is now.",
		},
		where: "Where is it now?",
		clock: "15:04", day: "15:04 on Mon 2 Jan", year: "15:04 on Mon 2 Jan 2006",
	}}
}

// WordsFor returns the words in the language nearest to a locale, BCP 47 or Facebook's form; English if there
// is none.
func WordsFor(locale string) Words {
	all := catalogue()
	for _, language := range languages(locale) {
		if i := slices.IndexFunc(all, func(w Words) bool { return w.Language == language }); i >= 0 {
			return all[i]
		}
	}
	return all[0]
}

// languages lists the language codes to try for a locale, the nearest first, English last: "de_AT", "de", "en".
func languages(locale string) []string {
	code := strings.ReplaceAll(locale, "-", "_")
	var list []string
	if language, region, ok := strings.Cut(code, "_"); ok {
		list = append(list, strings.ToLower(language)+"_"+region, strings.ToLower(language))
	} else if code != "" {
		list = append(list, strings.ToLower(code))
	}
	if !slices.Contains(list, "en") {
		list = append(list, "en")
	}
	return list
}

// Text is the message for an alert that is read at about now.
func (w Words) Text(a Alert, now time.Time) string {
	return fill(w.text[a.Kind], w.Params(a, now))
}

// Params are the parameters of a template's body: vehicle, fence, local time of the owner.
func (w Words) Params(a Alert, now time.Time) []string {
	return []string{clean(a.VehicleName, string(a.Vehicle)), clean(a.FenceName, a.Fence), w.when(a, now)}
}

// Buttons are the buttons of an alert. A tap opens the 24 hour window.
func (w Words) Buttons(a Alert) []Button {
	return []Button{{Title: w.where, Payload: "WHERE:" + string(a.Vehicle)}}
}

// when is the time of day in the owner's zone, with the date unless it is the owner's today.
func (w Words) when(a Alert, now time.Time) string {
	at, today := a.At.In(a.Location()), now.In(a.Location())
	layout := w.clock
	switch {
	case at.Year() != today.Year():
		layout = w.year
	case at.YearDay() != today.YearDay():
		layout = w.day
	}
	if a.Location() == time.UTC && a.TimeZone != "UTC" {
		layout = strings.Replace(layout, "15:04", "15:04 MST", 1) // nobody chose this zone, so say which it is
	}
	return at.Format(layout)
}

// nameLimit is how many characters of a name a message shows; it keeps every text below Meta's limits.
const nameLimit = 80

// clean makes a name fit for a template's parameter: one line, trimmed, without control and direction
// characters, not longer than nameLimit; or the same of the other name if nothing is left.
func clean(name, other string) string {
	text := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(name, "�"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if text == "" && other != "" {
		return clean(other, "")
	}
	if runes := []rune(text); len(runes) > nameLimit {
		text = strings.TrimSpace(string(runes[:nameLimit-1])) + "…"
	}
	return text
}

// fill puts the parameters into their places. A parameter that looks like a place stays as it is.
func fill(text string, params []string) string {
	pairs := make([]string, 0, 2*len(params))
	for i, p := range params {
		pairs = append(pairs, "{{"+string(rune('1'+i))+"}}", p)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// OwnTemplate is a utility template that the gateway creates on a page that has none of its own.
type OwnTemplate struct {
	Name     string
	Language string
	Body     string
	Example  []string // a value for each place of Body
	Buttons  []Button // postback; {{1}} of a payload is filled when sending
}

// OwnTemplates lists the gateway's templates in every language it speaks.
func OwnTemplates() []OwnTemplate {
	var list []OwnTemplate
	for _, w := range catalogue() {
		for _, kind := range []Kind{Enter, Exit} {
			list = append(list, OwnTemplate{
				Name:     TemplateName(identity.Page{}, kind),
				Language: w.Language,
				Body:     w.template[kind],
				Example:  []string{"Van 12", "Depot North", "08:42"},
				Buttons:  []Button{{Title: w.where, Payload: "WHERE:{{1}}"}},
			})
		}
	}
	return list
}
