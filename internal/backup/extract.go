package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxManifest is the longest manifest that is read, in bytes.
const maxManifest = 16 << 20

// Extract unpacks a backup below a directory that is there, durably, and checks it against its manifest. After an error what
// it has written is of no use.
func Extract(from io.Reader, dir string) (Manifest, error) {
	gz, err := gzip.NewReader(from)
	if err != nil {
		return Manifest{}, fmt.Errorf("backup: is not a backup: %w", err)
	}
	in := tar.NewReader(gz)
	var found []File
	for {
		h, err := in.Next()
		if err != nil {
			return Manifest{}, fmt.Errorf("backup: ends before its manifest: %w", err)
		}
		if h.Name == manifestName {
			return finish(in, gz, found)
		}
		f, err := unpack(in, h, dir)
		if err != nil {
			return Manifest{}, err
		}
		found = append(found, f)
	}
}

// finish reads the manifest and what is behind it, which the sum of the whole is part of.
func finish(in io.Reader, gz io.Reader, found []File) (Manifest, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxManifest))
	if err == nil {
		_, err = io.Copy(io.Discard, gz)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("backup: %s: %w", manifestName, err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return m, err
	}
	return m, m.check(found)
}

func unpack(in io.Reader, h *tar.Header, dir string) (File, error) {
	if h.Typeflag != tar.TypeReg || !local(h.Name) {
		return File{}, fmt.Errorf("backup: %q is no file of a backup", h.Name)
	}
	path := filepath.Join(dir, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return File{}, fmt.Errorf("backup: %w", err)
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return File{}, fmt.Errorf("backup: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return File{}, fmt.Errorf("backup: %s: %w", h.Name, err)
	}
	return File{h.Name, n, hex.EncodeToString(sum.Sum(nil))}, nil
}
