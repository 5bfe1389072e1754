package messenger

import (
	"regexp"

	"outrider/notify"
)

// templateBody is the body of POST /{page}/message_templates.
type templateBody struct {
	Name       string              `json:"name"`
	Language   string              `json:"language"`
	Category   string              `json:"category"`
	Components []templateComponent `json:"components"`
}

type templateComponent struct {
	Type    string           `json:"type"`
	Text    string           `json:"text,omitempty"`
	Example *templateExample `json:"example,omitempty"`
	Buttons []templateButton `json:"buttons,omitempty"`
}

type templateExample struct {
	BodyText [][]string `json:"body_text"`
}

// templateButton is a postback button. It must have no example: Graph refuses one with subcode 2388051.
type templateButton struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Payload string `json:"payload"`
}

// creation is how one of the gateway's templates is made.
func creation(t notify.OwnTemplate) templateBody {
	buttons := templateComponent{Type: "BUTTONS"}
	for _, b := range t.Buttons {
		buttons.Buttons = append(buttons.Buttons, templateButton{"POSTBACK", b.Title, b.Payload})
	}
	return templateBody{
		Name: t.Name, Language: t.Language, Category: "UTILITY",
		Components: []templateComponent{
			{Type: "BODY", Text: t.Body, Example: &templateExample{BodyText: [][]string{t.Example}}},
			buttons,
		},
	}
}

// seenPart is a component of a template as Graph lists it.
type seenPart struct {
	Type    string       `json:"type"`
	Format  string       `json:"format"`
	Text    string       `json:"text"`
	Buttons []seenButton `json:"buttons"`
}

type seenButton struct {
	Type string `json:"type"`
}

// hole is a place in a template's text. It never changes.
var hole = regexp.MustCompile(`\{\{\s*[^{}]*?\s*\}\}`)

// shaped notes how many parameters and buttons a template takes. One that the gateway could not fill counts as
// rejected, with the reason for people to see.
func shaped(t notify.Template, parts []seenPart) notify.Template {
	if len(parts) == 0 { // not told
		t.Params, t.Buttons = notify.ShapeOf(t.Name)
		return t
	}
	reject := func(why string) { t.Status, t.Detail = notify.TemplateRejected, "the gateway cannot fill it: "+why }
	for _, p := range parts {
		switch holes := len(hole.FindAllString(p.Text, -1)); p.Type {
		case "BODY":
			if t.Params = holes; holes > 3 {
				reject("its body has more places than vehicle, fence and time")
			}
		case "HEADER":
			if holes > 0 || p.Format == "IMAGE" {
				reject("its header has a place or an image")
			}
		case "BUTTONS":
			t.Buttons = len(p.Buttons)
			for _, b := range p.Buttons {
				if b.Type != "POSTBACK" {
					reject("it has a button that is no postback")
				}
			}
		}
	}
	return t
}
