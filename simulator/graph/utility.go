package graph

import (
	"encoding/json"
	"slices"
	"strings"
)

// templateCall is message.template: an approved template and its parameters.
type templateCall struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []params `json:"components"`
}

// argument is one parameter of a component.
type argument struct {
	Type    string `json:"type"`
	Name    string `json:"parameter_name"`
	Text    string `json:"text"`
	Payload string `json:"payload"`
	URL     string `json:"url"`
}

// renderTemplate renders message.template.
func (p *page) renderTemplate(m *Message, content params) *Error {
	var c templateCall
	if e := content.object("template", &c); e != nil {
		return e
	}
	t, e := p.approved(c.Name, c.Language.Code)
	if e != nil {
		return e
	}
	args, e := c.arguments()
	if e != nil {
		return e
	}
	m.Template, m.Language = t.Name, t.Language
	header, e := t.fill(t.header.Text, args["header"])
	if e != nil {
		return e
	}
	body, e := t.fill(t.body.Text, args["body"])
	if e != nil {
		return e
	}
	m.Text = strings.TrimSpace(header + "\n" + body)
	return t.fillButtons(m, args["buttons"])
}

// approved finds the template of a name and language.
func (p *page) approved(name, language string) (*template, *Error) {
	for _, t := range p.templates {
		if t.Name == name && t.Language == language {
			if t.Status != "APPROVED" {
				return nil, badParam("Message template %s (%s) is not approved: %s", name, language, t.Status)
			}
			return t, nil
		}
	}
	return nil, badParam("Message template %s does not exist in %s", name, or(language, "the language"))
}

// arguments reads the components: each type at most once, and no keys that Messenger does not know.
func (c templateCall) arguments() (map[string][]argument, *Error) {
	args := map[string][]argument{}
	for _, comp := range c.Components {
		for key := range comp {
			if key != "type" && key != "parameters" {
				return nil, badKeys("message[template][components]", key)
			}
		}
		kind := strings.ToLower(comp.text("type"))
		if !slices.Contains([]string{"header", "body", "buttons"}, kind) {
			return nil, badParam("Param message[template][components][type] must be one of {HEADER, BODY, BUTTONS}")
		}
		if _, twice := args[kind]; twice {
			return nil, badParam("Param message[template][components] holds %s twice", kind)
		}
		list := []argument{}
		if comp.has("parameters") && json.Unmarshal(comp["parameters"], &list) != nil {
			return nil, badParam("Param message[template][components][parameters] must be an array.")
		}
		args[kind] = list
	}
	return args, nil
}

// fill replaces the placeholders of a text.
func (t *template) fill(text string, args []argument) (string, *Error) {
	names := placeholders(text)
	if t.header.Format == "IMAGE" && text == "" {
		return "", nil
	}
	if len(args) != len(names) {
		return "", wrongCount(len(args), len(names))
	}
	values := map[string]string{}
	for i, a := range args {
		if e := a.check(); e != nil {
			return "", e
		}
		name := names[i]
		if t.Format == "NAMED" {
			name = a.Name
		}
		if !slices.Contains(names, name) {
			return "", badParam("Parameter name %q is not part of the template", name)
		}
		values[name] = a.Text
	}
	return substitute(text, values), nil
}

// check refuses what cannot stand in one line of text.
func (a argument) check() *Error {
	switch {
	case a.Type != "text":
		return badParam("Param message[template][components][parameters][type] must be one of {TEXT}")
	case strings.TrimSpace(a.Text) == "":
		return badParam("Param message[template][components][parameters][text] must be a non-empty string.")
	case strings.ContainsAny(a.Text, "\n\t") || strings.Contains(a.Text, "     "):
		return badParam("Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
	}
	return nil
}

// fillButtons renders the buttons of a template: one parameter for each, in order.
func (t *template) fillButtons(m *Message, args []argument) *Error {
	if len(args) != len(t.buttons) {
		return wrongCount(len(args), len(t.buttons))
	}
	for i, b := range t.buttons {
		if args[i].Type != b.Type {
			return badParam("Button %d of the template is of type %s, not %s", i, b.Type, args[i].Type)
		}
		shown := Button{Kind: Postback, Title: b.Text}
		switch b.Type {
		case "POSTBACK":
			shown.Payload = substitute(b.Payload, map[string]string{"1": args[i].Payload})
		case "URL":
			shown.Kind, shown.URL = Link, substitute(b.URL, map[string]string{"1": args[i].URL})
		default:
			shown.Kind, shown.URL = Link, "tel:"+b.Phone
		}
		m.Buttons = append(m.Buttons, shown)
	}
	return nil
}

func wrongCount(got, want int) *Error {
	return refuse(100, 1893029, "Number of parameters does not match the template: got %d, expected %d", got, want)
}

// substitute fills the placeholders of a text with values by name.
func substitute(text string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(hole string) string {
		return values[placeholder.FindStringSubmatch(hole)[1]]
	})
}
