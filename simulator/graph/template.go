package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// template is a utility template on a page. Its identity is page, name and language.
type template struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Language   string            `json:"language"`
	Category   string            `json:"category"`
	Status     string            `json:"status"`
	Format     string            `json:"parameter_format"`
	Components []json.RawMessage `json:"components"`
	Rejected   string            `json:"rejected_reason,omitempty"`

	header, body component
	buttons      []templateButton
	verdict      string    // status after the review
	due          time.Time // of the review
}

// component is one component of a template as it is created.
type component struct {
	Type    string           `json:"type"`
	Format  string           `json:"format"`
	Text    string           `json:"text"`
	Example *example         `json:"example"`
	Buttons []templateButton `json:"buttons"`
}

// example holds sample values, which Meta wants for every placeholder.
type example struct {
	Body        [][]string   `json:"body_text"`
	Header      []string     `json:"header_text"`
	NamedBody   []namedValue `json:"body_text_named_params"`
	NamedHeader []namedValue `json:"header_text_named_params"`
}

type namedValue struct {
	Name    string `json:"param_name"`
	Example string `json:"example"`
}

// templateButton is a button of a template as it is created.
type templateButton struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Payload string          `json:"payload"`
	URL     string          `json:"url"`
	Phone   string          `json:"phone_number"`
	Example json.RawMessage `json:"example"`
}

// templateName and placeholder are constants in all but name.
var (
	templateName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	placeholder  = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)
	argumentName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// placeholders lists the placeholders of a text in order.
func placeholders(text string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// createTemplate is POST /{page}/message_templates.
func (s *Sandbox) createTemplate(c *call) (any, *Error) {
	t, e := readTemplate(c.params)
	if e != nil {
		return nil, e
	}
	for _, old := range c.page.templates {
		if old.Name == t.Name && old.Language == t.Language {
			return nil, badTemplate(2388024, "Content in this language already exists",
				fmt.Sprintf("There is already %s content for this template. You can create a new template and try again.", t.Language))
		}
	}
	t.ID, t.Status, t.due = s.number(), "PENDING", s.now().Add(s.options.ApproveAfter)
	c.page.templates = append(c.page.templates, t)
	if s.options.ApproveAfter > 0 {
		// Meta tells of the verdict by itself; a poll may come first.
		time.AfterFunc(s.options.ApproveAfter, s.reviewNow)
	}
	s.review()
	return map[string]string{"id": t.ID, "status": t.Status, "category": t.Category}, nil
}

// readTemplate reads and checks a new template.
func readTemplate(p params) (*template, *Error) {
	t := &template{
		Name: p.text("name"), Language: p.text("language"), Category: p.text("category"),
		Format: or(p.text("parameter_format"), "POSITIONAL"), verdict: "APPROVED",
	}
	switch {
	case !templateName.MatchString(t.Name):
		return nil, badTemplate(0, "Invalid template name", "Message template name can only have lowercase letters, digits and underscores.")
	case t.Language == "":
		return nil, badParam("The parameter language is required")
	case t.Category != "UTILITY":
		return nil, badParam("Param category must be one of {UTILITY}")
	case t.Format != "POSITIONAL" && t.Format != "NAMED":
		return nil, badParam("Param parameter_format must be one of {NAMED, POSITIONAL}")
	case !p.has("components"):
		return nil, badParam("The parameter components is required")
	}
	if e := p.object("components", &t.Components); e != nil {
		return nil, e
	}
	return t, t.readComponents()
}

func (t *template) readComponents() *Error {
	seen := map[string]bool{}
	for i, raw := range t.Components {
		var c component
		if json.Unmarshal(raw, &c) != nil {
			return badParam("Param components[%d] must be a valid component", i)
		}
		if seen[c.Type] {
			return badParam("Param components must hold each type at most once")
		}
		seen[c.Type] = true
		if e := t.readComponent(c); e != nil {
			return e
		}
	}
	if !seen["BODY"] {
		return badParam("Param components must hold a BODY")
	}
	return nil
}

func (t *template) readComponent(c component) *Error {
	switch c.Type {
	case "BODY":
		t.body = c
		return t.checkBody()
	case "HEADER":
		t.header = c
		if c.Format == "TEXT" {
			return t.checkPlaceholders(c)
		}
		if c.Format != "IMAGE" {
			return badParam("Param components[format] must be one of {TEXT, IMAGE}")
		}
		return nil
	case "BUTTONS":
		t.buttons = c.Buttons
		return checkTemplateButtons(c.Buttons)
	}
	return badParam("Param components[type] must be one of {HEADER, BODY, BUTTONS}")
}

func (t *template) checkBody() *Error {
	text := strings.TrimSpace(t.body.Text)
	names := placeholders(text)
	if text == "" {
		return badParam("Param components[text] must be a non-empty string.")
	}
	if len(names) > 0 && (strings.HasPrefix(text, "{{") || strings.HasSuffix(text, "}}")) {
		return badTemplate(2388299, "Variables can't be at the start or end of the template",
			"The message body can't start or end with a parameter. Change the text and try again.")
	}
	if e := t.checkPlaceholders(t.body); e != nil {
		return e
	}
	if words := len(strings.Fields(placeholder.ReplaceAllString(text, " "))); words < 2*len(names)+1 {
		t.verdict, t.Rejected = "REJECTED", "PARAMS_TO_WORD_RATIO_EXCEED_LIMIT"
	}
	return nil
}

// checkPlaceholders checks the placeholders of a text and that each has an example.
func (t *template) checkPlaceholders(c component) *Error {
	names := placeholders(c.Text)
	if len(names) == 0 {
		return nil
	}
	for i, name := range names {
		if t.Format == "POSITIONAL" && name != strconv.Itoa(i+1) || t.Format == "NAMED" && !argumentName.MatchString(name) {
			return badTemplate(0, "Invalid parameter format",
				fmt.Sprintf("The parameter {{%s}} has the wrong format: parameters are numbered without gaps from {{1}}, or named.", name))
		}
	}
	if c.Example.count(c.Type, t.Format) != len(names) {
		return badTemplate(2388043, "Message template is missing sample values",
			"Message template \"components\" param is missing expected field(s): example (TEMPLATE_VARIABLES_MISSING_SAMPLE_VALUES).")
	}
	return nil
}

// count is how many samples there are for a component.
func (e *example) count(kind, format string) int {
	switch {
	case e == nil:
		return 0
	case kind == "BODY" && format == "NAMED":
		return len(e.NamedBody)
	case kind == "BODY" && len(e.Body) > 0:
		return len(e.Body[0])
	case kind == "HEADER" && format == "NAMED":
		return len(e.NamedHeader)
	case kind == "HEADER":
		return len(e.Header)
	}
	return 0
}

func checkTemplateButtons(buttons []templateButton) *Error {
	if len(buttons) == 0 || len(buttons) > maxButtons {
		return badParam("Param components[buttons] must hold 1 to %d buttons", maxButtons)
	}
	for _, b := range buttons {
		if e := b.check(); e != nil {
			return e
		}
	}
	return nil
}

func (b templateButton) check() *Error {
	hasExample := len(b.Example) > 0 && string(b.Example) != "null"
	switch {
	case b.Type == "QUICK_REPLY":
		return refuse(100, 2018416, "Fatal")
	case b.Text == "":
		return badParam("Param components[buttons][text] is required")
	case b.Type == "POSTBACK" && hasExample:
		return badTemplate(2388051, "Button has unexpected fields", "A POSTBACK button must not have an example.")
	case b.Type == "POSTBACK" && b.Payload == "":
		return badParam("Param components[buttons][payload] is required for POSTBACK")
	case b.Type == "URL" && !webAddress(placeholder.ReplaceAllString(b.URL, "x")):
		return badParam("Param components[buttons][url] must be a valid URL")
	case b.Type == "URL" && len(placeholders(b.URL)) > 0 && !hasExample:
		return badTemplate(2388043, "Message template is missing sample values", "The URL button is missing its example.")
	case b.Type != "POSTBACK" && b.Type != "URL" && b.Type != "PHONE_NUMBER":
		return badParam("Param components[buttons][type] must be one of {POSTBACK, URL, PHONE_NUMBER}")
	}
	return nil
}

// listTemplates is GET /{page}/message_templates.
func (s *Sandbox) listTemplates(c *call) (any, *Error) {
	matches := func(param, value string) bool {
		want := c.params.text(param)
		return want == "" || want == value
	}
	found := []*template{}
	for _, t := range c.page.templates {
		if matches("name", t.Name) && matches("status", t.Status) && matches("language", t.Language) && matches("category", t.Category) {
			copied := *t
			found = append(found, &copied) // rendered after the lock is gone
		}
	}
	return map[string]any{"data": found, "paging": map[string]any{"cursors": map[string]string{"before": "MAZDZD", "after": "MjQZD"}}}, nil
}

// deleteTemplate is DELETE /{page}/message_templates: all languages of a name, or one template by hsm_id.
func (s *Sandbox) deleteTemplate(c *call) (any, *Error) {
	name, id := c.params.text("name"), c.params.text("hsm_id")
	if name == "" && id == "" {
		return nil, badParam("The parameter name is required")
	}
	before := len(c.page.templates)
	c.page.templates = slices.DeleteFunc(c.page.templates, func(t *template) bool {
		return t.Name == name || name == "" && t.ID == id
	})
	if len(c.page.templates) == before {
		return nil, noSuchObject(http.MethodDelete, or(name, id))
	}
	return map[string]bool{"success": true}, nil
}

// reviewNow is review for a timer.
func (s *Sandbox) reviewNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.review()
}

// review gives verdicts on the templates whose time has come. Callers hold s.mu.
func (s *Sandbox) review() {
	now := s.now()
	for _, p := range s.pages {
		for _, t := range p.templates {
			if t.Status == "PENDING" && !now.Before(t.due) {
				s.decide(p, t, t.verdict, t.Rejected)
			}
		}
	}
}

// Decide gives a verdict on a page's template: APPROVED, REJECTED, PENDING, or what else Meta may say.
func (s *Sandbox) Decide(page, name, status, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("decide on template of page %q: %w", page, ErrUnknown)
	}
	for _, t := range p.templates {
		if t.Name == name {
			s.decide(p, t, status, reason)
		}
	}
	return nil
}

func (s *Sandbox) decide(p *page, t *template, status, reason string) {
	t.Status, t.verdict, t.Rejected = status, status, reason
	if !p.subscribed || !p.fields["message_template_status_update"] {
		return
	}
	node, _ := strconv.ParseInt(t.ID, 10, 64) // an id of digits
	s.pump.push(event{
		page: p.id, thread: p.id, field: "message_template_status_update", at: s.now(), faults: s.faults,
		change: object{
			"event": status, "message_template_id": node, "message_template_name": t.Name,
			"message_template_language": t.Language, "reason": or(reason, "NONE"),
		},
	})
}
