package console_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write openapi.json anew")

func TestOpenAPIFileIsUpToDate(t *testing.T) {
	t.Parallel()
	var now bytes.Buffer
	if err := json.Indent(&now, []byte(setup(t).must(200, "GET", "/openapi.json", "").body), "", "  "); err != nil {
		t.Fatal(err)
	}
	now.WriteByte('\n')
	if *update {
		if err := os.WriteFile("openapi.json", now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, now.Bytes()) {
		t.Error("openapi.json is not what the API says of itself: run make generate and look at the difference")
	}
}

// The parts of an OpenAPI document that the checks below look at.
type document struct {
	OpenAPI    string
	Info       struct{ Title, Version string }
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]any
		SecuritySchemes map[string]any
	}
	Tags []struct{ Name string }
}

type operation struct {
	OperationID string
	Summary     string
	Tags        []string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   any
	}
	RequestBody struct {
		Content map[string]struct{ Schema any }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema any }
	}
	Security []map[string][]string
}

func TestOpenAPIIsSound(t *testing.T) {
	t.Parallel()
	text := setup(t).must(200, "GET", "/openapi.json", "").body
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("head: %q %+v", doc.OpenAPI, doc.Info)
	}
	var tree any
	_ = json.Unmarshal([]byte(text), &tree)
	for _, ref := range refs(tree) {
		name, ok := strings.CutPrefix(ref, "#/components/schemas/")
		if _, known := doc.Components.Schemas[name]; !ok || !known {
			t.Errorf("reference %s leads nowhere", ref)
		}
	}
	var seen []string
	for path, item := range doc.Paths {
		for method, op := range item {
			checkOperation(t, doc, strings.ToUpper(method)+" "+path, op)
			if slices.Contains(seen, op.OperationID) {
				t.Errorf("%s: operation id %s is not the only one", path, op.OperationID)
			}
			seen = append(seen, op.OperationID)
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d operations", len(seen))
	}
}

func checkOperation(t *testing.T, doc document, name string, op operation) {
	t.Helper()
	if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 {
		t.Errorf("%s: id %q, summary %q, tags %v", name, op.OperationID, op.Summary, op.Tags)
	}
	for _, s := range op.Security {
		for scheme := range s {
			if doc.Components.SecuritySchemes[scheme] == nil {
				t.Errorf("%s: security scheme %s is not declared", name, scheme)
			}
		}
	}
	if len(op.Security) == 0 {
		t.Errorf("%s: no key is asked for", name)
	}
	for _, match := range regexp.MustCompile(`\{([^}]+)\}`).FindAllStringSubmatch(name, -1) {
		found := false
		for _, p := range op.Parameters {
			found = found || p.In == "path" && p.Name == match[1] && p.Required
		}
		if !found {
			t.Errorf("%s: path parameter %s is not declared", name, match[1])
		}
	}
	good := 0
	for code, r := range op.Responses {
		if r.Description == "" {
			t.Errorf("%s: answer %s has no description", name, code)
		}
		if code[0] == '2' {
			good++
		}
		if code[0] >= '4' && r.Content["application/problem+json"].Schema == nil {
			t.Errorf("%s: answer %s is no problem document", name, code)
		}
		for media, c := range r.Content {
			if c.Schema == nil {
				t.Errorf("%s: answer %s as %s has no schema", name, code, media)
			}
		}
	}
	if good == 0 || op.Responses["401"].Description == "" {
		t.Errorf("%s: answers %v", name, op.Responses)
	}
	for media, c := range op.RequestBody.Content {
		if c.Schema == nil {
			t.Errorf("%s: body as %s has no schema", name, media)
		}
	}
}

// refs collects every $ref below v.
func refs(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if ref, ok := inner.(string); ok && name == "$ref" {
				all = append(all, ref)
			}
			all = append(all, refs(inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, refs(inner)...)
		}
	}
	return all
}

// Every answer that the table of statuses provokes from the API is one that its operation documents.
func TestStatusesAreDocumented(t *testing.T) {
	t.Parallel()
	var doc document
	if err := json.Unmarshal([]byte(setup(t).must(200, "GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	for _, c := range statusCases {
		method, path, _ := strings.Cut(c.request, " ")
		path, _, _ = strings.Cut(path, "?")
		op, known := documented(doc, strings.ToLower(method), path)
		if !known || c.status == 404 && op.OperationID == "" {
			continue
		}
		if _, ok := op.Responses[itoa(c.status)]; !ok {
			t.Errorf("%s (%s) answers %d, which it does not document", c.request, op.OperationID, c.status)
		}
	}
}

func documented(doc document, method, path string) (operation, bool) {
	for pattern, item := range doc.Paths {
		expr := regexp.MustCompile(`^` + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(pattern, `[^/]+`) + `$`)
		if op, ok := item[method]; ok && expr.MatchString(path) {
			return op, true
		}
	}
	return operation{}, false
}

func itoa(code int) string {
	text, _ := json.Marshal(code)
	return string(text)
}
