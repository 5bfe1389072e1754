package sqlstore

import "context"

// DB is a database. It is safe for many goroutines.
type DB interface {
	Reader
	// Write runs do in a transaction and returns when it is durable, or was undone. All writes of all processes are
	// as if one came after the other. do may run again after it was undone, and must then start anew. sure says that do
	// fails only when the database does, so that it may share the fate of others.
	Write(ctx context.Context, do func(Tx) error, sure bool) error
	// View runs do with reads that are of one moment.
	View(ctx context.Context, do func(Reader) error) error
	// Close ends the writer after what it has taken, and closes the database. It may come twice.
	Close() error
}

// Reader reads what is committed.
type Reader interface {
	// Query reads rows.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	// QueryRow reads one row; its Scan returns an error that is sql.ErrNoRows if there is none.
	QueryRow(ctx context.Context, query string, args ...any) Row
}

// Tx is a transaction. It belongs to the goroutine that was given it.
type Tx interface {
	// Exec executes a statement whose effect nobody asks for. A database may put it off until the next statement that
	// answers, or the end.
	Exec(query string, args ...any) error
	// Change executes and returns how many rows changed.
	Change(query string, args ...any) (int, error)
	// One reads one row into dst; sql.ErrNoRows if there is none.
	One(dst []any, query string, args ...any) error
	// Row reads one row.
	Row(query string, args ...any) Row
	// Rows reads rows.
	Rows(query string, args ...any) (Rows, error)
}

// Row is a row.
type Row interface{ Scan(dst ...any) error }

// Rows are rows, as those of database/sql.
type Rows interface {
	Row
	Next() bool
	Err() error
	Close() error
}

// collect reads every row of an answer with scan.
func collect[T any](rows Rows, err error, scan func(Row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
