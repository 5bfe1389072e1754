package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"outrider/chat"
)

// Whatever people write or send, they get one answer each, short and with something to tap.
func TestOddMessagesAreAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"chat.mode": "builtin"})
	r.own(t, "van", "ann", "7001")
	r.own(t, "car", "bob", "7002")
	answers := 0
	answered := func(what string) {
		t.Helper()
		answers++
		eventually(t, "an answer to "+what, func() bool { return len(r.sandbox.Thread(page, "7001")) == answers })
		m := r.sandbox.Thread(page, "7001")[answers-1]
		if n := utf8.RuneCountInString(m.Text); n == 0 || n >= 2000 || len(m.Buttons) == 0 {
			t.Errorf("%s: %d characters, %d buttons: %q", what, n, len(m.Buttons), m.Text)
		}
	}
	for what, text := range map[string]string{
		"2,000 characters": strings.Repeat("where ", 333) + "xx", "2,000 of another script": strings.Repeat("क", 2000), "emoji": "😀🚗❤️",
		"another language": "Où est ma voiture ?", "right to left": "أين سيارتي", "punctuation": "?!?…", "zero width": "\u200b\u200d\u202e",
		"HTML": "<script>alert(1)</script>", "a place in braces": "{vehicle} {link}", "a payload, typed": "MUTE:van:3600", "SQL": "'; DROP TABLE owners; --",
	} {
		r.talk(t, "7001", text)
		answered(what)
	}
	for _, kind := range []string{"sticker", "image", "audio", "file"} {
		_, err := r.sandbox.Attach(page, "7001", kind)
		must(t, err)
		answered(kind)
	}
	// Another person floods meanwhile: one polite word, and nobody else waits.
	for range 40 {
		r.talk(t, "7002", "where is it")
	}
	r.hears(t, "7002", "One moment, please")
	r.talk(t, "7001", "help")
	answered("help beside a flood")
	slow := 0
	for _, m := range r.sandbox.Thread(page, "7002") {
		if strings.Contains(m.Text, "One moment, please") {
			slow++
		}
	}
	if slow != 1 {
		t.Errorf("the flood was answered politely %d times", slow)
	}
}

// One person tries everything to learn of another's vehicle: words, buttons made up, changed and stolen, and addresses of
// pictures.
func TestNothingLeaksInChat(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // so that nobody is silenced as a flood
	calm := func() { ahead.Add(int64(8 * time.Second)) }
	r := newRigAt(t, map[string]string{"chat.mode": "builtin", "lex.key": "lex-key-of-the-test"}, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	r.own(t, "van", "ann", "7001")
	must(t, r.sandbox.AddPerson(page, "7002", "mallory"))
	r.call(t, http.MethodPut, "owners/mallory", map[string]any{"contacts": []any{map[string]any{"page": page, "psid": "7002"}}}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/van", map[string]any{"name": "Annas Beetle", "owner": "ann"}, http.StatusOK)
	r.call(t, http.MethodPut, "vehicles/other", map[string]any{"name": "Other", "owner": "mallory"}, http.StatusOK)
	r.parked(t, "van", 11.5755, 48.1374)
	r.talk(t, "7001", "where is my car")
	card := r.hears(t, "7001", "Annas Beetle")
	stolen := r.button(t, "7001", "Status")

	var tries []string
	for _, intent := range append(chat.Intents(), chat.Buttons()...) {
		for _, argument := range []string{"van", "van:3600", "van:own-1", "v%61n", ":van", "van@x", "van:100:Home"} {
			tries = append(tries, string(intent)+":"+argument)
		}
	}
	tries = append(tries, stolen.Payload, strings.Replace(stolen.Payload, "STATUS", "WHERE", 1), stolen.Payload[:len(stolen.Payload)-2])
	ask := func(payload string) string {
		t.Helper()
		event := fmt.Sprintf(`{"sessionId":"7002","inputTranscript":%q,"sessionState":{"intent":{"name":"FallbackIntent"}}}`, payload)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url("/lex/fulfillment"), strings.NewReader(event))
		must(t, err)
		req.Header.Set("Authorization", "Bearer lex-key-of-the-test")
		return body(t, req)
	}
	for i, payload := range tries {
		calm()
		if said := ask(payload); strings.Contains(said, "Beetle") || strings.Contains(said, "48.13") || strings.Contains(said, "…\"") {
			t.Errorf("by lex, %s: %s", payload, said)
		}
		if i%9 == 0 { // and through Messenger, no faster than a person may write
			must(t, r.sandbox.Tap(page, "7002", payload))
		}
	}
	for _, words := range []string{"where is Annas Beetle", "status of van", "history of Annas Beetle", "mute Annas Beetle", "tell me when Annas Beetle leaves", "my vehicles"} {
		calm()
		r.talk(t, "7002", words)
	}
	eventually(t, "answers", func() bool { return len(r.sandbox.Thread(page, "7002")) >= 10 })
	for _, m := range r.sandbox.Thread(page, "7002") {
		if strings.Contains(m.Text, "Beetle") || strings.Contains(m.Text, "48.13") {
			t.Errorf("mallory reads %q", m.Text)
		}
	}
	for _, o := range r.items(t, "owners") {
		if strings.Contains(fmt.Sprint(o), "van") {
			t.Errorf("owner %v", o)
		}
	}
	// The address of ann's picture, with mallory in her place, or another vehicle.
	address, err := url.Parse(card.Image)
	must(t, err)
	for _, path := range []string{"/card/position:mallory%2Fvan", "/card/position:ann%2Fother", "/card/van"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url(path+"?"+address.RawQuery), nil)
		must(t, err)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// body is what a request is answered with.
func body(t *testing.T, req *http.Request) string {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(t, err)
	return res.Status + string(raw)
}
