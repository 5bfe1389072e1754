package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"time"
)

// format is the version of the form. A gateway refuses those that it does not know.
const format = 1

// manifestName is the file that ends a backup.
const manifestName = "manifest.json"

// Manifest says what a backup holds.
type Manifest struct {
	Format  int       `json:"format"`
	Made    time.Time `json:"made"`
	Version string    `json:"version"` // of the gateway that made it
	Files   []File    `json:"files"`
}

// File is one of them.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // in hex
}

// parseManifest reads a manifest and refuses what this version does not know.
func parseManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("backup: %s: %w", manifestName, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("backup: is of format %d; this version knows %d", m.Format, format)
	}
	return m, nil
}

// check compares what was unpacked with what the manifest says.
func (m Manifest) check(found []File) error {
	left := map[string]File{}
	for _, f := range found {
		left[f.Name] = f
	}
	for _, f := range m.Files {
		if left[f.Name] != f {
			return fmt.Errorf("backup: %s is missing or was changed", f.Name)
		}
		delete(left, f.Name)
	}
	if len(left) > 0 {
		return errors.New("backup: holds files that its manifest does not name")
	}
	return nil
}

// local reports whether a name stays below the directory that it is unpacked into.
func local(name string) bool {
	return filepath.IsLocal(name) && path.Clean(name) == name && name != "."
}
