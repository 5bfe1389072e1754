package sqlstore

import (
	"context"
	"iter"
)

// Table is a table of a database that is copied.
type Table struct {
	Name    string
	Columns []string
	Rows    int
}

// Dump is a database to be copied, all of one moment.
type Dump interface {
	// Tables lists the tables of the schema, by name; those that a database keeps for itself are left out.
	Tables(ctx context.Context) ([]Table, error)
	// Rows reads a table row by row, values in the order of its columns: int64, float64, string, []byte or nil. It ends
	// after an error.
	Rows(ctx context.Context, t Table) iter.Seq2[[]any, error]
}
