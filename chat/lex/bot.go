package lex

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"path"

	"outrider/chat"
)

// BotName is what the bot is called, and its folder in the definition.
const BotName = "OutriderFleet"

// botLocales are the locales of Lex for the languages of the dialog. Vietnamese is missing: Lex does not speak it.
var botLocales = []struct{ locale, language string }{
	{"en_US", "en"}, {"de_DE", "de"}, {"es_ES", "es"}, {"pt_BR", "pt_BR"}, {"hi_IN", "hi"},
}

// LocaleOf is the locale of Lex for a language of the dialog; empty: Lex does not speak it.
func LocaleOf(language string) string {
	for _, l := range botLocales {
		if l.language == language {
			return l.locale
		}
	}
	return ""
}

// WriteBot writes the bot's definition as a zip file that Lex V2 imports (form LexJson, schema version 1.0). Intents, slot
// types and utterances come from the catalogue of package chat, so that the bot and the built-in grammar mean the same.
// fulfilled says that a Lambda function answers the intents; otherwise whoever asks the bot does.
func WriteBot(w io.Writer, fulfilled bool) error {
	z := zip.NewWriter(w)
	put := func(name string, v any) error {
		f, err := z.Create(name)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(f)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	files := []botFile{
		{"manifest.json", map[string]any{"metadata": map[string]any{"schemaVersion": "1.0", "fileFormat": "LexJson", "resourceType": "Bot"}}},
		{path.Join(BotName, "Bot.json"), map[string]any{
			"name": BotName, "version": "DRAFT", "description": "Owners ask about their vehicles.",
			"dataPrivacy": map[string]any{"childDirected": false}, "idleSessionTTLInSeconds": 300,
		}},
	}
	for _, l := range botLocales {
		files = append(files, localeFiles(l.locale, l.language, fulfilled)...)
	}
	for _, f := range files {
		if err := put(f.name, f.content); err != nil {
			return fmt.Errorf("lex: bot: %w", err)
		}
	}
	return z.Close()
}

type botFile struct {
	name    string
	content any
}

// localeFiles define a locale, its slot types and its intents.
func localeFiles(locale, language string, fulfilled bool) []botFile {
	dir := path.Join(BotName, "BotLocales", locale)
	files := []botFile{
		{path.Join(dir, "BotLocale.json"), map[string]any{"name": locale, "identifier": locale, "version": "DRAFT", "nluConfidenceThreshold": 0.4}},
		{path.Join(dir, "Intents", "FallbackIntent", "Intent.json"), intentFile("FallbackIntent", "AMAZON.FallbackIntent", nil, nil, fulfilled)},
	}
	for _, t := range slotTypes() {
		files = append(files, botFile{path.Join(dir, "SlotTypes", t.name, "SlotType.json"), t.file()})
	}
	for _, i := range chat.Intents() {
		name, slots := IntentName(i), slotsOf(i)
		folder := path.Join(dir, "Intents", name)
		files = append(files, botFile{path.Join(folder, "Intent.json"), intentFile(name, "", utterances(language, i), slots, fulfilled)})
		for _, s := range slots {
			files = append(files, botFile{path.Join(folder, "Slots", s.name, "Slot.json"), s.file()})
		}
	}
	return files
}

// utterances are the catalogue's phrases, alone and with each slot behind them.
func utterances(language string, i chat.Intent) []string {
	all := chat.Phrases(language, i)
	slots := slotsOf(i)
	for _, phrase := range chat.Phrases(language, i) {
		if i == chat.Quiet {
			all = append(all, phrase+" {"+SlotFrom+"} {"+SlotTo+"}")
			continue
		}
		for _, s := range slots {
			all = append(all, phrase+" {"+s.name+"}")
		}
	}
	return all
}

// intentFile is Intent.json. parent is the built-in intent it comes from; empty: none.
func intentFile(name, parent string, utterances []string, slots []slot, fulfilled bool) map[string]any {
	samples, priorities := []map[string]string{}, []map[string]any{}
	for _, u := range utterances {
		samples = append(samples, map[string]string{"utterance": u})
	}
	for n, s := range slots {
		priorities = append(priorities, map[string]any{"priority": n + 1, "slotName": s.name})
	}
	f := map[string]any{
		"name": name, "sampleUtterances": samples, "fulfillmentCodeHook": map[string]any{"enabled": fulfilled},
		"dialogCodeHook": map[string]any{"enabled": false}, "slotPriorities": priorities,
	}
	if parent != "" {
		f["parentIntentSignature"] = parent
	}
	return f
}
