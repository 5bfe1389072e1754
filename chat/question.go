package chat

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// questionLife is how long a question waits for its answer.
const questionLife = 15 * time.Minute

// wanted is what a question asks for.
type wanted string

// What questions ask for. A question is kept as wanted, "|", intent, "|", and what is known already: enough to go on
// when only the missing word is typed, after a restart as well.
const (
	wantsVehicle wanted = "vehicle" // known: what stands behind the vehicle in the argument
	wantsName    wanted = "name"    // known: the argument up to the name
	wantsFence   wanted = "fence"
	wantsHours   wanted = "hours"
)

// ask keeps a question open.
func (t *turn) ask(w wanted, intent Intent, known string) error {
	t.asks = true
	return t.fleet.Ask(t.ctx, t.m.person(), string(w)+"|"+string(intent)+"|"+known, t.now.Add(questionLife))
}

// answered reads the words as the answer to the open question; false: they are something else.
func (t *turn) answered(question string) (Intent, string, bool) {
	parts := strings.SplitN(question, "|", 3)
	if len(parts) != 3 {
		return "", "", false
	}
	intent, known := Intent(parts[1]), parts[2]
	words := tokens(t.m.Text)
	switch wanted(parts[0]) {
	case wantsVehicle:
		rest, id, _ := named(words, t.vehicles)
		if id != "" && len(rest) == 0 {
			return intent, url.QueryEscape(id) + known, true
		}
	case wantsName:
		if name := fenceName(t.m.Text); name != "" && !saidPlainly(words) && t.meant.For == 0 {
			return intent, known + url.QueryEscape(name), true
		}
	case wantsFence:
		fence, err := t.fenceSaid()
		if err == nil && fence != "" && !saidPlainly(words) {
			return intent, url.QueryEscape(fence), true
		}
	case wantsHours:
		if hours := quietHours(t.m.Text); hours != "" {
			return intent, hours, true
		}
	}
	return "", "", false
}

// saidPlainly reports whether words ask for something without a doubt: they are a phrase, or hold one of several words,
// letter by letter. "Mein Haus" is a name, although it looks like a misspelt greeting.
func saidPlainly(words []string) bool {
	for _, code := range Languages() {
		for _, p := range phrases()[code] {
			found := 0
			for _, w := range p.words {
				if slices.Contains(words, w.text) {
					found++
				}
			}
			if found == len(p.words) && (found > 1 || found == len(words)) {
				return true
			}
		}
	}
	return false
}
