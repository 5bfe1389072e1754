package lex_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"outrider/chat"
	"outrider/chat/lex"
)

// The bot has every intent of the dialog with its words in each of its languages, and nothing else.
func TestBotMatchesTheCatalogue(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := lex.WriteBot(&b, true); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	languages := map[string]string{"en_US": "en", "de_DE": "de", "es_ES": "es", "pt_BR": "pt_BR", "hi_IN": "hi"}
	intents := map[string][]string{} // by locale
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil || !json.Valid(raw) {
			t.Fatalf("%s: %v", f.Name, err)
		}
		parts := strings.Split(f.Name, "/")
		if path.Base(f.Name) != "Intent.json" {
			continue
		}
		var in struct {
			Name             string
			SampleUtterances []struct{ Utterance string }
			Hook             struct{ Enabled bool } `json:"fulfillmentCodeHook"`
			Parent           string                 `json:"parentIntentSignature"`
		}
		if err := json.Unmarshal(raw, &in); err != nil || in.Name != parts[4] || !in.Hook.Enabled {
			t.Fatalf("%s: %+v %v", f.Name, in, err)
		}
		var words []string
		for _, u := range in.SampleUtterances {
			if !strings.Contains(u.Utterance, "{") {
				words = append(words, u.Utterance)
			}
		}
		intents[parts[2]] = append(intents[parts[2]], in.Name)
		want := chat.Phrases(languages[parts[2]], lex.IntentOf(in.Name))
		if in.Name == "FallbackIntent" {
			if want = nil; in.Parent != "AMAZON.FallbackIntent" {
				t.Errorf("%s: %+v", f.Name, in)
			}
		}
		if !slices.Equal(words, want) {
			t.Errorf("%s: %q, want %q", f.Name, words, want)
		}
	}
	for locale := range languages {
		if len(intents[locale]) != len(chat.Intents())+1 {
			t.Errorf("%s has %v", locale, intents[locale])
		}
	}
}
