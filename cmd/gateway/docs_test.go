package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// snippet is a block of commands in a document.
type snippet struct {
	file     string
	line     int
	info     string // what stands behind its fence
	commands string
}

// notRun is how a block says that it is for reading only, and why.
const notRun = " not run: "

// snippets are the blocks of commands of a document: those whose fence says sh, and of those that say console the
// lines after a dollar sign.
func snippets(t *testing.T, file string) (found []snippet) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var open *snippet
	indent, line := "", 0
	for text := range strings.Lines(string(text)) {
		line++
		text = strings.TrimSuffix(text, "\n")
		before, info, fence := strings.Cut(text, "```")
		switch {
		case fence && strings.TrimSpace(before) == "" && open == nil:
			open, indent = &snippet{file: filepath.Base(file), line: line, info: info}, before
		case fence && open != nil:
			if isShell(open.info) {
				found = append(found, *open)
			} else if open.info == "" && typed.MatchString(open.commands) {
				t.Errorf("%s:%d: commands in a block that does not say what it is: expected sh, console or sh%s…", file, open.line, notRun)
			}
			open = nil
		case open != nil:
			text = strings.TrimPrefix(text, indent)
			if strings.HasPrefix(open.info, "console") {
				line, ok := strings.CutPrefix(text, "$ ")
				if !ok {
					continue
				}
				text = line
			}
			open.commands += text + "\n"
		case indented.MatchString(text):
			t.Errorf("%s:%d: a command outside of a block: %s", file, line, strings.TrimSpace(text))
		}
	}
	return found
}

var (
	typed    = regexp.MustCompile(`(?m)^(\$ )?(gateway|make|curl|api|mosquitto_pub|go run|docker|openssl|helm|kubectl|KEY=\$) `)
	indented = regexp.MustCompile(`^ {4,}(gateway|make|curl|api|mosquitto_pub|go run|docker|openssl|pg_dump) `)
)

func isShell(info string) bool {
	return info == "sh" || info == "console" || strings.HasPrefix(info, "sh"+notRun) || strings.HasPrefix(info, "console"+notRun)
}

// What a document takes for granted: it has been said before, or stands for something of the reader's.
var grantedTo = map[string]string{
	"README.md":     `unalias api`,
	"operations.md": `echo "log.level: info" > gateway.yaml`,
	"import.md":     fenceFiles,
	"lex.md":        `LEX_KEY=0123456789abcdef0123456789abcdef`,
	"messenger.md":  `api -X PUT "$OUTRIDER/api/v1/owners/ann" -d '{"name": "Ann"}'; api -X PUT "$OUTRIDER/api/v1/vehicles/van-12" -d '{"owner": "ann"}'`,
}

const fenceFiles = `echo '{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[11.5,48.1]},"properties":{"radius_m":90}}]}' > fences.geojson
echo 'POLYGON((48.1 11.5, 48.1 11.6, 48.2 11.6, 48.1 11.5))' > areas.wkt`

// TestCommandsOfTheDocumentsRun types what the documents say, one document after the other, beside a gateway of the demo. What
// cannot run here says so behind its fence, with the reason.
func TestCommandsOfTheDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq", "mosquitto_pub"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: %v", tool, err)
		}
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../README.md", "../../deployments/helm/README.md")
	beginning := snippets(t, "../../docs/api.md")[0].commands
	demo := startDemo(t)
	run, skipped := 0, 0
	for _, file := range files {
		var script strings.Builder
		script.WriteString("set -euo pipefail; shopt -s expand_aliases\n" + beginning + grantedTo[filepath.Base(file)] + "\n")
		for _, s := range snippets(t, file) {
			if _, why, ok := strings.Cut(s.info, notRun); ok {
				if skipped++; len(why) < 5 {
					t.Errorf("%s:%d: says no reason for which it is not run", s.file, s.line)
				}
				t.Logf("%s:%d is not run: %s", s.file, s.line, why)
				continue
			}
			run++
			fmt.Fprintf(&script, "echo; echo '# %s, line %d'\n%s", s.file, s.line, s.commands)
		}
		demo.types(t, file, script.String())
	}
	if run < 15 || skipped > run {
		t.Errorf("%d blocks were run, %d were not", run, skipped)
	}
}

// documented is a demo, and a directory in which commands are typed.
type documented struct {
	dir, http, mqtt, graph string
}

// startDemo starts a demo on free ports with its data below a directory.
func startDemo(t *testing.T) *documented {
	t.Helper()
	d := &documented{dir: t.TempDir()}
	out := &lockedBuffer{}
	env := environment{stdin: strings.NewReader(""), stdout: out, stderr: out}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- env.run(ctx, []string{"demo", "--http.listen=127.0.0.1:0", "--mqtt.listen=127.0.0.1:0", "--vehicles=1", "--data.dir=" + filepath.Join(d.dir, "data"),
			"--lex.key=0123456789abcdef0123456789abcdef", "--lex.page=100200300"})
	}()
	t.Cleanup(func() { stop(); <-ended })
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(out.String(), "Ctrl-C stops"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the demo does not begin:\n%s", out.String())
		}
	}
	read := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(out.String())
		if m == nil {
			t.Fatalf("there is no %s in\n%s", pattern, out.String())
		}
		return m[1]
	}
	d.http, d.mqtt, d.graph = read(`console +http://([^/]+)/`), read(`MQTT +([^,]+),`), read(`Graph API +(\S+)`)
	d.tools(t)
	return d
}

// tools lays out the program, and a curl that takes an answer of refusal for a failure. Nobody has to sleep.
func (d *documented) tools(t *testing.T) {
	t.Helper()
	bin := filepath.Join(d.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"curl": "exec " + curl + ` --fail-with-body "$@"`, "sleep": ""} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "gateway"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
}

var shownKey = regexp.MustCompile(`KEY=or_[a-z0-9]{26}`)

// types has a shell read a script, with the addresses of the demo for those of the documents.
func (d *documented) types(t *testing.T, file, script string) {
	t.Helper()
	host, port, _ := strings.Cut(d.mqtt, ":")
	script = strings.NewReplacer("127.0.0.1:8080", d.http, "-h 127.0.0.1 -p 1883", "-h "+host+" -p "+port, "go run ./cmd/gateway", "gateway",
		"--data.dir=/var/lib/outrider --to", "--data.dir=data --to", "/etc/outrider/gateway.yaml", d.dir+"/gateway.yaml", "/var/lib/outrider", d.dir+"/restored", "/backup/", d.dir+"/").Replace(script)
	script = shownKey.ReplaceAllString(script, "KEY=$(cat data/admin.key)")
	cmd := exec.CommandContext(t.Context(), "bash", "-s")
	cmd.Dir, cmd.Stdin = d.dir, strings.NewReader(script)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"), "OUTRIDER_HTTP_LISTEN="+d.http,
		"OUTRIDER_MQTT_LISTEN="+d.mqtt, "OUTRIDER_GRAPH_URL="+d.graph)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", file, err, out.String())
	}
}
