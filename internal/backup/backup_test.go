package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/internal/backup"
)

var text1000 = strings.Repeat("of all that matters ", 1000)

// made is a backup of two files.
func made(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := backup.NewWriter(&out, "v1", time.Unix(0, 0))
	for name, text := range map[string]string{"store": text1000, "journal/1.seg": "fixes"} {
		if err := w.Put(name, int64(len(text)), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := w.Close(); err != nil || len(m.Files) != 2 {
		t.Fatalf("%+v %v", m, err)
	}
	return out.Bytes()
}

func TestWhatIsPutComesOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m, err := backup.Extract(bytes.NewReader(made(t)), dir)
	if err != nil || m.Version != "v1" || !m.Made.Equal(time.Unix(0, 0)) {
		t.Fatalf("%+v %v", m, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "journal", "1.seg"))
	if err != nil || string(text) != "fixes" {
		t.Errorf("%q %v", text, err)
	}
}

// A backup that lost its end or had a byte changed, wherever, is refused.
func TestASpoiltBackupIsRefused(t *testing.T) {
	t.Parallel()
	whole := made(t)
	for i := 0; i < len(whole); i += 5 {
		if _, err := backup.Extract(bytes.NewReader(whole[:i]), t.TempDir()); err == nil {
			t.Fatalf("without its last %d bytes it is taken", len(whole)-i)
		}
		if i < 10 {
			continue // what the header of gzip says of time and system is no content
		}
		spoilt := bytes.Clone(whole)
		spoilt[i] ^= 0x10
		dir := t.TempDir()
		if _, err := backup.Extract(bytes.NewReader(spoilt), dir); err != nil {
			continue
		}
		if text, _ := os.ReadFile(filepath.Join(dir, "store")); string(text) != text1000 { // compression has more than one way to say a thing
			t.Fatalf("with byte %d changed it is taken", i)
		}
	}
}

// Whoever writes an archive by hand does not write outside of the directory, nor what no manifest names.
func TestAForgedBackupIsRefused(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]tar.Header{
		"a way out":        {Name: "../out", Typeflag: tar.TypeReg},
		"a way out inside": {Name: "a/../../out", Typeflag: tar.TypeReg},
		"an absolute name": {Name: "/tmp/out", Typeflag: tar.TypeReg},
		"a link":           {Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"not named":        {Name: "store", Typeflag: tar.TypeReg},
		"another format":   {Name: "manifest.json", Typeflag: tar.TypeReg},
	} {
		var out bytes.Buffer
		gz := gzip.NewWriter(&out)
		w := tar.NewWriter(gz)
		manifest := `{"format":1}`
		if h.Name == "manifest.json" {
			manifest = `{"format":2}`
		} else if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		_ = w.WriteHeader(&tar.Header{Name: "manifest.json", Typeflag: tar.TypeReg, Size: int64(len(manifest))})
		_, _ = w.Write([]byte(manifest))
		_, _ = w.Close(), gz.Close()
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Extract(&out, dir); err == nil {
			t.Errorf("%s: it is taken", name)
		}
		if there, _ := os.ReadDir(parent); len(there) != 1 {
			t.Errorf("%s: something was written outside", name)
		}
	}
}
