package app_test

import (
	"os"
	"path/filepath"
	"testing"

	"outrider/internal/app"
	"outrider/internal/config"
)

// TestAKeyFileThatACrashLeftEmpty: the process ended between making the file and writing the key into it.
func TestAKeyFileThatACrashLeftEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "admin.key"), nil, 0o600))
	c, err := config.Load(config.Source{Flags: map[string]string{
		"data.dir": dir, "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0",
	}})
	must(t, err)
	a, err := app.New(app.Options{Config: c})
	must(t, err)
	must(t, a.Start(t.Context()))
	key, generated := a.AdminKey()
	must(t, a.Stop(t.Context()))
	if key.Empty() || !generated {
		t.Errorf("started with key empty %t, generated %t", key.Empty(), generated)
	}
}
