package app_test

import (
	"net/http"
	"testing"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/postgrestest"
)

// An installation that moves from SQLite to PostgreSQL keeps its record, its secrets and where its vehicles are.
func TestAnInstallationMovesToPostgreSQL(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	sent := func() int { return len(r.items(t, "deliveries?state=sent")) }
	eventually(t, "two alerts were sent", func() bool { return sent() == 2 })
	before := r.items(t, "crossings")
	r.stop(t)

	r.flags["store.url"] = postgrestest.Start(t, false).URL(t)
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	rows := map[string]int{}
	must(t, app.CopyDB(t.Context(), c, func(table string, n int) { rows[table] = n }))
	if rows["crossings"] != 2 || rows["pages"] != 1 {
		t.Errorf("copied %v", rows)
	}

	r.start(t)
	if after := r.items(t, "crossings"); len(after) != 2 || after[0]["id"] != before[0]["id"] {
		t.Errorf("crossings %v, want %v", after, before)
	}
	r.call(t, http.MethodGet, "geofences/yard", nil, http.StatusOK)
	r.own(t, "bus", "bob", "70002")
	_, err = r.sandbox.Say(page, "70002", "hello")
	must(t, err)
	driveThrough(t, r.connect(t, "other"), "fleet/default/bus/fix", 11.5, 48.1)
	eventually(t, "two more alerts were sent, with the page's token that was copied", func() bool { return sent() == 4 })
}
