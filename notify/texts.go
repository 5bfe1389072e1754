package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a tenant's own text may have, in characters.
const (
	ownTextLimit     = 300
	ownTitleLimit    = 60
	ownTemplateLimit = 550
	ownButtonLimit   = 20
)

// TextNames lists the texts that a tenant may say in its own words: of each kind of event the message, the title of
// its card and the body of its template, and the titles of the buttons.
func TextNames() []string {
	var names []string
	for _, kind := range Kinds() {
		names = append(names, string(kind), string(kind)+"_title", string(kind)+"_template")
	}
	for _, action := range append(Actions(), ActionAck) {
		names = append(names, strings.ToLower(string(action)))
	}
	return names
}

// StandardText is what the gateway says under a name in one of its languages, with its places.
func StandardText(name, language string) string {
	return WordsFor(language, nil).say(name, places{"vehicle": "{vehicle}", "fence": "{fence}", "time": "{time}", "duration": "{duration}"})
}

// CheckText says what is wrong with a tenant's own text, nil if nothing is.
func CheckText(name, text string) error {
	if !slices.Contains(TextNames(), name) {
		return fmt.Errorf("unknown text; expected one of %s", strings.Join(TextNames(), ", "))
	}
	limit, allowed := ownTextLimit, []string{"vehicle", "fence", "time"}
	template := strings.HasSuffix(name, "_template")
	switch {
	case template:
		limit = ownTemplateLimit
	case strings.HasSuffix(name, "_title"):
		limit, allowed = ownTitleLimit, allowed[:2]
	case !slices.Contains(Kinds(), Kind(name)):
		limit, allowed = ownButtonLimit, nil
	}
	if n := utf8.RuneCountInString(text); n == 0 || n > limit {
		return fmt.Errorf("expected 1 to %d characters, found %d", limit, n)
	}
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) || text != strings.TrimSpace(text) {
		return errors.New("expected one line of text without space at its ends")
	}
	found := placed(text).names()
	for _, place := range found {
		if !slices.Contains(allowed, place) {
			return fmt.Errorf("unknown place {%s}; expected %s", place, placeList(allowed))
		}
	}
	if template {
		return checkTemplateText(text, found)
	}
	return nil
}

func placeList(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return "{" + strings.Join(names, "}, {") + "}"
}

// checkTemplateText holds what Meta asks of a template's body.
func checkTemplateText(text string, found []string) error {
	switch {
	case !slices.Equal(found, []string{"vehicle", "fence", "time"}):
		return errors.New("expected {vehicle}, {fence} and {time}, once each and in this order")
	case strings.HasPrefix(text, "{") || strings.HasSuffix(text, "}"):
		return errors.New("expected words before the first place and after the last: Meta refuses other templates")
	case len(strings.Fields(text)) < 12:
		return errors.New("expected at least twelve words: Meta refuses a template that is mostly places")
	}
	return nil
}

// CheckTexts says what is wrong with a tenant's texts in a language, by name; empty if nothing is.
func CheckTexts(texts map[string]string) map[string]error {
	faults := map[string]error{}
	for name, text := range texts {
		if err := CheckText(name, text); err != nil {
			faults[name] = err
		}
	}
	return faults
}
