package postgres

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"outrider/identity"
	"outrider/internal/postgrestest"
	"outrider/store/sqlstore"
)

var rowsOfPlans = flag.Int("rows", 50_000, "crossings, and as many deliveries, in the test of plans; 5,000,000 takes some minutes")

// fill makes tables as they are after a while: nearly all deliveries are done with.
const fill = `
	INSERT INTO crossings (id, tenant, vehicle, fence, fence_rev, fence_name, kind, at, lon, lat, confidence, why, late, received, recorded)
		SELECT 'c' || i, 't' || i %% 7, 'v' || i %% 5000, 'f' || i %% 900, 1, 'name', 'enter', i, 0, 0, 3, 'clear', FALSE, i, i
		FROM generate_series(1, %[1]d) i;
	INSERT INTO deliveries (id, tenant, vehicle, fence, page, psid, alert, event_at, state, route, reason, detail, attempts, next_at,
		lease, created, claimed, sent_at, delivered, read, message_id)
		SELECT 'd' || i, 't' || i %% 7, 'v' || i %% 5000, 'f' || i %% 900, 'p' || i %% 20, 'u' || i %% 9000,
			jsonb_build_object('owner', 'o' || i %% 9000), i,
			CASE WHEN i %% 1000 = 0 THEN 'pending' WHEN i %% 1000 = 1 THEN 'held' WHEN i %% 10000 = 2 THEN 'sending' ELSE 'sent' END,
			'window', '', '', 1, i, i, i, i, i, i, CASE WHEN i %% 2 = 0 THEN i ELSE 0 END, 'm' || i
		FROM generate_series(1, %[1]d) i;
	INSERT INTO dead_letters (tenant, vehicle, topic, reason, field, detail, payload, size, received)
		SELECT 't' || i %% 7, 'v' || i %% 5000, '', 'format', '', '', '', 0, i FROM generate_series(1, 50000) i;
	INSERT INTO last_fixes SELECT 't' || i %% 7, 'v' || i, i, i, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL FROM generate_series(1, 50000) i;
	INSERT INTO memberships SELECT 't' || i %% 7, 'v' || i, 'f' || i %% 900, i %% 64, i FROM generate_series(1, 50000) i;
	INSERT INTO webhook_seen SELECT 'k' || i, i FROM generate_series(1, 50000) i;
	INSERT INTO windows SELECT 'p' || i %% 20, 'u' || i, i FROM generate_series(1, 50000) i;
	INSERT INTO geofences SELECT i, 't' || i %% 7, 'f' || i / 2, 'name', '{}', 0, 0, 1, 1, FALSE, i,
		CASE WHEN i %% 2 = 0 THEN i + 1 END FROM generate_series(1, 50000) i;
	ANALYZE`

// large are the tables that must never be read from end to end, but on purpose.
var large = regexp.MustCompile(`Seq Scan on (crossings|deliveries|dead_letters|last_fixes|memberships|webhook_seen|windows|geofences)\b`)

func TestNoQueryReadsALargeTable(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := postgrestest.Start(t, false).URL(t)
	db, err := open(ctx, Options{URL: identity.NewToken(url)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for statement := range strings.SplitSeq(fmt.Sprintf(fill, *rowsOfPlans), ";") {
		if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := conn.Exec(ctx, "SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	for name, q := range sqlstore.Queries() {
		text := plan(t, conn, db.dialect.translate(q.Query))
		for _, found := range large.FindAllStringSubmatch(text, -1) {
			if found[1] != q.Scans {
				t.Errorf("%s reads all of %s:\n%s", name, found[1], text)
			}
		}
		if strings.Contains(text, "Sort") && strings.Contains(name, " by ") && !strings.HasSuffix(name, " both") {
			t.Errorf("%s sorts:\n%s", name, text)
		}
	}
}

var parameter = regexp.MustCompile(`\$(\d)`)

// plan returns how a statement is carried out, whatever its arguments are.
func plan(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	ctx := t.Context()
	most := 0
	for _, found := range parameter.FindAllStringSubmatch(query, -1) {
		most = max(most, int(found[1][0]-'0'))
	}
	if strings.Contains(query, "$10") {
		most = strings.Count(query, "$")
	}
	run := func(sql string) string {
		t.Helper()
		results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		var text strings.Builder
		for _, row := range results[0].Rows {
			text.Write(row[0])
			text.WriteByte('\n')
		}
		return text.String()
	}
	run("PREPARE planned AS " + query)
	defer run("DEALLOCATE planned")
	if most == 0 {
		return run("EXPLAIN EXECUTE planned")
	}
	return run("EXPLAIN EXECUTE planned (" + strings.TrimSuffix(strings.Repeat("NULL, ", most), ", ") + ")")
}
