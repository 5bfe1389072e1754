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

// WriteBot writes the bot's definition as a zip file that Lex V2 imports (form LexJson, schema version 1.0). Intents and
// utterances come from the catalogue of package chat, so that the bot and the built-in grammar mean the same.
func WriteBot(w io.Writer) error {
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
		files = append(files, localeFiles(l.locale, l.language)...)
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

func localeFiles(locale, language string) []botFile {
	dir := path.Join(BotName, "BotLocales", locale)
	files := []botFile{
		{path.Join(dir, "BotLocale.json"), map[string]any{"name": locale, "identifier": locale, "version": "DRAFT", "nluConfidenceThreshold": 0.4}},
		{path.Join(dir, "Intents", "FallbackIntent", "Intent.json"), intentFile("FallbackIntent", "AMAZON.FallbackIntent", nil)},
	}
	for _, i := range chat.Intents() {
		name := IntentName(i)
		files = append(files, botFile{path.Join(dir, "Intents", name, "Intent.json"), intentFile(name, "", chat.Phrases(language, i))})
	}
	return files
}

// intentFile is an intent that the Lambda function fulfils. Vehicles' names are no slot: they differ from fleet to fleet,
// and the gateway finds them in the words.
func intentFile(name, parent string, utterances []string) map[string]any {
	samples := []map[string]string{}
	for _, u := range utterances {
		samples = append(samples, map[string]string{"utterance": u})
	}
	f := map[string]any{
		"name": name, "sampleUtterances": samples, "fulfillmentCodeHook": map[string]any{"enabled": true},
		"dialogCodeHook": map[string]any{"enabled": false}, "slotPriorities": []any{},
	}
	if parent != "" {
		f["parentIntentSignature"] = parent
	}
	return f
}
