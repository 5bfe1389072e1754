package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// validationFailed is the detail that huma gives; [explain] replaces it by a sentence.
const validationFailed = "validation failed"

// maxEcho is the longest value that an error repeats, in bytes.
const maxEcho = 200

// explain is a transformer over every answer of the API. It makes problems say what was expected, and takes
// out of them what must not be repeated: secrets, and bodies that may hold some.
func (r *router) explain(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	q := *p
	q.Errors = make([]*huma.ErrorDetail, len(p.Errors))
	for i, e := range p.Errors {
		q.Errors[i] = r.explainDetail(ctx.Operation(), *e)
	}
	slices.SortStableFunc(q.Errors, func(a, b *huma.ErrorDetail) int { return strings.Compare(a.Location, b.Location) })
	if q.Detail == validationFailed {
		q.Detail = summary(q.Status, q.Errors)
	}
	return &q, nil
}

func (r *router) explainDetail(op *huma.Operation, e huma.ErrorDetail) *huma.ErrorDetail {
	if e.Message == validation.MsgUnexpectedProperty {
		parent, _ := r.schemaAt(op, parentOf(e.Location))
		e.Message = "unknown field; expected one of " + strings.Join(fields(parent), ", ")
	}
	schema, declared := r.schemaAt(op, e.Location)
	if strings.HasPrefix(e.Location, "body") && (!declared || schema.WriteOnly) || !repeatable(e.Value) {
		e.Value = nil
	}
	return &e
}

// summary is the whole story in one sentence.
func summary(status int, errs []*huma.ErrorDetail) string {
	switch {
	case len(errs) == 1 && status == http.StatusBadRequest:
		return "the body is not JSON: " + errs[0].Message
	case len(errs) == 1:
		return errs[0].Location + ": " + errs[0].Message
	default:
		return fmt.Sprintf("%d fields are not as expected", len(errs))
	}
}

// repeatable reports whether an error may repeat v: a number, a truth, or a short text.
func repeatable(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) <= maxEcho && utf8.ValidString(v)
	case float64, int64, bool:
		return true
	}
	return false
}

// schemaAt finds the schema of a location such as "body.contacts[0].psid"; false if it names no declared field.
// A free-form body, as of a geofence, declares every field.
func (r *router) schemaAt(op *huma.Operation, location string) (*huma.Schema, bool) {
	if op.RequestBody == nil {
		return nil, false
	}
	if op.SkipValidateBody {
		return &huma.Schema{}, location != "body"
	}
	media := op.RequestBody.Content[mediaJSON]
	if media == nil {
		return nil, false
	}
	schema := r.resolve(media.Schema)
	steps := strings.Split(strings.ReplaceAll(location, "[", ".["), ".")
	for _, step := range steps[1:] {
		if schema == nil {
			return nil, false
		}
		schema = r.resolve(descend(schema, step))
	}
	return schema, schema != nil && len(steps) > 1
}

// descend goes one step down.
func descend(s *huma.Schema, step string) *huma.Schema {
	if strings.HasPrefix(step, "[") {
		return s.Items
	}
	if p := s.Properties[step]; p != nil {
		return p
	}
	values, _ := s.AdditionalProperties.(*huma.Schema)
	return values
}

// resolve follows a reference. Whether a field is write-only stands beside the reference.
func (r *router) resolve(s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = r.api.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// parentOf cuts the last step off a location.
func parentOf(location string) string {
	if i := strings.LastIndexByte(location, '.'); i >= 0 {
		return location[:i]
	}
	return location
}

// fields lists what a caller may write.
func fields(s *huma.Schema) []string {
	var names []string
	if s == nil {
		return nil
	}
	for name, p := range s.Properties {
		if !p.ReadOnly {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
