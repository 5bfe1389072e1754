package lex

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode"
)

// Bot is a bot as Lex imports it.
type Bot struct {
	Name    string
	locales map[string][]intent
}

type intent struct {
	name       string
	fallback   bool
	hook       bool // a Lambda function fulfils it
	slots      []string
	utterances []utterance
}

type utterance struct {
	words   string // plain, for comparing
	pattern *regexp.Regexp
	slots   []string // in the pattern's order
}

// slotPlace is a slot in a sample utterance.
var slotPlace = regexp.MustCompile(`\{(\w+)\}`)

// ParseBot reads the zip that Lex imports (Lex V2 developer guide, "Import and export"), and refuses what Lex would: a
// missing manifest, a slot that no file defines, a slot type that is neither AMAZON's nor defined, two intents with one
// utterance.
func ParseBot(r io.ReaderAt, size int64) (*Bot, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("lex: bot: %w", err)
	}
	p := parser{files: map[string][]byte{}}
	for _, f := range z.File {
		if p.files[f.Name], err = content(f); err != nil {
			return nil, fmt.Errorf("lex: bot: %s: %w", f.Name, err)
		}
	}
	return p.bot()
}

func content(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

type parser struct{ files map[string][]byte }

func (p *parser) bot() (*Bot, error) {
	var manifest struct {
		Metadata struct{ SchemaVersion, FileFormat, ResourceType string }
	}
	if err := p.read("manifest.json", &manifest); err != nil {
		return nil, err
	}
	if m := manifest.Metadata; m.SchemaVersion != "1.0" || m.FileFormat != "LexJson" || m.ResourceType != "Bot" {
		return nil, fmt.Errorf("lex: bot: manifest.json: %+v is no LexJson bot of schema 1.0", m)
	}
	b := &Bot{locales: map[string][]intent{}}
	for name := range p.files {
		parts := strings.Split(name, "/")
		if len(parts) == 2 && parts[1] == "Bot.json" {
			b.Name = parts[0]
		}
	}
	for name := range p.files {
		parts := strings.Split(name, "/")
		if len(parts) != 6 || parts[0] != b.Name || parts[1] != "BotLocales" || parts[3] != "Intents" || parts[5] != "Intent.json" {
			continue
		}
		i, err := p.intent(path.Dir(name), path.Join(b.Name, "BotLocales", parts[2]))
		if err != nil {
			return nil, err
		}
		b.locales[parts[2]] = append(b.locales[parts[2]], i)
	}
	if b.Name == "" || len(b.locales) == 0 {
		return nil, errors.New("lex: bot: expected Bot.json and at least one locale with intents")
	}
	return b, b.unambiguous()
}

func (p *parser) read(name string, v any) error {
	text, ok := p.files[name]
	if !ok {
		return fmt.Errorf("lex: bot: there is no %s", name)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("lex: bot: %s: %w", name, err)
	}
	return nil
}

func (p *parser) intent(dir, locale string) (intent, error) {
	var f struct {
		Name                  string
		ParentIntentSignature string
		SampleUtterances      []struct{ Utterance string }
		FulfillmentCodeHook   struct{ Enabled bool }
		SlotPriorities        []struct{ SlotName string }
	}
	if err := p.read(dir+"/Intent.json", &f); err != nil {
		return intent{}, err
	}
	i := intent{name: f.Name, fallback: f.ParentIntentSignature == "AMAZON.FallbackIntent", hook: f.FulfillmentCodeHook.Enabled}
	for _, s := range f.SlotPriorities {
		var slot struct{ Name, SlotTypeName string }
		if err := p.read(dir+"/Slots/"+s.SlotName+"/Slot.json", &slot); err != nil {
			return i, err
		}
		if !strings.HasPrefix(slot.SlotTypeName, "AMAZON.") {
			var kind struct{ Name string }
			if err := p.read(locale+"/SlotTypes/"+slot.SlotTypeName+"/SlotType.json", &kind); err != nil {
				return i, err
			}
		}
		i.slots = append(i.slots, s.SlotName)
	}
	for _, u := range f.SampleUtterances {
		parsed, err := newUtterance(u.Utterance, i.slots)
		if err != nil {
			return i, fmt.Errorf("lex: bot: intent %s: %w", f.Name, err)
		}
		i.utterances = append(i.utterances, parsed)
	}
	return i, nil
}

func newUtterance(text string, slots []string) (utterance, error) {
	u := utterance{words: plain(text)}
	pattern := "(?i)^"
	rest := text
	for _, m := range slotPlace.FindAllStringSubmatch(text, -1) {
		known := false
		for _, s := range slots {
			known = known || s == m[1]
		}
		if !known {
			return u, fmt.Errorf("utterance %q names the slot %s, which is not defined", text, m[1])
		}
		before, after, _ := strings.Cut(rest, m[0])
		pattern += regexp.QuoteMeta(before) + `(.+?)`
		rest = after
		u.slots = append(u.slots, m[1])
	}
	u.pattern = regexp.MustCompile(pattern + regexp.QuoteMeta(rest) + "$")
	return u, nil
}

// unambiguous refuses two intents of a locale with one utterance.
func (b *Bot) unambiguous() error {
	for locale, intents := range b.locales {
		seen := map[string]string{}
		for _, i := range intents {
			for _, u := range i.utterances {
				if other, ok := seen[u.words]; ok && other != i.name {
					return fmt.Errorf("lex: bot: %s: %q is an utterance of %s and of %s", locale, u.words, other, i.name)
				}
				seen[u.words] = i.name
			}
		}
	}
	return nil
}

// understand finds the intent whose utterance is the text or is in it, the longest one, and the slots.
func (b *Bot) understand(locale, text string) (i intent, slots map[string]string, ok bool) {
	intents, ok := b.locales[locale]
	if !ok {
		return intent{}, nil, false
	}
	said, best := plain(text), 0
	for _, candidate := range intents {
		if candidate.fallback && i.name == "" {
			i = candidate
		}
		for _, u := range candidate.utterances {
			found := u.pattern.FindStringSubmatch(strings.TrimRight(strings.TrimSpace(text), "?!."))
			score := len(slotPlace.ReplaceAllString(u.words, ""))
			switch {
			case found != nil:
				score += 1000
			case len(u.slots) > 0 || !strings.Contains(" "+said+" ", " "+u.words+" "):
				continue
			}
			if score > best {
				best, i, slots = score, candidate, map[string]string{}
				for n, s := range u.slots {
					if found != nil {
						slots[s] = found[n+1]
					}
				}
			}
		}
	}
	return i, slots, true
}

// plain is lower case words with one space in between.
func plain(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '{' && r != '}'
	}), " ")
}
