package messenger

import "outrider/notify"

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
