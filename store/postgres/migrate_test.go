package postgres

import (
	"io/fs"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"outrider/identity"
	"outrider/internal/postgrestest"
	"outrider/notify"
	"outrider/store"
)

// asFirst are rows as the first version wrote them.
const asFirst = `
	INSERT INTO crossings (id, tenant, vehicle, fence, fence_rev, fence_name, kind, at, lon, lat, confidence, why, late, received, recorded)
		VALUES ('c1', 'acme', 'van', 'depot', 1, 'Depot', 'enter', 1772438400000000, 11.5, 48.1, 3, 'clear', FALSE, 1772438400000000, 1772438400000000);
	INSERT INTO deliveries (id, tenant, vehicle, fence, page, psid, alert, event_at, state, route, reason, detail, attempts, next_at,
		lease, created, claimed, sent_at, delivered, read, message_id)
		VALUES ('d1', 'acme', 'van', 'depot', 'p', 'u', '{"event": "c1", "kind": "enter"}', 1772438400000000, 'pending', '', '', '', 0, 1772438400000000,
			0, 1772438400000000, 0, 0, 0, 0, '');
	INSERT INTO last_fixes VALUES ('acme', 'van', 1772438400000000, 1772438401000000, 11.5, 48.1, 4, 9, NULL, NULL, NULL, 1);
	INSERT INTO memberships VALUES ('acme', 'van', 'depot', 3, 1772438400000000)`

// A database that the first version filled is brought up step by step, and all that was in it is read.
func TestAFirstVersionsRowsAreReadByThisOne(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := postgrestest.Start(t, false).URL(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range p.ListSources() {
		if _, err := p.UpTo(ctx, m.Version); err != nil {
			t.Fatalf("step %d: %v", m.Version, err)
		}
		if i > 0 {
			continue
		}
		if _, err := db.ExecContext(ctx, asFirst); err != nil {
			t.Fatal(err)
		}
	}
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(ctx, Options{URL: identity.NewToken(url), Sealer: sealer, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	crossings, err := s.Crossings(ctx, store.Query{Tenant: "acme"})
	if err != nil || len(crossings) != 1 || crossings[0].ID != "c1" {
		t.Errorf("crossings %v, %v", crossings, err)
	}
	fixes, err := s.LastFixes(ctx, "acme", "", 10)
	if err != nil || len(fixes) != 1 || fixes[0].Vehicle != "van" {
		t.Errorf("last fixes %v, %v", fixes, err)
	}
	members, err := s.Memberships(ctx, 3)
	if err != nil || len(members) != 1 || members[0].Fence != "depot" {
		t.Errorf("memberships %v, %v", members, err)
	}
	claims, err := s.Claim(ctx, "p", notify.Room{All: 1, Alerts: 1}, time.Now(), time.Minute)
	if err != nil || len(claims) != 1 || claims[0].Alert.Event != "c1" {
		t.Errorf("claims %v, %v", claims, err)
	}
}
