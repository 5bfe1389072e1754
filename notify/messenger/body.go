package messenger

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"outrider/notify"
)

// Limits of the Send API. Text is counted in bytes, which is never less than Meta's characters.
const (
	textLimit       = 1999
	metadataLimit   = 999
	buttonTextLimit = 640 // characters of a text with buttons below it
	buttonLimit     = 3
	replyLimit      = 13
	titleLimit      = 20 // characters; Meta cuts what is longer
)

// sendRequest is the body of POST /{page}/messages.
type sendRequest struct {
	Recipient recipient `json:"recipient"`
	Type      string    `json:"messaging_type"`
	Tag       string    `json:"tag,omitempty"`
	Message   message   `json:"message"`
}

type recipient struct {
	ID string `json:"id"`
}

// message holds exactly one of Text, Attachment and Template.
type message struct {
	Text         string        `json:"text,omitempty"`
	Attachment   *attachment   `json:"attachment,omitempty"`
	Template     *templateCall `json:"template,omitempty"`
	QuickReplies []quickReply  `json:"quick_replies,omitempty"`
	Metadata     string        `json:"metadata,omitempty"`
}

type attachment struct {
	Type    string         `json:"type"`
	Payload buttonTemplate `json:"payload"`
}

type buttonTemplate struct {
	TemplateType string   `json:"template_type"`
	Text         string   `json:"text"`
	Buttons      []button `json:"buttons"`
}

type button struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

type quickReply struct {
	ContentType string `json:"content_type"`
	Title       string `json:"title"`
	Payload     string `json:"payload"`
}

type templateCall struct {
	Name       string       `json:"name"`
	Language   languageCode `json:"language"`
	Components []component  `json:"components"`
}

type languageCode struct {
	Code string `json:"code"`
}

type component struct {
	Type       string      `json:"type"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type    string `json:"type"`
	Text    string `json:"text,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// request is the body for a message, or says why there can be none.
func request(m notify.Message) (sendRequest, error) {
	r := sendRequest{Recipient: recipient{string(m.PSID)}, Message: message{Metadata: m.Delivery}}
	if len(m.Delivery) > metadataLimit {
		return r, fmt.Errorf("messenger: delivery id of %d bytes", len(m.Delivery))
	}
	switch m.Route {
	case notify.RouteWindow:
		r.Type = "UPDATE"
	case notify.RouteTag:
		r.Type, r.Tag = "MESSAGE_TAG", m.Tag
	case notify.RouteHuman:
		r.Type, r.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
	case notify.RouteUtility:
		r.Type = "UTILITY"
		r.Message.Template = utility(m)
		return r, nil
	default:
		return r, fmt.Errorf("messenger: route %q does not lead to Messenger", m.Route)
	}
	if strings.TrimSpace(m.Text) == "" {
		return r, errors.New("messenger: a message without text")
	}
	r.Message.say(m)
	return r, nil
}

// say puts text and buttons into the message: as a button template, which stays when the conversation goes
// on, or as quick replies where that has too little room.
func (w *message) say(m notify.Message) {
	n := len(m.Buttons)
	if n > 0 && n <= buttonLimit && utf8.RuneCountInString(m.Text) <= buttonTextLimit {
		rich := buttonTemplate{TemplateType: "button", Text: m.Text}
		for _, b := range m.Buttons {
			rich.Buttons = append(rich.Buttons, button{"postback", clip(b.Title, titleLimit), b.Payload})
		}
		w.Attachment = &attachment{"template", rich}
		return
	}
	w.Text = clipBytes(m.Text, textLimit)
	for _, b := range m.Buttons[:min(n, replyLimit)] {
		w.QuickReplies = append(w.QuickReplies, quickReply{"text", clip(b.Title, titleLimit), b.Payload})
	}
}

// utility is message.template: positional parameters of the body, and one component for all buttons.
func utility(m notify.Message) *templateCall {
	t := &templateCall{Name: m.Template, Language: languageCode{m.Language}, Components: []component{}}
	if len(m.Params) > 0 {
		body := component{Type: "body"}
		for _, p := range m.Params {
			body.Parameters = append(body.Parameters, parameter{Type: "text", Text: p})
		}
		t.Components = append(t.Components, body)
	}
	if len(m.Buttons) > 0 {
		buttons := component{Type: "buttons"}
		for _, b := range m.Buttons {
			buttons.Parameters = append(buttons.Parameters, parameter{Type: "POSTBACK", Payload: b.Payload})
		}
		t.Components = append(t.Components, buttons)
	}
	return t
}

// clip shortens a text to n characters.
func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

// clipBytes shortens a text to n bytes, at a character's border.
func clipBytes(text string, n int) string {
	if len(text) <= n {
		return text
	}
	const ellipsis = "…"
	cut := n - len(ellipsis)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}
