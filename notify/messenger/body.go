package messenger

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
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
	titleLimit      = 20   // characters of a button's title; Meta cuts what is longer
	payloadLimit    = 1000 // characters of a button's payload
	elementLimit    = 80   // characters of a card's title and subtitle
	addressLimit    = 2000 // characters of a URL
	paramLimit      = 400  // characters of a template's parameter, so that the whole stays below 1,024
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

// attachment holds a buttonTemplate or a genericTemplate.
type attachment struct {
	Type    string `json:"type"`
	Payload any    `json:"payload"`
}

type genericTemplate struct {
	TemplateType string    `json:"template_type"`
	Elements     []element `json:"elements"`
}

type element struct {
	Title    string   `json:"title"`
	Subtitle string   `json:"subtitle,omitempty"`
	Image    string   `json:"image_url,omitempty"`
	Action   *linkTo  `json:"default_action,omitempty"`
	Buttons  []button `json:"buttons,omitempty"`
}

type linkTo struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type buttonTemplate struct {
	TemplateType string   `json:"template_type"`
	Text         string   `json:"text"`
	Buttons      []button `json:"buttons"`
}

// button holds a Payload, or the URL of a web_url button.
type button struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Payload string `json:"payload,omitempty"`
	URL     string `json:"url,omitempty"`
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
	if err := check(m); err != nil {
		return r, err
	}
	switch m.Route {
	case notify.RouteWindow:
		r.Type = "UPDATE"
		if m.Answer {
			r.Type = "RESPONSE"
		}
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
	if strings.TrimSpace(m.Text) == "" && m.Card == nil {
		return r, errors.New("messenger: a message without text")
	}
	r.Message.say(m)
	return r, nil
}

// check refuses what Meta would refuse and what cannot be shortened without changing what it means.
func check(m notify.Message) error {
	if n := len(m.Delivery); n > metadataLimit {
		return fmt.Errorf("messenger: delivery id of %d bytes", n)
	}
	for _, b := range append(slices.Clone(m.Buttons), m.Replies...) {
		if n := utf8.RuneCountInString(b.Payload); n == 0 || n > payloadLimit {
			return fmt.Errorf("messenger: the payload of button %q has %d characters, expected 1 to %d", b.Title, n, payloadLimit)
		}
	}
	if m.Route == notify.RouteUtility {
		for i, p := range m.Params {
			if strings.TrimSpace(p) == "" || strings.ContainsAny(p, "\n\t\r") || utf8.RuneCountInString(p) > paramLimit {
				return fmt.Errorf("messenger: parameter {{%d}} is empty, longer than %d characters or has more than one line", i+1, paramLimit)
			}
		}
	}
	if m.Card != nil {
		for _, address := range []string{m.Card.Image, m.Card.Link} {
			if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || len(address) > addressLimit) {
				return errors.New("messenger: the card names what is no URL, or one that is too long")
			}
		}
		if strings.TrimSpace(m.Card.Title) == "" {
			return errors.New("messenger: a card without title")
		}
	}
	return nil
}

// say puts text and buttons into the message: as a card, or as a button template, which stays when the
// conversation goes on, or as quick replies where that has too little room.
func (w *message) say(m notify.Message) {
	var buttons []button
	for _, b := range m.Buttons {
		buttons = append(buttons, button{Type: "postback", Title: notify.Shorten(b.Title, titleLimit), Payload: b.Payload})
	}
	fits := len(buttons) > 0 && len(buttons) <= buttonLimit && utf8.RuneCountInString(m.Text) <= buttonTextLimit
	replies := m.Replies
	switch {
	case m.Card != nil && len(buttons) <= buttonLimit:
		w.Attachment = &attachment{"template", genericTemplate{"generic", []element{card(*m.Card, buttons)}}}
	case fits && m.Card == nil:
		w.Attachment = &attachment{"template", buttonTemplate{"button", m.Text, buttons}}
	default:
		w.Text = notify.ClipBytes(m.Text, textLimit)
		replies = append(slices.Clone(m.Buttons), m.Replies...)
	}
	for _, b := range replies[:min(len(replies), replyLimit)] {
		w.QuickReplies = append(w.QuickReplies, quickReply{"text", notify.Shorten(b.Title, titleLimit), b.Payload})
	}
}

// card is the only element of a generic template.
func card(c notify.Card, buttons []button) element {
	e := element{
		Title: notify.Shorten(c.Title, elementLimit), Subtitle: notify.Shorten(c.Subtitle, elementLimit), Image: c.Image, Buttons: buttons,
	}
	if c.Link != "" {
		e.Action = &linkTo{"web_url", c.Link}
		if c.LinkTitle != "" && len(buttons) < buttonLimit {
			e.Buttons = append(e.Buttons, button{Type: "web_url", Title: notify.Shorten(c.LinkTitle, titleLimit), URL: c.Link})
		}
	}
	return e
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
