package sqlite_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

func openAt(t testing.TB, path string) (*sqlstore.Store, error) {
	t.Helper()
	return sqlite.Open(t.Context(), sqlite.Options{Path: path, Sealer: newSealer(t), Now: time.Now})
}

// raw runs SQL on the file itself.
func raw(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestAFileOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outrider.db")
	s, err := openAt(t, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	_, err = openAt(t, path)
	if err == nil {
		t.Fatal("was opened")
	}
	for _, part := range []string{path, "version 999", "newer version"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestAFileOfSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outrider.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openAt(t, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestAPathMayHoldAnyCharacter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "a?b=c.db", "a#b.db", "100%25.db", "ü.db", "a;b&c.db", "a:b.db"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := openAt(t, path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sqlite.Options{
		"no path":   {Sealer: newSealer(t), Now: time.Now},
		"no sealer": {Path: "x.db", Now: time.Now},
		"no clock":  {Path: "x.db", Sealer: newSealer(t)},
	} {
		if s, err := sqlite.Open(t.Context(), o); err == nil {
			t.Errorf("%s: was opened", name)
			_ = s.Close()
		}
	}
}

// TestNoSecretReachesTheDisk looks for secrets in every file that the store leaves, the write-ahead log included.
func TestNoSecretReachesTheDisk(t *testing.T) {
	t.Parallel()
	const secret = "EAAG-very-secret-token"
	dir := t.TempDir()
	s, err := openAt(t, filepath.Join(dir, "outrider.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page := identity.Page{Tenant: "acme", ID: "100", Name: "not secret", AccessToken: identity.NewToken(secret)}
	owner := identity.Owner{Tenant: "acme", ID: "ann", Fallback: identity.NewToken("smtp://u:" + secret + "@mail")}
	if err := s.PutPage(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if err := s.PutOwner(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(content, []byte("not secret"))
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s holds the secret", f.Name())
		}
	}
	if !found {
		t.Error("the page's name is in no file: the test looks at the wrong ones")
	}
}

// TestASealedTextDoesNotOpenElsewhere copies one page's sealed token to another.
func TestASealedTextDoesNotOpenElsewhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outrider.db")
	s, err := openAt(t, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []identity.PageID{"100", "101"} {
		if err := s.PutPage(t.Context(), identity.Page{Tenant: "acme", ID: id, AccessToken: identity.NewToken("of " + string(id))}); err != nil {
			t.Fatal(err)
		}
	}
	raw(t, path, `UPDATE pages SET access_token = (SELECT access_token FROM pages WHERE id = '100') WHERE id = '101'`)
	if _, err := s.Identities(t.Context()); err == nil || !strings.Contains(err.Error(), `"101"`) {
		t.Errorf("got %v, want an error that names the page", err)
	}
}

func TestClosedTwice(t *testing.T) {
	t.Parallel()
	s, err := openAt(t, filepath.Join(t.TempDir(), "outrider.db"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a closed store answered")
	}
}
