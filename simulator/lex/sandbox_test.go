package lex_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/simulator/lex"
)

// zipOf is a zip file of these files.
func zipOf(t *testing.T, files map[string]string) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

// The sandbox refuses a definition that Lex would refuse.
func TestBotsAreChecked(t *testing.T) {
	t.Parallel()
	sound := map[string]string{
		"manifest.json": `{"metadata":{"schemaVersion":"1.0","fileFormat":"LexJson","resourceType":"Bot"}}`,
		"B/Bot.json":    `{"name":"B"}`,
		"B/BotLocales/en_US/Intents/Hi/Intent.json":         `{"name":"Hi","sampleUtterances":[{"utterance":"hi {Who}"},{"utterance":"hello"}],"slotPriorities":[{"priority":1,"slotName":"Who"}]}`,
		"B/BotLocales/en_US/Intents/Hi/Slots/Who/Slot.json": `{"name":"Who","slotTypeName":"Person"}`,
		"B/BotLocales/en_US/SlotTypes/Person/SlotType.json": `{"name":"Person"}`,
	}
	for _, x := range []struct{ name, file, text, says string }{
		{"sound", "", "", ""},
		{"no manifest", "manifest.json", "", "there is no manifest.json"},
		{"another kind", "manifest.json", `{"metadata":{"schemaVersion":"2.0"}}`, "no LexJson bot"},
		{"no slot", "B/BotLocales/en_US/Intents/Hi/Slots/Who/Slot.json", "", "Slot.json"},
		{"no slot type", "B/BotLocales/en_US/SlotTypes/Person/SlotType.json", "", "SlotType.json"},
		{"no intent", "B/BotLocales/en_US/Intents/Hi/Intent.json", "", "at least one locale"},
		{"an unknown slot", "B/BotLocales/en_US/Intents/Hi/Intent.json", `{"name":"Hi","sampleUtterances":[{"utterance":"hi {Nobody}"}]}`, "not defined"},
		{"two intents of one utterance", "B/BotLocales/en_US/Intents/Ho/Intent.json", `{"name":"Ho","sampleUtterances":[{"utterance":"Hello!"}]}`, "is an utterance of"},
	} {
		files := map[string]string{}
		for name, text := range sound {
			files[name] = text
		}
		if delete(files, x.file); x.text != "" {
			files[x.file] = x.text
		}
		r := zipOf(t, files)
		_, err := lex.ParseBot(r, r.Size())
		if (err == nil) != (x.says == "") || err != nil && !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// program is a function that answers through the runtime API with what it was sent, or with an error.
const program = `package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		r, err := http.Get(base + "next")
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		id := r.Header.Get("Lambda-Runtime-Aws-Request-Id")
		switch {
		case bytes.Contains(body, []byte("die")):
			os.Exit(1)
		case bytes.Contains(body, []byte("fail")):
			http.Post(base+id+"/error", "application/json", bytes.NewReader([]byte("{\"errorMessage\":\"no\"}")))
		case bytes.Contains(body, []byte("wait")):
		default:
			http.Post(base+id+"/response", "application/json", bytes.NewReader(body))
		}
	}
}
`

func TestLambda(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l, err := lex.StartLambda(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	invoke := func(event string, d time.Duration) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		answer, err := l.Invoke(ctx, json.RawMessage(event))
		return string(answer), err
	}
	if got, err := invoke(`{"a":1}`, time.Minute); err != nil || got != `{"a":1}` {
		t.Errorf("%s %v", got, err)
	}
	if _, err := invoke(`"fail"`, time.Minute); !errors.Is(err, lex.ErrLambda) || !strings.Contains(err.Error(), "no") {
		t.Errorf("%v", err)
	}
	if _, err := invoke(`"wait"`, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if got, err := invoke(`"after"`, time.Minute); err != nil || got != `"after"` {
		t.Errorf("%s %v", got, err)
	}
	if _, err := invoke(`"die"`, time.Minute); !errors.Is(err, lex.ErrLambda) {
		t.Errorf("%v", err)
	}
}
