package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	"outrider/store/sqlstore"
)

// Dump reads a whole file, of which nobody changes anything until Close.
type Dump struct {
	db   *sql.DB
	conn *sql.Conn // in a transaction that keeps writers out
}

var _ sqlstore.Dump = (*Dump)(nil)

// OpenDump brings the file at path to this version and locks it for writers. Another process that writes at that
// moment is waited for up to ten seconds.
func OpenDump(ctx context.Context, path string) (*Dump, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err) // opening would make an empty one
	}
	db, err := open(path, 1)
	if err != nil {
		return nil, err
	}
	d := &Dump{db: db}
	if err := d.lock(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", path, err), d.Close())
	}
	return d, nil
}

func (d *Dump) lock(ctx context.Context) (err error) {
	if err := migrate(ctx, d.db); err != nil {
		return err
	}
	if d.conn, err = d.db.Conn(ctx); err != nil {
		return err
	}
	_, err = d.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	return err
}

// Close lets writers in again.
func (d *Dump) Close() error {
	var problems []error
	if d.conn != nil {
		_, err := d.conn.ExecContext(context.Background(), "ROLLBACK")
		problems = append(problems, err, d.conn.Close())
	}
	return errors.Join(append(problems, d.db.Close())...)
}

const dumpTables = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
	AND name <> 'goose_db_version' ORDER BY name`

// Tables implements sqlstore.Dump.
func (d *Dump) Tables(ctx context.Context) ([]sqlstore.Table, error) {
	names, err := d.texts(ctx, dumpTables)
	if err != nil {
		return nil, fmt.Errorf("sqlite: list tables: %w", err)
	}
	var tables []sqlstore.Table
	for _, name := range names {
		t := sqlstore.Table{Name: name}
		if t.Columns, err = d.texts(ctx, "SELECT name FROM pragma_table_info(?) ORDER BY cid", name); err != nil {
			return nil, fmt.Errorf("sqlite: columns of %s: %w", name, err)
		}
		if err := d.conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+name).Scan(&t.Rows); err != nil {
			return nil, fmt.Errorf("sqlite: count %s: %w", name, err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func (d *Dump) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := d.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Rows implements sqlstore.Dump.
func (d *Dump) Rows(ctx context.Context, t sqlstore.Table) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		rows, err := d.conn.QueryContext(ctx, "SELECT "+strings.Join(t.Columns, ", ")+" FROM "+t.Name)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			values := make([]any, len(t.Columns))
			into := make([]any, len(values))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				yield(nil, err)
				return
			}
			if !yield(values, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}
