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

// newSealer is the real one, so that the suite sees what the program sees.
func newSealer(t testing.TB) *identity.Sealer {
	t.Helper()
	s, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// places returns stores of schemas of their own on one server.
func places(t testing.TB) storetest.Place {
	t.Helper()
	server := postgrestest.Start(t, false)
	return func(t *testing.T, now func() time.Time) storetest.Open {
		url := identity.NewToken(server.URL(t) + "&pool_max_conns=2")
		return func() (store.Store, error) {
			return postgres.Open(t.Context(), postgres.Options{URL: url, Sealer: newSealer(t), Now: now})
		}
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, places(t))
}

func TestOutboxModel(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, places(t))
}
