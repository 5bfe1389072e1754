package chat

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Understanding is what was made of what a person typed.
type Understanding struct {
	Intent   Intent
	Vehicle  string        // id of the vehicle that was named; empty: none
	Several  bool          // more than one vehicle fits the name
	For      time.Duration // with Mute: how long; 0: it was not said
	Tomorrow bool          // with Mute: until tomorrow
	Language string        // with Language: its code; empty: it was not said
}

// Named is something that has a name people use.
type Named struct{ ID, Name string }

// Understand finds out what a text means. The words of language are tried first, then those of the others: people
// write as they like. vehicles are those whose names may occur.
//
// It compares words, forgives one wrong letter in words of four and more, two in words of eight and more and doubled letters in all of three, and
// ignores accents, case and punctuation. The phrase of which most letters are found wins.
func Understand(text, language string, vehicles []Named) Understanding {
	words := tokens(text)
	var u Understanding
	words, u.Vehicle, u.Several = named(words, vehicles)
	if len(words) == 0 && (u.Vehicle != "" || u.Several) {
		u.Intent = Where // a name alone
		return u
	}
	u.Intent = bestIntent(words, localeFor(language))
	switch u.Intent {
	case Mute:
		u.For, u.Tomorrow = span(words)
	case Language:
		u.Language = languageIn(words)
	case Unknown:
		if code := languageIn(words); code != "" && len(words) <= 2 {
			u.Intent, u.Language = Language, code
		}
	}
	return u
}

// phrase is one way to say an intent.
type phrase struct {
	intent  Intent
	words   []word
	letters int
}

// phrases holds the phrases of each language, prepared once.
var phrases = sync.OnceValue(func() map[string][]phrase {
	all := map[string][]phrase{}
	for code, l := range locales() {
		for _, intent := range Intents() {
			for _, text := range l.Phrases[intent] {
				p := phrase{intent: intent, words: newWords(tokens(text))}
				for _, w := range p.words {
					p.letters += len(w.letters)
				}
				all[code] = append(all[code], p)
			}
		}
	}
	return all
})

// mostWords is how much of a message is looked at: nobody asks where their car is after more.
const mostWords = 60

// bestIntent compares with every phrase of every language; those of the person's own count a little more.
func bestIntent(words []string, own *locale) Intent {
	best, intent := 0.0, Unknown
	said := newWords(words[:min(len(words), mostWords)])
	for _, code := range Languages() {
		for _, p := range phrases()[code] {
			score := p.score(said)
			if code == own.code {
				score *= 1.1
			}
			if score > best {
				best, intent = score, p.intent
			}
		}
	}
	return intent
}

// politeLetters is how much beside the word itself may stand in a wish to begin or end: "please stop".
const politeLetters = 8

// score is how many letters of the text a phrase explains, if all of its words occur; 0 otherwise. What the text says
// beyond the phrase counts against it, but not much: people are wordy.
func (p *phrase) score(said []word) float64 {
	if len(said) < len(p.words) {
		return 0
	}
	var used uint64 // which of the words said
	mistakes := 0
	for _, w := range p.words {
		i := slices.IndexFunc(said, func(s word) bool { return s.text == w.text })
		for j := 0; i < 0 && j < len(said); j++ {
			if used&(1<<j) == 0 && said[j].alike(w) {
				i = j
				mistakes++
			}
		}
		if i < 0 || used&(1<<i) != 0 {
			return 0
		}
		used |= 1 << i
	}
	beyond := 0
	for i, s := range said {
		if used&(1<<i) == 0 {
			beyond += len(s.letters)
		}
	}
	if (p.intent == Stop || p.intent == Start) && beyond > politeLetters {
		return 0 // "when did it stop" is no wish to be left alone
	}
	// What is written right counts more: "subscribe" is no misspelt "unsubscribe".
	return float64(p.letters-3*mistakes) / (1 + 0.02*float64(beyond))
}

// word is a word prepared for comparing.
type word struct {
	text    string
	letters []rune
	mask    uint64 // a bit for each letter in it, by its code: words that differ much here are no misspelling
}

func newWord(text string) word {
	w := word{text: text, letters: []rune(text)}
	for _, r := range w.letters {
		w.mask |= 1 << (uint32(r) % 64)
	}
	return w
}

func newWords(texts []string) []word {
	all := make([]word, len(texts))
	for i, t := range texts {
		all[i] = newWord(t)
	}
	return all
}

// longestWord is how many letters of a word are compared; no word of ours is longer.
const longestWord = 24

// alike reports whether a typed word may be meant to be the other one.
func (w word) alike(other word) bool {
	if w.text == other.text {
		return true
	}
	a, b := len(w.letters), len(other.letters)
	if min(a, b) >= 3 && w.mask == other.mask && max(a, b) <= longestWord && slices.Equal(single(w.letters), single(other.letters)) {
		return true // a letter doubled or not, such as "isst" for "ist"
	}
	may := 0
	switch n := min(a, b); {
	case n >= 8:
		may = 2
	case n >= 4:
		may = 1
	}
	if may == 0 || a-b > may || b-a > may || max(a, b) > longestWord || bits.OnesCount64(w.mask^other.mask) > 2*may {
		return false
	}
	return typos(w.letters, other.letters) <= may
}

// single is a word without the doubling of letters.
func single(letters []rune) []rune { return slices.Compact(slices.Clone(letters)) }

// typos is the number of letters left out, added, changed or exchanged with their neighbour (optimal string alignment).
func typos(a, b []rune) int {
	var rows [3][longestWord + 1]int
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// plain takes accents off: NFD splits them from their letters. Vowel signs of Devanagari are marks, too, but mean
// something, so only marks of Latin letters go.
var latinMarks = runes.Predicate(func(r rune) bool { return r >= 0x300 && r <= 0x36f })

// tokens splits a text into words: lower case, without accents and punctuation.
func tokens(text string) []string {
	t := transform.Chain(norm.NFD, runes.Remove(latinMarks), norm.NFC)
	plain, _, err := transform.String(t, strings.ToLower(text))
	if err != nil {
		plain = strings.ToLower(text) // broken UTF-8 is replaced, not refused: this does not happen
	}
	plain = strings.NewReplacer("đ", "d", "ß", "ss", "'", "", "’", "").Replace(plain)
	return strings.FieldsFunc(plain, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// named finds the vehicle whose name or id occurs in the words, the longest one, and returns the other words.
func named(words []string, vehicles []Named) (rest []string, id string, several bool) {
	best, at := 0, 0
	for _, v := range vehicles {
		for _, name := range []string{v.Name, v.ID} {
			parts := tokens(name)
			i := indexOf(words, parts)
			switch {
			case i < 0 || len(parts) < best:
			case len(parts) > best:
				best, at, id, several = len(parts), i, v.ID, false
			case v.ID != id:
				several = true
			}
		}
	}
	if best == 0 {
		return words, "", false
	}
	if several {
		id = ""
	}
	return slices.Delete(slices.Clone(words), at, at+best), id, several
}

// indexOf returns where the parts stand in the words, one behind the other; -1: nowhere. Digits must be right.
func indexOf(words, parts []string) int {
	if len(parts) == 0 {
		return -1
	}
	for i := 0; i+len(parts) <= len(words); i++ {
		ok := true
		for j, p := range parts {
			w := words[i+j]
			ok = ok && (w == p || !strings.ContainsFunc(w+p, unicode.IsDigit) && newWord(w).alike(newWord(p)))
		}
		if ok {
			return i
		}
	}
	return -1
}

// languageIn returns the code of a language that is named in itself or in English.
func languageIn(words []string) string {
	for _, w := range words {
		for name, code := range englishNames {
			if newWord(w).alike(newWord(name)) {
				return code
			}
		}
	}
	for _, code := range Languages() {
		if name := tokens(locales()[code].Name); indexOf(words, name[:1]) >= 0 {
			return code
		}
	}
	return ""
}
