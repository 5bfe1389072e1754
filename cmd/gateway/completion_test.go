package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// printed is what a command line prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := environment{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	if code := env.run(t.Context(), args); code != exitOK {
		t.Fatalf("gateway %s: exit code %d: %s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.String()
}

// completed are command lines, and what a shell offers for the last word.
var completed = []struct {
	line string
	want []string
}{
	{"gateway ke", []string{"keys"}},
	{"gateway co", []string{"completion", "copy-db"}},
	{"gateway keys ", []string{"create", "list", "revoke"}},
	{"gateway completion ", []string{"bash", "fish", "zsh"}},
	{"gateway keys create --te", []string{"--tenant"}},
	{"gateway keys create --role ", []string{"admin", "operator", "viewer"}},
	{"gateway keys create --role=o", []string{"operator"}},
	{"gateway serve --log.l", []string{"--log.level"}},
	{"gateway serve --log.level=", []string{"debug", "error", "info", "warn"}},
	{"gateway backup --wi", []string{"--without-keys"}},
	{"gateway backup --without-keys --to", []string{"--to"}},
	{"gateway demo --ve", []string{"--vehicles"}},
	{"gateway check --config fen", []string{"fences.kml"}},
	{"gateway geofences check fen", []string{"fences.kml"}},
}

// Each shell is asked itself what it would offer.
func TestShellsCompleteCommandsFlagsAndValues(t *testing.T) {
	t.Parallel()
	for shell, offer := range map[string]func(t *testing.T, dir, line string) string{
		"bash": bashOffers, "zsh": zshOffers, "fish": fishOffers,
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("%s is not installed: %v", shell, err)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "_gateway"), printed(t, "completion", shell))
			write(t, filepath.Join(dir, "fences.kml"), "")
			for _, c := range completed {
				if got := offers(offer(t, dir, c.line)); !slices.Equal(got, c.want) {
					t.Errorf("%q\n got %q\nwant %q", c.line, got, c.want)
				}
			}
		})
	}
}

// offers are the words that a shell printed, without what they have in common with the line.
func offers(out string) []string {
	var words []string
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if flag, value, ok := strings.Cut(word, "="); ok {
			if word = value; value == "" {
				word = flag
			}
		}
		if word != "" {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

// bashOffers splits the line as bash does, at spaces and the sign of equality, and has names of files completed where
// the function offers nothing, as "complete -o default" does.
func bashOffers(t *testing.T, dir, line string) string {
	const script = `cd "$1"; source ./_gateway; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gateway
((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- "${!#}")
printf '%s\n' "${COMPREPLY[@]}"`
	words := strings.Split(strings.ReplaceAll(line, "=", " = "), " ")
	return output(t, dir, "bash", append([]string{"--norc", "-c", script, "bash", dir}, words...)...)
}

func zshOffers(t *testing.T, dir, line string) string {
	script, err := filepath.Abs("testdata/complete.zsh")
	if err != nil {
		t.Fatal(err)
	}
	return output(t, dir, "zsh", "-f", script, dir, line)
}

func fishOffers(t *testing.T, dir, line string) string {
	return output(t, dir, "fish", "--no-config", "-c", "source _gateway; complete -C "+"'"+line+"'")
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "TERM=dumb")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, out, stderr.String())
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Nothing that a command takes is missing from a script, and no script knows more.
func TestTheScriptsKnowEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := printed(t, "completion", shell)
		for _, r := range references() {
			for _, o := range r.options {
				if !strings.Contains(script, o.name) {
					t.Errorf("%s: there is no --%s of %s", shell, o.name, r.name)
				}
			}
			if !strings.Contains(script, r.name) {
				t.Errorf("%s: there is no %s", shell, r.name)
			}
		}
	}
}

// What a reference says of flags is what the command accepts.
func TestAReferenceIsWhatTheCommandSays(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	for _, r := range references() {
		got[r.name] = []string{}
		for _, o := range r.options {
			got[r.name] = append(got[r.name], o.name)
		}
		if r.settings {
			got[r.name] = append(got[r.name], "settings")
		}
	}
	for name, want := range map[string][]string{
		"demo":    {"config", "seed", "vehicles", "settings"},
		"keys":    {"config", "id", "life", "name", "role", "tenant", "settings"},
		"version": {},
		"man":     {"dir"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var out bytes.Buffer
	env := environment{stdout: &out, stderr: &out}
	if code := env.run(context.Background(), []string{"completion", "tcsh"}); code != exitUsage || !strings.Contains(out.String(), "expected bash, zsh or fish") {
		t.Errorf("a shell that is not known: exit code %d: %s", code, out.String())
	}
}
