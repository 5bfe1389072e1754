package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Writer writes a backup. It is for one goroutine.
type Writer struct {
	manifest Manifest
	gz       *gzip.Writer
	tar      *tar.Writer
}

// NewWriter begins a backup of a gateway of this version.
func NewWriter(to io.Writer, version string, now time.Time) *Writer {
	gz := gzip.NewWriter(to)
	return &Writer{manifest: Manifest{Format: format, Made: now.UTC(), Version: version}, gz: gz, tar: tar.NewWriter(gz)}
}

// Put adds a file of that size.
func (w *Writer) Put(name string, size int64, content io.Reader) error {
	if !local(name) {
		return fmt.Errorf("backup: %q is no name of a file", name)
	}
	sum := sha256.New()
	if err := w.add(name, size, io.TeeReader(content, sum)); err != nil {
		return err
	}
	w.manifest.Files = append(w.manifest.Files, File{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (w *Writer) add(name string, size int64, content io.Reader) error {
	h := tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: w.manifest.Made, Format: tar.FormatPAX}
	if err := w.tar.WriteHeader(&h); err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	if _, err := io.CopyN(w.tar, content, size); err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	return nil
}

// Close writes the manifest. Without it the backup is refused.
func (w *Writer) Close() (Manifest, error) {
	text, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return w.manifest, fmt.Errorf("backup: %s: %w", manifestName, err)
	}
	if err := w.add(manifestName, int64(len(text)), bytes.NewReader(text)); err != nil {
		return w.manifest, err
	}
	if err := errors.Join(w.tar.Close(), w.gz.Close()); err != nil {
		return w.manifest, fmt.Errorf("backup: %w", err)
	}
	return w.manifest, nil
}
