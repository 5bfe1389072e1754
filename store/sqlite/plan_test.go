package sqlite

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"outrider/store/sqlstore"
)

func openBare(t *testing.T) *database {
	t.Helper()
	d, err := openDatabase(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// scan is a plan's word for reading a table, or one of its indexes, from end to end.
var scan = regexp.MustCompile(`^SCAN (\w+)`)

// small are names in plans that are no tables of ours.
var small = map[string]bool{"o": true, "p": true, "h": true, "due_pages": true, "oldest": true, "CONSTANT": true}

func TestNoQueryReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s := openBare(t)
	for name, q := range sqlstore.Queries() {
		if strings.Contains(q.Query, sqlstore.UnderWay) {
			if text := strings.Join(plan(t, s, q.Query), "\n"); !strings.Contains(text, "deliveries_busy") {
				t.Errorf("%s reads more than what is under way:\n%s", name, text)
			}
		}
		for _, line := range plan(t, s, q.Query) {
			found := scan.FindStringSubmatch(line)
			if found != nil && !small[found[1]] && found[1] != q.Scans {
				t.Errorf("%s: %s", name, line)
			}
			if strings.Contains(line, "TEMP B-TREE FOR ORDER BY") {
				t.Errorf("%s sorts: %s", name, line)
			}
		}
	}
}

func plan(t *testing.T, d *database, query string) []string {
	t.Helper()
	rows, err := d.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, parameters(query))...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var (
			id, parent, unused int
			detail             string
		)
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, detail)
	}
	err = rows.Err()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return lines
}

// parameters counts the arguments that a query takes.
func parameters(query string) int {
	n := strings.Count(query, "?")
	for _, numbered := range []string{"?1", "?2", "?3", "?4", "?5"} {
		if k := strings.Count(query, numbered); k > 1 {
			n -= k - 1
		}
	}
	return n
}
