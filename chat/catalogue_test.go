package chat

import (
	"regexp"
	"slices"
	"testing"
)

// Every language says everything that English says, with the same places, and has words for every intent.
func TestLocalesAreComplete(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`\{[a-z]+\}`)
	places := func(text string) []string { return slices.Sorted(slices.Values(place.FindAllString(text, -1))) }
	english := locales()["en"]
	for code, l := range locales() {
		if l.Name == "" || !slices.Equal(l.keys(), english.keys()) {
			t.Errorf("%s says %v\nwant %v", code, l.keys(), english.keys())
		}
		for key, text := range english.Say {
			if got := places(l.Say[key]); !slices.Equal(got, places(text)) {
				t.Errorf("%s, %s: places %v, want %v", code, key, got, places(text))
			}
		}
		for key := range english.Count {
			if len(l.Count[key]) != 2 {
				t.Errorf("%s, %s: %q, want two forms", code, key, l.Count[key])
			}
		}
		for _, intent := range Intents() {
			if len(l.Phrases[intent]) < 3 {
				t.Errorf("%s has %d ways to say %s", code, len(l.Phrases[intent]), intent)
			}
		}
		if len(l.Phrases) != len(Intents()) {
			t.Errorf("%s has words for %d intents, want %d", code, len(l.Phrases), len(Intents()))
		}
	}
}

// Each phrase is understood as what it is written for, whoever's language it is in.
func TestPhrasesMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	for code, l := range locales() {
		for intent, phrases := range l.Phrases {
			for _, p := range phrases {
				if got := Understand(p, code, nil); got.Intent != intent {
					t.Errorf("%s: %q is understood as %q, want %q", code, p, got.Intent, intent)
				}
			}
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		code string
		n    int
		want string
	}{
		{"en", 1, "1 minute ago"}, {"en", 0, "0 minutes ago"}, {"en", 2, "2 minutes ago"}, {"de", 1, "vor 1 Minute"},
		{"pt_BR", 0, "há 0 minuto"}, {"pt_BR", 2, "há 2 minutos"}, {"vi", 1, "1 phút trước"},
	} {
		if got := locales()[x.code].count("minutes", x.n); got != x.want {
			t.Errorf("%s %d: %q, want %q", x.code, x.n, got, x.want)
		}
	}
}
