package postgres_test

import (
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/postgrestest"
	"outrider/store"
	"outrider/store/postgres"
	"outrider/store/storetest"
)

// BenchmarkStore writes through to the disk.
func BenchmarkStore(b *testing.B) {
	server := postgrestest.Start(b, true)
	storetest.Bench(b, func(b *testing.B) store.Store {
		s, err := postgres.Open(b.Context(), postgres.Options{URL: identity.NewToken(server.URL(b)), Sealer: newSealer(b), Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		return s
	})
}
