package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"outrider/identity"
	"outrider/store"
	"outrider/store/sqlite"
	"outrider/store/storetest"
)

// newSealer is the real one, so that the suite sees what the program sees.
func newSealer(t testing.TB) *identity.Sealer {
	t.Helper()
	s, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func place(t *testing.T, now func() time.Time) storetest.Open {
	path := filepath.Join(t.TempDir(), "outrider.db")
	return func() (store.Store, error) {
		return sqlite.Open(t.Context(), sqlite.Options{Path: path, Sealer: newSealer(t), Now: now})
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, place)
}

func TestOutboxModel(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, place)
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store {
		path := filepath.Join(b.TempDir(), "outrider.db")
		s, err := sqlite.Open(b.Context(), sqlite.Options{Path: path, Sealer: newSealer(b), Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		return s
	})
}
