package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"outrider/store/sqlstore"
)

// writeTime is after how long a transaction is given up.
const writeTime = 30 * time.Second

// writer makes the transactions of this process. When a write of a group fails, the transaction is undone and each is
// made again in its own.
type writer struct {
	pool    *pgxpool.Pool
	dialect *dialect
}

func (w *writer) commit(group []sqlstore.Write, results []error) {
	err := w.transact(group)
	if err == nil || len(group) == 1 || errors.Is(err, errUnknown) {
		for i := range results {
			results[i] = err
		}
		return
	}
	for i := range group {
		results[i] = w.transact(group[i : i+1])
	}
}

// errUnknown says that the connection was lost while a transaction was being committed: it may be durable or not.
var errUnknown = errors.New("postgres: the connection was lost during a commit")

// transact makes the writes of the group in one transaction.
func (w *writer) transact(group []sqlstore.Write) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: connect: %w", err)
	}
	defer conn.Release()
	t := newTx(ctx, conn.Conn(), w.dialect)
	for _, one := range group {
		if err := one.Do(t); err != nil {
			return errors.Join(err, t.undo())
		}
	}
	return t.end()
}
