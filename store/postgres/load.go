package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"

	"outrider/identity"
	"outrider/store/sqlstore"
)

// ErrNotEmpty says that a database to be loaded holds something already.
var ErrNotEmpty = errors.New("postgres: the database is not empty")

// kept are tables that the database fills itself.
var kept = []string{"delivery_counts"}

// Load copies everything of a dump into the empty database at url, in one transaction: all of it is there afterwards,
// or nothing. progress is called after each table.
func Load(ctx context.Context, url identity.Token, d sqlstore.Dump, progress func(sqlstore.Table)) error {
	db, err := open(ctx, Options{URL: url})
	if err != nil {
		return err
	}
	defer db.Close()
	tables, err := d.Tables(ctx)
	if err != nil {
		return err
	}
	tables = slices.DeleteFunc(tables, func(t sqlstore.Table) bool { return slices.Contains(kept, t.Name) })
	err = pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		if err := refuseFull(ctx, tx, tables); err != nil {
			return err
		}
		for _, t := range tables {
			if err := load(ctx, tx, t, d.Rows(ctx, t)); err != nil {
				return fmt.Errorf("postgres: copy table %s: %w", t.Name, err)
			}
			progress(t)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = db.pool.Exec(ctx, "ANALYZE")
	return err
}

// refuseFull also empties the table of counters, which is never empty.
func refuseFull(ctx context.Context, tx pgx.Tx, tables []sqlstore.Table) error {
	if _, err := tx.Exec(ctx, "DELETE FROM counters"); err != nil {
		return err
	}
	for _, t := range tables {
		var full bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+pgx.Identifier{t.Name}.Sanitize()+")").Scan(&full); err != nil {
			return err
		}
		if full {
			return fmt.Errorf("%w: there are rows in %s", ErrNotEmpty, t.Name)
		}
	}
	return nil
}

func load(ctx context.Context, tx pgx.Tx, t sqlstore.Table, rows iter.Seq2[[]any, error]) error {
	truth, err := truthColumns(ctx, tx, t)
	if err != nil {
		return err
	}
	next, stop := iter.Pull2(rows)
	defer stop()
	n, err := tx.CopyFrom(ctx, pgx.Identifier{t.Name}, t.Columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, err, more := next()
		if !more || err != nil {
			return nil, err
		}
		for _, i := range truth {
			row[i] = row[i] != int64(0)
		}
		return clean(row), nil
	}))
	if err != nil {
		return err
	}
	if int(n) != t.Rows {
		return fmt.Errorf("%d of %d rows came", n, t.Rows)
	}
	return goOn(ctx, tx, t)
}

// truthColumns returns which of the columns are BOOLEAN here and a number there.
func truthColumns(ctx context.Context, tx pgx.Tx, t sqlstore.Table) ([]int, error) {
	rows, err := tx.Query(ctx, `SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND atttypid = 'boolean'::regtype`, t.Name)
	if err != nil {
		return nil, err
	}
	names, err := pgx.AppendRows([]string(nil), rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	var columns []int
	for i, c := range t.Columns {
		if slices.Contains(names, c) {
			columns = append(columns, i)
		}
	}
	return columns, nil
}

// goOn makes a table's sequence go on behind its rows.
func goOn(ctx context.Context, tx pgx.Tx, t sqlstore.Table) error {
	if !slices.Contains(t.Columns, "seq") {
		return nil
	}
	_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, 'seq'), GREATEST((SELECT MAX(seq) FROM `+
		pgx.Identifier{t.Name}.Sanitize()+`), 1))`, t.Name)
	return err
}
