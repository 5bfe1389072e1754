package notify

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"outrider/identity"
)

// Words is what the gateway says in one language, or what a tenant says instead. It is a value that many
// goroutines may share.
type Words struct {
	Language string // as Meta writes it: "en", "de", "pt_BR"

	tongue   *i18n.Localizer
	calendar calendar
	own      map[string]string // the tenant's texts in this language
}

// WordsFor returns the words in the language nearest to a locale, BCP 47 or Facebook's form; English if there
// is none. own are the tenant's texts; nil: none.
func WordsFor(locale string, own identity.Texts) Words {
	code := "en"
	for _, language := range languages(locale) {
		if slices.Contains(Languages(), language) {
			code = language
			break
		}
	}
	return Words{Language: code, tongue: tongues()[code], calendar: calendarFor(code, locale), own: own[code]}
}

// languages lists the language codes to try for a locale, the nearest first, English last: "de_AT", "de", "en".
// Of a language that the gateway speaks in one region only, that one is tried, too: "pt_PT", "pt", "pt_BR", "en".
func languages(locale string) []string {
	code := strings.ReplaceAll(locale, "-", "_")
	base, region, ok := strings.Cut(code, "_")
	base = strings.ToLower(base)
	var list []string
	if ok {
		list = append(list, base+"_"+region)
	}
	if base != "" {
		list = append(list, base)
	}
	for _, spoken := range Languages() {
		if strings.HasPrefix(spoken, base+"_") && base != "" {
			list = append(list, spoken)
		}
	}
	list = append(list, "en")
	unique := list[:0]
	for _, l := range list {
		if !slices.Contains(unique, l) {
			unique = append(unique, l)
		}
	}
	return unique
}

// say returns a text of the catalogue with its places filled; a tenant's own text wins.
func (w Words) say(key string, values places) string {
	if own := w.own[key]; own != "" {
		return placed(own).fill(values)
	}
	text, _ := w.tongue.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: values, TemplateParser: placeParser{}})
	return text
}

// count returns a text in the plural form of n.
func (w Words) count(key string, n int) string {
	text, _ := w.tongue.Localize(&i18n.LocalizeConfig{
		MessageID: key, PluralCount: n, TemplateData: places{"count": strconv.Itoa(n)}, TemplateParser: placeParser{},
	})
	return text
}

// Text is the message for an alert that is read at about now.
func (w Words) Text(a Alert, now time.Time) string {
	if a.Text != "" {
		return placed(a.Text).fill(w.values(a, now))
	}
	return w.say(string(a.Kind), w.values(a, now))
}

// Title is what happened in a few words, without the time; it fits the title of a card.
func (w Words) Title(a Alert) string {
	vehicle, fence := clean(a.VehicleName, string(a.Vehicle)), clean(a.FenceName, a.Fence)
	for limit := nameLimit; ; limit -= 4 {
		values := places{"vehicle": Shorten(vehicle, limit), "fence": Shorten(fence, limit)}
		title := w.say(string(a.Kind)+"_title", values)
		if a.Text != "" { // only where it fits, see fitsCard
			values["time"] = w.when(a, a.At)
			title = placed(a.Text).fill(values)
		}
		if utf8.RuneCountInString(title) <= cardTextLimit || limit <= 8 {
			return Shorten(title, cardTextLimit)
		}
	}
}

// Subtitle is when it happened, and after how long inside; it fits the subtitle of a card.
func (w Words) Subtitle(a Alert, now time.Time) string { return Shorten(w.when(a, now), cardTextLimit) }

// fitsCard reports whether the alert's own words, if it has any, fit the title of a card.
func (w Words) fitsCard(a Alert, now time.Time) bool {
	return a.Text == "" || utf8.RuneCountInString(placed(a.Text).fill(w.values(a, now))) <= cardTextLimit
}

// cardTextLimit is how many characters the title and the subtitle of a card may have.
const cardTextLimit = 80

// Params are the parameters of a template's body: vehicle, fence, local time of the owner.
func (w Words) Params(a Alert, now time.Time) []string {
	return []string{clean(a.VehicleName, string(a.Vehicle)), clean(a.FenceName, a.Fence), w.when(a, now)}
}

func (w Words) values(a Alert, now time.Time) places {
	p := w.Params(a, now)
	return places{"vehicle": p[0], "fence": p[1], "time": p[2]}
}

// Buttons are the buttons of an alert. A tap opens the 24 hour window.
func (w Words) Buttons(d Delivery, argument ArgumentFunc) []Button {
	var list []Button
	for _, action := range Actions() {
		list = append(list, w.Button(action, d, argument))
	}
	return list
}

// Button is one button of a delivery.
func (w Words) Button(action Action, d Delivery, argument ArgumentFunc) Button {
	return Button{Title: w.title(action), Payload: payload(action, argument(action, d))}
}

// title is what is written on a button.
func (w Words) title(action Action) string { return w.say(strings.ToLower(string(action)), nil) }

// when is the time of day in the owner's zone, with the date unless it is the owner's today, and with how long
// the vehicle had been inside, if that is known.
func (w Words) when(a Alert, now time.Time) string {
	at, today := a.At.In(a.Location()), now.In(a.Location())
	nobodyChose := a.Location() == time.UTC && a.TimeZone != "UTC" // so say which zone it is
	text := w.calendar.when(at, today, nobodyChose)
	if a.Inside > 0 && (a.Kind == Exit || a.Kind == Dwell) {
		text = w.say("time_after", places{"time": text, "duration": w.Duration(a.Inside)})
	}
	return text
}

// Time writes a moment in an owner's zone, with the date unless it is their today.
func (w Words) Time(at, now time.Time, o identity.Owner) string {
	zone := o.Location()
	return w.calendar.when(at.In(zone), now.In(zone), zone == time.UTC && o.TimeZone != "UTC")
}

// Duration says how long something took, to the minute, or to the hour beyond a day.
func (w Words) Duration(d time.Duration) string {
	minutes := int(d / time.Minute)
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	var parts []string
	add := func(key string, n int) {
		if n > 0 {
			parts = append(parts, w.count(key, n))
		}
	}
	add("days", days)
	add("hours", hours)
	if days == 0 {
		add("minutes", minutes)
	}
	if len(parts) == 0 {
		return w.say("less_than_a_minute", nil)
	}
	return strings.Join(parts, " ")
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
	return Shorten(text, nameLimit)
}

// Shorten cuts a text to n characters.
func Shorten(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:n-1])) + "…"
}
