package app_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outrider/internal/app"
	"outrider/internal/backup"
	"outrider/internal/config"
)

// The support bundle of a running gateway has all its parts, and none of the secrets that the gateway has ever been given: not
// even when one got into the log.
func TestTheSupportBundleHoldsNoSecret(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{
		"lex.key": "lex-key-of-the-test", "lex.secret_access_key": "aws-secret-of-the-test", "mqtt.password": "broker-password-of-the-test",
		"metrics.key": "metrics-key-of-the-test", "data.key": strings.Repeat("5eC2", 16),
	}
	r := newRig(t, secrets)
	r.own(t, "van", "ann", "70001")
	const channel = "ntfy://user:channel-password@ntfy.example/topic"
	r.call(t, http.MethodPut, "owners/bob", map[string]any{"name": "Bob", "fallback": channel}, http.StatusOK)
	tracker := r.call(t, http.MethodPost, "vehicles/van/credentials", map[string]any{}, http.StatusCreated)
	apiKey := r.call(t, http.MethodPost, "keys", map[string]any{"role": "viewer"}, http.StatusCreated)
	r.app.Logger().Info("a careless line", "token", token, "channel", channel) // what no line of ours does

	r.flags["http.listen"] = r.app.HTTPAddr().String()
	r.flags["console.tiles"] = "https://tiles.example/{z}/{x}/{y}.png?key=tiles-key"
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	var file bytes.Buffer
	must(t, app.Support(t.Context(), c, "test", &file))
	dir := t.TempDir()
	m, err := backup.Extract(&file, dir)
	must(t, err)
	if len(m.Files) != 8 {
		t.Errorf("files %v", m.Files)
	}
	bundle := map[string]string{}
	for _, f := range m.Files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name))
		must(t, err)
		bundle[f.Name] = string(text)
	}
	for name, want := range map[string]string{
		"about.txt": "outrider test", "settings.txt": "facebook.app_secret     REDACTED", "files.txt": "outrider.db", "doctor.txt": "this machine",
		"ready.json": `"status":"ready"`, "metrics.txt": "outrider_journal_", "log.txt": "a careless line", "goroutines.txt": "goroutine profile",
	} {
		if !strings.Contains(bundle[name], want) {
			t.Errorf("%s has no %q:\n%.2000s", name, want, bundle[name])
		}
		if strings.Contains(bundle[name], "not complete") {
			t.Errorf("%s is not complete: %s", name, bundle[name])
		}
	}
	secrets["page"], secrets["app"], secrets["verify"], secrets["admin"] = token, r.flags["facebook.app_secret"], r.flags["facebook.verify_token"], key
	secrets["channel"], secrets["password in it"], secrets["tiles"] = channel, "channel-password", "tiles-key"
	secrets["tracker"], secrets["API key"] = tracker["password"].(string), apiKey["key"].(string)
	for what, secret := range secrets {
		for name, text := range bundle {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s: the secret of %s is in it", name, what)
			}
		}
	}
}

// Without a gateway that runs, the bundle says so, and has the rest.
func TestTheSupportBundleOfAGatewayThatDoesNotRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := config.Load(config.Source{Flags: map[string]string{"data.dir": filepath.Join(dir, "none"), "http.listen": "127.0.0.1:1", "graph.url": "http://127.0.0.1:1"}})
	must(t, err)
	var file bytes.Buffer
	must(t, app.Support(t.Context(), c, "test", &file))
	_, err = backup.Extract(&file, dir)
	must(t, err)
	text, err := os.ReadFile(filepath.Join(dir, "log.txt"))
	must(t, err)
	if !strings.Contains(string(text), "does not answer") {
		t.Errorf("%s", text)
	}
	if _, err := os.Stat(filepath.Join(dir, "none", "secret.key")); err == nil {
		t.Error("it made a key")
	}
}
