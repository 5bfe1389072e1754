package postgres_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/postgrestest"
	"outrider/store"
	"outrider/store/postgres"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
	"outrider/store/storetest"
)

func TestACopyGoesOnWhereTheOriginalWas(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, false)
	path, url := filepath.Join(t.TempDir(), "outrider.db"), identity.NewToken(server.URL(t))
	from := func(t *testing.T, now func() time.Time) storetest.Open {
		return func() (store.Store, error) {
			return sqlite.Open(t.Context(), sqlite.Options{Path: path, Sealer: newSealer(t), Now: now})
		}
	}
	to := func(t *testing.T, now func() time.Time) storetest.Open {
		return func() (store.Store, error) {
			return postgres.Open(t.Context(), postgres.Options{URL: url, Sealer: newSealer(t), Now: now})
		}
	}
	rows := map[string]int{}
	storetest.RunCopy(t, from, to, func(t *testing.T) {
		copyAll(t, path, url, func(x sqlstore.Table) { rows[x.Name] = x.Rows })
	})
	for _, name := range []string{"geofences", "owners", "crossings", "deliveries", "lanes", "accounts", "windows"} {
		if rows[name] == 0 {
			t.Errorf("no row of %s was copied: %v", name, rows)
		}
	}
	dump, err := sqlite.OpenDump(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Close()
	if err := postgres.Load(t.Context(), url, dump, func(sqlstore.Table) {}); !errors.Is(err, postgres.ErrNotEmpty) {
		t.Errorf("a second copy into the same database: %v", err)
	}
}

func copyAll(t *testing.T, path string, url identity.Token, progress func(sqlstore.Table)) {
	t.Helper()
	dump, err := sqlite.OpenDump(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(postgres.Load(t.Context(), url, dump, progress), dump.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestTextsThatPostgreSQLCannotKeepStopNothing(t *testing.T) {
	t.Parallel()
	s, err := postgres.Open(t.Context(), postgres.Options{
		URL: identity.NewToken(postgrestest.Start(t, false).URL(t)), Sealer: newSealer(t), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	letter := store.DeadLetter{Tenant: "acme", Topic: "fleet/\x00/\xff", Reason: "format", Detail: "odd \x00", Payload: []byte{0, 255}}
	if err := s.PutDeadLetters(t.Context(), []store.DeadLetter{letter}); err != nil {
		t.Fatal(err)
	}
	kept, err := s.DeadLetters(t.Context(), store.Query{Tenant: "acme"})
	if err != nil || len(kept) != 1 || kept[0].Topic != "fleet/\uFFFD/\uFFFD" || string(kept[0].Payload) != "\x00\xff" {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestAnUnreadableURLTellsNoPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://u:hunter2@h:notaport/d", "postgres://u:hunter2@127.0.0.1:1/d?connect_timeout=1"} {
		_, err := postgres.Open(t.Context(), postgres.Options{URL: identity.NewToken(url), Sealer: newSealer(t), Now: time.Now})
		if err == nil {
			t.Fatal("was opened")
		}
		if text := err.Error(); strings.Contains(text, "hunter2") {
			t.Errorf("%s", text)
		}
	}
}
