package identity

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ParseKey reads a Sealer's key from 64 hexadecimal digits. Its error does not repeat the text.
func ParseKey(text string) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("identity: a key is %d hexadecimal digits", 2*KeySize)
	}
	return key, nil
}

// LoadOrCreateKey reads a Sealer's key from a file, which it creates with a random key and mode 0600 when it
// is missing. Two processes that start together end up with the same key.
func LoadOrCreateKey(path string) ([]byte, error) {
	key, err := loadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("identity: create key file: %w", err)
	}
	return loadKey(path)
}

func loadKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("identity: read key file: %w", err)
	}
	key, err := ParseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("identity: key file %q: %w", path, err)
	}
	return key, nil
}

// createKey makes the file complete and durable before it gets its name: what was sealed with a key that a
// power cut took away is lost.
//
// ORDER: write, sync, link, sync directory. A crash before the link leaves a nameless draft; after it, the key.
func createKey(path string) error {
	dir := filepath.Dir(path)
	draft, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	defer draft.Close()
	key := make([]byte, KeySize)
	rand.Read(key) //nolint:errcheck // never fails
	if _, err := fmt.Fprintln(draft, hex.EncodeToString(key)); err != nil {
		return err
	}
	if err := draft.Sync(); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil { // unlike a rename, never replaces another's key
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
