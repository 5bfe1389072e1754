package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"outrider/identity"
	"outrider/internal/config"
)

// dataKey is what seals secrets at rest: the configured key, or the one in the data directory, which is made when it is
// missing.
func dataKey(c config.Data) ([]byte, error) {
	var (
		key []byte
		err error
	)
	if c.Key.Empty() {
		key, err = identity.LoadOrCreateKey(filepath.Join(c.Dir, "secret.key"))
	} else {
		key, err = identity.ParseKey(c.Key.Reveal())
	}
	if err != nil {
		return nil, fmt.Errorf("app: data.key: %w", err)
	}
	return key, nil
}

// adminKey is the configured key, or the one generated at the first start.
func adminKey(c config.Config) (key identity.Token, generated bool, err error) {
	if !c.Admin.Key.Empty() {
		return c.Admin.Key, false, nil
	}
	path := filepath.Join(c.Data.Dir, "admin.key")
	text, err := os.ReadFile(path)
	if kept := strings.TrimSpace(string(text)); err == nil && kept != "" { // a crash may leave it empty
		return identity.NewToken(kept), false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return identity.Token{}, false, fmt.Errorf("app: admin.key: %w", err)
	}
	fresh := "or_" + strings.ToLower(rand.Text())
	if err := os.WriteFile(path, []byte(fresh+"\n"), 0o600); err != nil {
		return identity.Token{}, false, fmt.Errorf("app: admin.key: %w", err)
	}
	return identity.NewToken(fresh), true, nil
}
