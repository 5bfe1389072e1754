package identity

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func sealer(t testing.TB, fill byte) *Sealer {
	t.Helper()
	s, err := NewSealer(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealOpens(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	for _, plain := range []string{"", "EAAB-token", strings.Repeat("ä", 5000)} {
		sealed, err := s.Seal(plain, "page/1/token")
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := s.Seal(plain, "page/1/token"); again == sealed {
			t.Error("sealing twice gave the same text: the nonce repeats")
		}
		if got, err := s.Open(sealed, "page/1/token"); err != nil || got != plain {
			t.Errorf("Open = %q, %v", got, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	sealed, err := s.Seal("EAAB-token", "page/1/token")
	if err != nil {
		t.Fatal(err)
	}
	broken := []byte(sealed)
	broken[len(broken)-3] ^= 1
	for _, c := range []struct {
		what    string
		by      *Sealer
		sealed  string
		context string
	}{
		{"another context", s, sealed, "page/2/token"},
		{"another key", sealer(t, 2), sealed, "page/1/token"},
		{"changed bytes", s, string(broken), "page/1/token"},
		{"cut", s, sealed[:12], "page/1/token"},
		{"not base64", s, "v1.!!", "page/1/token"},
		{"empty box", s, "v1.", "page/1/token"},
	} {
		got, err := c.by.Open(c.sealed, c.context)
		if !errors.Is(err, ErrUnsealed) || got != "" {
			t.Errorf("%s: %q, %v; want ErrUnsealed", c.what, got, err)
		}
	}
	if _, err := s.Open("EAAB-token", "page/1/token"); err == nil || strings.Contains(err.Error(), "EAAB") {
		t.Errorf("a text without version: %v; want an error that does not repeat it", err)
	}
	if _, err := NewSealer(make([]byte, 16)); err == nil {
		t.Error("a short key was taken")
	}
}

func TestLoadOrCreateKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := LoadOrCreateKey(path)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	wg.Wait()
	for _, k := range keys {
		if !bytes.Equal(k, keys[0]) || len(k) != KeySize {
			t.Fatal("starting together gave different keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); left != nil {
		t.Errorf("drafts left: %v", left)
	}
}

func TestLoadKeyRefusesSpoiltFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	if err := os.WriteFile(path, []byte("c0ffee\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(path); err == nil || strings.Contains(err.Error(), "c0ffee") {
		t.Errorf("err = %v; want a refusal that does not show the content", err)
	}
	if _, err := LoadOrCreateKey(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("a path that cannot exist gave a key")
	}
}

func TestTokenNeverPrints(t *testing.T) {
	t.Parallel()
	token := NewToken("EAAB-secret")
	page := Page{ID: "1", AccessToken: token}
	for _, text := range []string{fmt.Sprint(page), fmt.Sprintf("%+v %#v %q %s", page, page, token, &page)} {
		if strings.Contains(text, "EAAB") {
			t.Errorf("token printed: %s", text)
		}
	}
}

func ExampleSealer() {
	s, _ := NewSealer(make([]byte, KeySize)) // a real key comes from LoadOrCreateKey
	sealed, _ := s.Seal("EAAB…", "page/111/access_token")
	plain, err := s.Open(sealed, "page/111/access_token")
	fmt.Println(sealed[:3], plain, err)
	_, err = s.Open(sealed, "page/222/access_token")
	fmt.Println(err)
	// Output:
	// v1. EAAB… <nil>
	// identity: sealed text does not open with this key and context
}
