package chat_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"outrider/chat"
)

// The menu's buttons are unsigned, and answered all the same, in the language of who taps.
func TestMenu(t *testing.T) {
	t.Parallel()
	f := newFleet()
	if menus := chat.Menu(); menus[0].Locale != "default" || len(menus) < 6 {
		t.Fatalf("%+v", menus)
	}
	for _, m := range chat.Menu() {
		if len(m.Taps) != len(chat.Menu()[0].Taps) {
			t.Errorf("%s has %d items", m.Locale, len(m.Taps))
		}
		for _, tap := range m.Taps {
			if n := utf8.RuneCountInString(tap.Title); n == 0 || n > 30 {
				t.Errorf("%s: title %q", m.Locale, tap.Title)
			}
			r, err := newDialog(f).Answer(t.Context(), chat.Message{Page: "1", PSID: "7001", Text: tap.Title, Payload: tap.Payload})
			if err != nil || r.Text == "" || strings.Contains(r.Text, "did not understand") || strings.Contains(r.Text, "too old") {
				t.Errorf("%s %q: %q %v", m.Locale, tap.Title, r.Text, err)
			}
		}
	}
}
