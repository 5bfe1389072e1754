package packaging_test

import (
	"os"
	"slices"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// BuildKit's own parser and linter read the Dockerfile; what comes out is an empty image with the program, not root.
func TestBuildKitAcceptsTheDockerfile(t *testing.T) {
	t.Parallel()
	f, err := os.Open(root + "/deployments/Dockerfile")
	must(t, err)
	defer f.Close()
	parsed, err := parser.Parse(f)
	must(t, err)
	for _, w := range parsed.Warnings {
		t.Errorf("%s", w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) {
		t.Errorf("%s: %s", rule, message)
	}})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	must(t, err)
	last := stages[len(stages)-1]
	if last.BaseName != "scratch" {
		t.Errorf("the image is made on %s", last.BaseName)
	}
	user, entry := "", []string(nil)
	for _, c := range last.Commands {
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.EntrypointCommand:
			entry = c.CmdLine
		case *instructions.RunCommand:
			t.Errorf("%v is run in an image that has no shell", c.CmdLine)
		}
	}
	if user != "65532:65532" || !slices.Equal(entry, []string{"/gateway"}) {
		t.Errorf("it runs %v as %s", entry, user)
	}
}
