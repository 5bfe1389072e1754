package lexruntime

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"

	"outrider/chat"
	"outrider/chat/lex"
)

// answer is what RecognizeText answers (Lex V2 runtime API, version 2020-08-07).
type answer struct {
	Messages     []message `json:"messages"`
	SessionState struct {
		DialogAction struct {
			Type string `json:"type"`
		} `json:"dialogAction"`
		Intent *intent `json:"intent"`
	} `json:"sessionState"`
	Interpretations []struct {
		Intent intent `json:"intent"`
	} `json:"interpretations"`
}

type message struct {
	ContentType string `json:"contentType"` // PlainText, CustomPayload, SSML or ImageResponseCard
	Content     string `json:"content"`
	Card        *struct {
		Title    string `json:"title"`
		Subtitle string `json:"subtitle"`
		ImageURL string `json:"imageUrl"`
		Buttons  []struct {
			Text  string `json:"text"`
			Value string `json:"value"`
		} `json:"buttons"`
	} `json:"imageResponseCard"`
}

type intent struct {
	Name  string           `json:"name"`
	State string           `json:"state"`
	Slots map[string]*slot `json:"slots"`
}

type slot struct {
	Value *struct {
		Original    string `json:"originalValue"`
		Interpreted string `json:"interpretedValue"`
	} `json:"value"`
	Values []slot `json:"values"`
}

func (s *slot) said() string {
	switch {
	case s == nil:
		return ""
	case s.Value != nil && s.Value.Original != "":
		return s.Value.Original
	case s.Value != nil:
		return s.Value.Interpreted
	case len(s.Values) > 0:
		return s.Values[0].said()
	}
	return ""
}

// fallback is the intent of what a bot does not understand.
const fallback = "FallbackIntent"

// recognized says what the answer means. What the bot itself has said goes to the person as it is, unless it is that it
// did not understand: the built-in grammar may.
func (a *answer) recognized() chat.Recognized {
	in := a.intent()
	if in.Name == fallback || in.Name == "" && len(a.Messages) == 0 {
		return chat.Recognized{}
	}
	if say := a.say(); say != nil {
		return chat.Recognized{Say: say}
	}
	r := chat.Recognized{Intent: lex.IntentOf(in.Name), Vehicle: in.Slots[lex.SlotVehicle].said()}
	for _, name := range lex.Slots() {
		if name != lex.SlotVehicle {
			if said := in.Slots[name].said(); said != "" {
				r.Words = append(r.Words, said)
			}
		}
	}
	return r
}

func (a *answer) intent() intent {
	if a.SessionState.Intent != nil {
		return *a.SessionState.Intent
	}
	if len(a.Interpretations) > 0 {
		return a.Interpretations[0].Intent
	}
	return intent{}
}

// say renders the bot's messages for Messenger: texts one below the other, a card with picture as a card, the buttons
// of all cards as quick replies. Nil: it said nothing.
func (a *answer) say() *chat.Reply {
	var r chat.Reply
	var lines []string
	for _, m := range a.Messages {
		switch {
		case m.Card != nil:
			lines = append(lines, m.card(&r)...)
		case m.ContentType == "SSML":
			lines = append(lines, unmarked(m.Content))
		case m.ContentType == "CustomPayload":
			lines = append(lines, custom(m.Content))
		default:
			lines = append(lines, m.Content)
		}
	}
	var said []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" && (len(said) == 0 || said[len(said)-1] != line) {
			said = append(said, line)
		}
	}
	if r.Text = strings.Join(said, "\n"); r.Text == "" {
		return nil
	}
	r.Taps = r.Taps[:min(len(r.Taps), chat.MostTaps)]
	return &r
}

// card takes a card's picture and buttons over, and returns what else it says.
func (m *message) card(r *chat.Reply) []string {
	c := m.Card
	for _, b := range c.Buttons {
		if b.Text != "" {
			r.Taps = append(r.Taps, chat.Tap{Title: chat.Short(b.Text), Payload: payload(b.Value)})
		}
	}
	if u, err := url.Parse(c.ImageURL); r.Card == nil && c.Title != "" && err == nil && u.Scheme == "https" && u.Host != "" {
		r.Card = &chat.Card{Title: c.Title, Subtitle: c.Subtitle, Image: c.ImageURL}
	}
	return []string{c.Title, c.Subtitle}
}

// payload is what a button sends back: one of our own commands, or text that goes to the bot as if it was typed. A
// signature is taken off: what comes from Lex is signed anew for the person.
func payload(value string) string {
	command, _, _ := strings.Cut(value, "!")
	if chat.IsPayload(command) {
		return command
	}
	return string(chat.Echo) + ":" + url.QueryEscape(value)
}

var mark = regexp.MustCompile(`<[^>]*>`)

// unmarked is what SSML says.
func unmarked(ssml string) string { return html.UnescapeString(mark.ReplaceAllString(ssml, "")) }

// custom is the text of a custom payload: its member "text" if it is JSON with one, or all of it.
func custom(content string) string {
	var said struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(content), &said); err == nil {
		return said.Text // JSON for another channel has none
	}
	return content
}
