package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever adds a command says what it does: in its manual text, and in the package comment.
func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{"gateway": true}
	for _, c := range commands() {
		texts[c.name] = true
		if text, _ := manual(c.name); len(text) < 20 {
			t.Errorf("manual/%s.txt does not say what the command does", c.name)
		}
		if !strings.Contains(string(doc), "//\tgateway "+c.name+" ") {
			t.Errorf("doc.go does not list gateway %s", c.name)
		}
	}
	names, err := fs.Glob(manualTexts, "manual/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !texts[strings.TrimSuffix(filepath.Base(name), ".txt")] {
			t.Errorf("%s is of no command", name)
		}
	}
}

// Two independent readers of manual pages find nothing to say about them.
func TestManualPagesAreWellFormed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	printed(t, "man", "--dir", dir)
	pages, err := filepath.Glob(filepath.Join(dir, "man*", "*"))
	if err != nil || len(pages) != len(commands())+2 {
		t.Fatalf("%d pages, want %d: %v", len(pages), len(commands())+2, err)
	}
	for tool, args := range map[string][]string{
		"mandoc": {"-T", "lint", "-W", "warning"},
		"groff":  {"-man", "-ww", "-z", "-Tutf8"},
	} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("%s is not installed: %v", tool, err)
			continue
		}
		for _, page := range pages {
			out, _ := exec.CommandContext(t.Context(), tool, append(args, page)...).CombinedOutput()
			for line := range strings.Lines(string(out)) {
				if !strings.Contains(line, "missing date") { // a date would make each build a different one
					t.Errorf("%s: %s", tool, line)
				}
			}
		}
	}
}

func TestManualPagesAreRead(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skipf("mandoc is not installed: %v", err)
	}
	for page, parts := range map[string][]string{
		"gateway":      {"gateway-keys(1)", "OUTRIDER_SETTING_FILE", "EXIT STATUS"},
		"keys":         {"gateway keys create [--flag=value ...]", "--role=viewer|operator|admin", "--name=\"fleet portal\""},
		"geofences":    {"gateway geofences export [FILE]"},
		"gateway.yaml": {"http.listen", "Default: 127.0.0.1:8080.", "OUTRIDER_DATA_KEY_FILE", "  listen: 127.0.0.1:1884"},
	} {
		path := filepath.Join(t.TempDir(), page)
		write(t, path, printed(t, "man", page))
		out := output(t, t.TempDir(), "mandoc", "-T", "ascii", "-O", "width=200", path)
		shows(t, page, unstruck(out), parts)
	}
}

// unstruck takes out the overstriking that makes letters bold or underlined on a printer.
func unstruck(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		if i+1 < len(runes) && runes[i+1] == '\b' {
			i++
			continue
		}
		b.WriteRune(runes[i])
	}
	return b.String()
}
