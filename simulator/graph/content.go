package graph

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a message, as Meta documents them.
const (
	maxText          = 2000 // text must be shorter, in characters
	maxMetadata      = 1000 // metadata must be shorter
	maxQuickReplies  = 13
	shownTitle       = 20 // characters of a button or quick reply title; the rest is cut
	maxButtonText    = 640
	maxButtons       = 3
	maxElements      = 10
	maxElementTitle  = 80
	maxButtonPayload = 1000
)

// render checks a message's content and fills in what the phone shows.
func (s *Sandbox) render(m *Message, p *page, content params) *Error {
	known := []string{"text", "attachment", "attachments", "template", "sticker_id", "quick_replies", "metadata"}
	for key := range content {
		if !slices.Contains(known, key) {
			return badKeys("message", key)
		}
	}
	if m.Metadata = content.text("metadata"); utf8.RuneCountInString(m.Metadata) >= maxMetadata {
		return badParam("Length of param message[metadata] must be less than %d", maxMetadata)
	}
	if e := renderBody(m, p, content); e != nil {
		return e
	}
	return renderQuickReplies(m, content)
}

// renderBody renders the one of text, attachment and template that is there.
func renderBody(m *Message, p *page, content params) *Error {
	n := 0
	for _, key := range []string{"text", "attachment", "attachments", "template"} {
		if content.has(key) {
			n++
		}
	}
	switch {
	case n != 1:
		return badParam("Param message must hold exactly one of text, attachment, attachments, template")
	case content.has("text"):
		return renderText(m, content)
	case content.has("template"):
		return p.renderTemplate(m, content)
	case content.has("attachment"):
		return renderAttachment(m, content)
	}
	m.Template, m.Text = "images", "[images]"
	return nil
}

func renderText(m *Message, content params) *Error {
	m.Text = content.text("text")
	switch {
	case strings.TrimSpace(m.Text) == "":
		return badParam("Param message[text] must be a non-empty string.")
	case utf8.RuneCountInString(m.Text) >= maxText:
		return badParam("Length of param message[text] must be less than or equal to %d", maxText)
	}
	return nil
}

func renderQuickReplies(m *Message, content params) *Error {
	if !content.has("quick_replies") {
		return nil
	}
	var replies []struct {
		Type    string `json:"content_type"`
		Title   string `json:"title"`
		Payload string `json:"payload"`
	}
	if e := content.object("quick_replies", &replies); e != nil {
		return e
	}
	if len(replies) > maxQuickReplies {
		return badParam("Param message[quick_replies] has too many elements: at most %d", maxQuickReplies)
	}
	for _, r := range replies {
		if !slices.Contains([]string{"text", "user_phone_number", "user_email"}, r.Type) {
			return badParam("Param message[quick_replies][content_type] must be one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}")
		}
		if r.Type == "text" && (r.Title == "" || r.Payload == "") {
			return badParam("Title and payload are required for quick replies of content type text")
		}
		m.Buttons = append(m.Buttons, Button{Kind: QuickReply, Title: cut(r.Title, shownTitle), Payload: r.Payload})
	}
	return nil
}

// attachment is message.attachment.
type attachment struct {
	Type    string `json:"type"`
	Payload struct {
		TemplateType string          `json:"template_type"`
		Text         string          `json:"text"`
		Buttons      []wireButton    `json:"buttons"`
		Elements     []element       `json:"elements"`
		URL          string          `json:"url"`
		ID           json.RawMessage `json:"attachment_id"`
	} `json:"payload"`
}

// element is one card of a generic template.
type element struct {
	Title    string       `json:"title"`
	Subtitle string       `json:"subtitle"`
	ImageURL string       `json:"image_url"`
	Buttons  []wireButton `json:"buttons"`
}

// wireButton is a button as it is sent.
type wireButton struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
	URL     string `json:"url"`
}

func renderAttachment(m *Message, content params) *Error {
	var a attachment
	if e := content.object("attachment", &a); e != nil {
		return e
	}
	switch a.Type {
	case "image", "audio", "video", "file":
		if a.Payload.URL == "" && len(a.Payload.ID) == 0 {
			return refuse(100, 2018074, "Either url or attachment_id is required in the attachment's payload")
		}
		m.Template, m.Text = a.Type, "["+a.Type+"]"
		return nil
	case "template":
		return renderRich(m, a)
	}
	return badParam("Param message[attachment][type] must be one of {IMAGE, AUDIO, VIDEO, FILE, TEMPLATE}")
}

// renderRich renders a button or generic template.
func renderRich(m *Message, a attachment) *Error {
	m.Template = a.Payload.TemplateType
	switch a.Payload.TemplateType {
	case "button":
		if n := utf8.RuneCountInString(a.Payload.Text); n == 0 || n > maxButtonText {
			return badParam("Length of param text of a button template must be 1 to %d", maxButtonText)
		}
		if len(a.Payload.Buttons) == 0 {
			return badParam("Param buttons must hold 1 to %d buttons", maxButtons)
		}
		m.Text = a.Payload.Text
		return renderButtons(m, a.Payload.Buttons)
	case "generic":
		return renderElements(m, a.Payload.Elements)
	}
	return badParam("Invalid template type")
}

func renderElements(m *Message, elements []element) *Error {
	if len(elements) == 0 || len(elements) > maxElements {
		return badParam("Param elements must hold 1 to %d elements", maxElements)
	}
	var lines []string
	for _, el := range elements {
		if el.Title == "" || utf8.RuneCountInString(el.Title) > maxElementTitle || utf8.RuneCountInString(el.Subtitle) > maxElementTitle {
			return badParam("Title and subtitle of an element must not be longer than %d, and a title is required", maxElementTitle)
		}
		if el.Subtitle == "" && el.ImageURL == "" && len(el.Buttons) == 0 {
			return badParam("Incomplete element data: at least a title and one of image, subtitle or buttons is required")
		}
		if el.ImageURL != "" && !webAddress(el.ImageURL) {
			return refuse(100, 2018008, "Failed to fetch the file from the url")
		}
		if m.Image == "" {
			m.Image = el.ImageURL
		}
		lines = append(lines, strings.TrimSpace(el.Title+"\n"+el.Subtitle))
		if e := renderButtons(m, el.Buttons); e != nil {
			return e
		}
	}
	m.Text = strings.Join(lines, "\n")
	return nil
}

// renderButtons checks the buttons of one bubble.
func renderButtons(m *Message, buttons []wireButton) *Error {
	if len(buttons) > maxButtons {
		return badParam("Param buttons must hold 1 to %d buttons", maxButtons)
	}
	for _, b := range buttons {
		switch {
		case b.Title == "":
			return badParam("Button title is required")
		case b.Type == "postback" && (b.Payload == "" || len(b.Payload) > maxButtonPayload):
			return badParam("Payload of a postback button must be 1 to %d characters", maxButtonPayload)
		case b.Type == "web_url" && !webAddress(b.URL):
			return badParam("Button URL should be a valid URL")
		case b.Type != "postback" && b.Type != "web_url":
			return badParam("Button type %q is not supported here", b.Type)
		}
		m.Buttons = append(m.Buttons, Button{Kind: ButtonKind(b.Type), Title: cut(b.Title, shownTitle), Payload: b.Payload, URL: b.URL})
	}
	return nil
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
